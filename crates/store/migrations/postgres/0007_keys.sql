-- What a key's calls go by beside its limits: a JSON object.
ALTER TABLE virtual_keys ADD COLUMN rules TEXT;
ALTER TABLE deleted_virtual_keys ADD COLUMN rules TEXT;

-- Texts of keys that were replaced and are taken for a while longer, by their hashes.
CREATE TABLE retired_hashes (
    hash TEXT NOT NULL,
    key_id TEXT NOT NULL,
    valid_until BIGINT NOT NULL,
    PRIMARY KEY (hash)
);

-- What a limit no longer counts of what was spent in the window that contains `waived_at`. The
-- ledger and its sums stay as they are. `rule` names the limit among those of its subject.
CREATE TABLE spend_waivers (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    rule TEXT NOT NULL,
    waived_at BIGINT NOT NULL,
    id TEXT NOT NULL,
    cost_nanos BIGINT NOT NULL,
    waived_by TEXT,
    PRIMARY KEY (kind, subject, rule, waived_at, id)
);
