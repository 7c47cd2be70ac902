-- Answers of the Responses API, kept so that a later call can go on from them. `owner` is `team:`
-- and a team's id, or `key:` and that of a key without a team. `input_items` is a JSON array of the
-- items that the call itself added, `response` the whole answer as a JSON object, `bytes` the
-- length of the two.
CREATE TABLE responses (
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    previous_id TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    model TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    input_items TEXT NOT NULL,
    response TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX responses_owner_created_at ON responses (owner, created_at);
CREATE INDEX responses_expires_at ON responses (expires_at);

-- The sum of `bytes` over each owner's answers, changed together with them.
CREATE TABLE response_owners (
    owner TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (owner)
);
