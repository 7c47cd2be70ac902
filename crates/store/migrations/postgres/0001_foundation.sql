-- Times are microseconds since 1970-01-01T00:00:00Z, money nano-dollars, quantities thousandths of
-- their unit, flags 0 or 1. A value that is not known is NULL.

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
    max_budget_nanos BIGINT,
    expires_at BIGINT,
    blocked BIGINT NOT NULL,
    metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT,
    CONSTRAINT virtual_keys_id_key PRIMARY KEY (id),
    CONSTRAINT virtual_keys_hash_key UNIQUE (hash),
    CONSTRAINT virtual_keys_alias_key UNIQUE (alias)
);

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
    max_budget_nanos BIGINT,
    expires_at BIGINT,
    blocked BIGINT NOT NULL,
    metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT,
    deleted_at BIGINT NOT NULL,
    deleted_by TEXT,
    PRIMARY KEY (id)
);

-- What the gateway draws once and keeps, by name.
CREATE TABLE settings (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);

-- Calls in flight: written at admission, gone at settlement. What a crash leaves is settled at
-- the next start.
CREATE TABLE open_calls (
    call_id TEXT NOT NULL,
    admitted_at BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    user_id TEXT,
    team_id TEXT,
    organization_id TEXT,
    customer_id TEXT,
    model_group TEXT NOT NULL,
    streamed BIGINT NOT NULL,
    held_nanos BIGINT,
    input_milli BIGINT NOT NULL,
    input_cost_nanos BIGINT,
    price_sheet_id TEXT,
    deployment_id TEXT,
    provider TEXT,
    output_deltas BIGINT NOT NULL,
    output_bytes BIGINT NOT NULL,
    output_cost_nanos BIGINT,
    PRIMARY KEY (call_id)
);

-- One entry per call, never changed once written. `attempts` is a JSON array.
CREATE TABLE ledger_entries (
    call_id TEXT NOT NULL,
    admitted_at BIGINT NOT NULL,
    settled_at BIGINT NOT NULL,
    first_byte_at BIGINT,
    key_id TEXT NOT NULL,
    user_id TEXT,
    team_id TEXT,
    organization_id TEXT,
    customer_id TEXT,
    model_group TEXT NOT NULL,
    deployment_id TEXT,
    provider TEXT,
    upstream_model TEXT,
    streamed BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    usage_source TEXT NOT NULL,
    input_milli BIGINT,
    cached_read_milli BIGINT,
    cache_write_milli BIGINT,
    cache_write_long_milli BIGINT,
    input_audio_milli BIGINT,
    input_image_milli BIGINT,
    output_milli BIGINT,
    reasoning_milli BIGINT,
    output_audio_milli BIGINT,
    output_image_milli BIGINT,
    images_milli BIGINT,
    characters_milli BIGINT,
    seconds_milli BIGINT,
    searches_milli BIGINT,
    price_sheet_id TEXT,
    cost_nanos BIGINT,
    attempts TEXT NOT NULL,
    PRIMARY KEY (call_id)
);

-- Sums of the ledger per UTC quarter-hour of admission, for every kind of subject.
CREATE TABLE spend_quarter_hours (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    bucket_at BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    cost_nanos BIGINT NOT NULL,
    input_milli BIGINT NOT NULL,
    cached_read_milli BIGINT NOT NULL,
    cache_write_milli BIGINT NOT NULL,
    cache_write_long_milli BIGINT NOT NULL,
    input_audio_milli BIGINT NOT NULL,
    input_image_milli BIGINT NOT NULL,
    output_milli BIGINT NOT NULL,
    reasoning_milli BIGINT NOT NULL,
    output_audio_milli BIGINT NOT NULL,
    output_image_milli BIGINT NOT NULL,
    images_milli BIGINT NOT NULL,
    characters_milli BIGINT NOT NULL,
    seconds_milli BIGINT NOT NULL,
    searches_milli BIGINT NOT NULL,
    PRIMARY KEY (kind, subject, bucket_at)
);
