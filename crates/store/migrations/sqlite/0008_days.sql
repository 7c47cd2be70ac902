-- Sums of closed days, made of the sums per quarter-hour, so that pages of many days read few rows.
-- `day_at` is the start of the day, in whatever zone days are summed.
CREATE TABLE spend_days (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    day_at INTEGER NOT NULL,
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
    PRIMARY KEY (kind, subject, day_at)
) STRICT, WITHOUT ROWID;

-- From when to when each of those days is, and whether its rows are its sums (1) or not (0), as
-- something was written to it since or not all are made. Days that are summed never overlap.
-- `turn` counts what happened to a day, so that whoever sums it learns of others. A day whose rows
-- are gone ends where it starts.
CREATE TABLE summed_days (
    start_at INTEGER NOT NULL,
    end_at INTEGER NOT NULL,
    summed INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    PRIMARY KEY (start_at)
) STRICT, WITHOUT ROWID;
