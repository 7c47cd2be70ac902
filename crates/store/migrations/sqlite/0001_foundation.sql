-- Times are microseconds since 1970-01-01T00:00:00Z, money nano-dollars, quantities thousandths of
-- their unit, flags 0 or 1. A value that is not known is NULL.
-- STRICT, so that a value of the wrong type is refused; its only integer type is 64 bits wide.

-- Virtual keys. `models` is a JSON array, `metadata` a JSON object, `hash` 64 hexadecimal
-- digits.
CREATE TABLE virtual_keys (
    id TEXT NOT NULL,
    hash TEXT NOT NULL,
    name TEXT NOT NULL,
    alias TEXT,
    user_id TEXT,
    team_id TEXT,
    organization_id TEXT,
    models TEXT NOT NULL,
    max_budget_nanos INTEGER,
    expires_at INTEGER,
    blocked INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT,
    updated_at INTEGER NOT NULL,
    updated_by TEXT,
    CONSTRAINT virtual_keys_id_key PRIMARY KEY (id),
    CONSTRAINT virtual_keys_hash_key UNIQUE (hash),
    CONSTRAINT virtual_keys_alias_key UNIQUE (alias)
) STRICT;

-- Keys as they were when they were deleted, so that the ledger's key ids keep a name.
CREATE TABLE deleted_virtual_keys (
    id TEXT NOT NULL,
    hash TEXT NOT NULL,
    name TEXT NOT NULL,
    alias TEXT,
    user_id TEXT,
    team_id TEXT,
    organization_id TEXT,
    models TEXT NOT NULL,
    max_budget_nanos INTEGER,
    expires_at INTEGER,
    blocked INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT,
    updated_at INTEGER NOT NULL,
    updated_by TEXT,
    deleted_at INTEGER NOT NULL,
    deleted_by TEXT,
    PRIMARY KEY (id)
) STRICT;

-- What the gateway draws once and keeps, by name.
CREATE TABLE settings (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

-- Calls in flight: written at admission, gone at settlement. What a crash leaves is settled at
-- the next start.
CREATE TABLE open_calls (
    call_id TEXT NOT NULL,
    admitted_at INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    user_id TEXT,
    team_id TEXT,
    organization_id TEXT,
    customer_id TEXT,
    model_group TEXT NOT NULL,
    streamed INTEGER NOT NULL,
    held_nanos INTEGER,
    input_milli INTEGER NOT NULL,
    input_cost_nanos INTEGER,
    price_sheet_id TEXT,
    deployment_id TEXT,
    provider TEXT,
    output_deltas INTEGER NOT NULL,
    output_bytes INTEGER NOT NULL,
    output_cost_nanos INTEGER,
    PRIMARY KEY (call_id)
) STRICT, WITHOUT ROWID;

-- One entry per call, never changed once written. `attempts` is a JSON array.
CREATE TABLE ledger_entries (
    call_id TEXT NOT NULL,
    admitted_at INTEGER NOT NULL,
    settled_at INTEGER NOT NULL,
    first_byte_at INTEGER,
    key_id TEXT NOT NULL,
    user_id TEXT,
    team_id TEXT,
    organization_id TEXT,
    customer_id TEXT,
    model_group TEXT NOT NULL,
    deployment_id TEXT,
    provider TEXT,
    upstream_model TEXT,
    streamed INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    usage_source TEXT NOT NULL,
    input_milli INTEGER,
    cached_read_milli INTEGER,
    cache_write_milli INTEGER,
    cache_write_long_milli INTEGER,
    input_audio_milli INTEGER,
    input_image_milli INTEGER,
    output_milli INTEGER,
    reasoning_milli INTEGER,
    output_audio_milli INTEGER,
    output_image_milli INTEGER,
    images_milli INTEGER,
    characters_milli INTEGER,
    seconds_milli INTEGER,
    searches_milli INTEGER,
    price_sheet_id TEXT,
    cost_nanos INTEGER,
    attempts TEXT NOT NULL,
    PRIMARY KEY (call_id)
) STRICT;

-- Sums of the ledger per UTC quarter-hour of admission, for every kind of subject.
CREATE TABLE spend_quarter_hours (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    bucket_at INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    cost_nanos INTEGER NOT NULL,
    input_milli INTEGER NOT NULL,
    cached_read_milli INTEGER NOT NULL,
    cache_write_milli INTEGER NOT NULL,
    cache_write_long_milli INTEGER NOT NULL,
    input_audio_milli INTEGER NOT NULL,
    input_image_milli INTEGER NOT NULL,
    output_milli INTEGER NOT NULL,
    reasoning_milli INTEGER NOT NULL,
    output_audio_milli INTEGER NOT NULL,
    output_image_milli INTEGER NOT NULL,
    images_milli INTEGER NOT NULL,
    characters_milli INTEGER NOT NULL,
    seconds_milli INTEGER NOT NULL,
    searches_milli INTEGER NOT NULL,
    PRIMARY KEY (kind, subject, bucket_at)
) STRICT, WITHOUT ROWID;
