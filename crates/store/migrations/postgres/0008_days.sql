-- Sums of closed days, made of the sums per quarter-hour, so that pages of many days read few rows.
-- `day_at` is the start of the day, in whatever zone days are summed.
CREATE TABLE spend_days (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    day_at BIGINT NOT NULL,
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
    PRIMARY KEY (kind, subject, day_at)
);

-- From when to when each of those days is, and whether its rows are its sums (1) or not (0), as
-- something was written to it since or not all are made. Days that are summed never overlap.
-- `turn` counts what happened to a day, so that whoever sums it learns of others. A day whose rows
-- are gone ends where it starts.
CREATE TABLE summed_days (
    start_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    summed BIGINT NOT NULL,
    turn BIGINT NOT NULL,
    PRIMARY KEY (start_at)
);
