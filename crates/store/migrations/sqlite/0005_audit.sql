-- Who changed what. A row is written in the transaction of the change and never changed. `kind`
-- and `object_id` name what was changed, `within` the team of a member; `before_value` and
-- `after_value` are JSON without secrets, absent where there was nothing.
CREATE TABLE audit_log (
    number INTEGER NOT NULL PRIMARY KEY,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    key_id TEXT,
    address TEXT,
    on_behalf_of TEXT,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    within TEXT NOT NULL,
    object_id TEXT NOT NULL,
    before_value TEXT,
    after_value TEXT
) STRICT;
CREATE INDEX audit_log_by_object ON audit_log (kind, object_id, number);
CREATE INDEX audit_log_by_time ON audit_log (changed_at);
