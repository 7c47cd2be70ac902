-- Deployments beside those of the configuration file. `params`, `secrets` and `info` are JSON
-- objects; each value in `secrets` is sealed by itself.
CREATE TABLE deployments (
    id TEXT NOT NULL,
    model_name TEXT NOT NULL,
    params TEXT NOT NULL,
    secrets TEXT NOT NULL,
    info TEXT NOT NULL,
    blocked INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT,
    updated_at INTEGER NOT NULL,
    updated_by TEXT,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

-- Values that several deployments take under one name. `params`, `secrets` and `info` as above.
CREATE TABLE credentials (
    name TEXT NOT NULL,
    params TEXT NOT NULL,
    secrets TEXT NOT NULL,
    info TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT,
    updated_at INTEGER NOT NULL,
    updated_by TEXT,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;
