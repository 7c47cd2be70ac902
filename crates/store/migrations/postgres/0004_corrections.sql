-- What an entry's cost turned out to be, as differences to what was recorded before: entries are
-- never changed. `number` counts an entry's corrections from 1; `price_sheet_id` is the sheet that
-- the corrected cost was computed with.
CREATE TABLE ledger_corrections (
    call_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    corrected_at BIGINT NOT NULL,
    price_sheet_id TEXT NOT NULL,
    cost_nanos BIGINT NOT NULL,
    PRIMARY KEY (call_id, number)
);
