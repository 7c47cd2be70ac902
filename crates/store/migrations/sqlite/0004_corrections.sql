-- What an entry's cost turned out to be, as differences to what was recorded before: entries are
-- never changed. `number` counts an entry's corrections from 1; `price_sheet_id` is the sheet that
-- the corrected cost was computed with.
CREATE TABLE ledger_corrections (
    call_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    corrected_at INTEGER NOT NULL,
    price_sheet_id TEXT NOT NULL,
    cost_nanos INTEGER NOT NULL,
    PRIMARY KEY (call_id, number)
) STRICT, WITHOUT ROWID;
