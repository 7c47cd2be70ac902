-- Those whom limits bind beside the keys: organizations, projects, teams, members of teams, users,
-- customers and tags. `within` is the team of a member and of a project, else empty. `models` is a
-- JSON array, `limits` and `metadata` JSON objects.
CREATE TABLE entities (
    kind TEXT NOT NULL,
    within TEXT NOT NULL,
    id TEXT NOT NULL,
    alias TEXT,
    organization_id TEXT,
    budget_id TEXT,
    blocked INTEGER NOT NULL,
    models TEXT NOT NULL,
    limits TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT,
    updated_at INTEGER NOT NULL,
    updated_by TEXT,
    PRIMARY KEY (kind, within, id)
) STRICT, WITHOUT ROWID;

-- Limits that several share the rules of. Each counts its own spend against them.
CREATE TABLE budgets (
    id TEXT NOT NULL,
    limits TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT,
    updated_at INTEGER NOT NULL,
    updated_by TEXT,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

-- The limits of a key beside `max_budget_nanos`: a JSON object.
ALTER TABLE virtual_keys ADD COLUMN limits TEXT;
ALTER TABLE virtual_keys ADD COLUMN budget_id TEXT;
ALTER TABLE virtual_keys ADD COLUMN project_id TEXT;
ALTER TABLE deleted_virtual_keys ADD COLUMN limits TEXT;
ALTER TABLE deleted_virtual_keys ADD COLUMN budget_id TEXT;
ALTER TABLE deleted_virtual_keys ADD COLUMN project_id TEXT;

-- `tags` is a JSON array.
ALTER TABLE open_calls ADD COLUMN project_id TEXT;
ALTER TABLE open_calls ADD COLUMN tags TEXT;
ALTER TABLE ledger_entries ADD COLUMN project_id TEXT;
ALTER TABLE ledger_entries ADD COLUMN tags TEXT;

-- For spans that begin or end within a quarter-hour, for pages of entries, and for retention.
CREATE INDEX ledger_entries_admitted_at ON ledger_entries (admitted_at, call_id);
