-- Deployments beside those of the configuration file. `params`, `secrets` and `info` are JSON
-- objects; each value in `secrets` is sealed by itself.
CREATE TABLE deployments (
    id TEXT NOT NULL,
    model_name TEXT NOT NULL,
    params TEXT NOT NULL,
    secrets TEXT NOT NULL,
    info TEXT NOT NULL,
    blocked BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT,
    PRIMARY KEY (id)
);

-- Values that several deployments take under one name. `params`, `secrets` and `info` as above.
CREATE TABLE credentials (
    name TEXT NOT NULL,
    params TEXT NOT NULL,
    secrets TEXT NOT NULL,
    info TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT,
    PRIMARY KEY (name)
);
