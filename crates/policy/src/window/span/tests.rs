//! Spans as tables of exact instants: month ends, leap days, the nights on which clocks change,
//! anniversaries, and what LiteLLM 1.100.5 gets wrong.
//!
//! The instants of local midnights were computed with Python's `zoneinfo`.

use super::*;
use crate::window::{TimeOfDay, WeekStart, Zone};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

fn zone(name: &str) -> Calendar {
    Calendar { zone: Zone::parse(name).expect("a zone"), ..Calendar::default() }
}

fn period(word: &str) -> Period {
    Period::parse(word).expect("a period")
}

/// The span of a word in UTC, as dates where it turns at midnight.
fn utc(word: &str, now: &str) -> String {
    show(period(word).span(&Calendar::default(), Anchor::Calendar, at(now)))
}

fn show(span: Span) -> String {
    format!("{} {}", span.start, span.end).replace("T00:00:00Z", "")
}

#[test]
fn s06_thirty_days_in_february_begin_on_the_first() {
    assert_eq!(utc("30d", "2026-02-15T12:00:00Z"), "2026-02-01 2026-03-01");
}

#[test]
fn s06_the_first_of_may_is_not_free() {
    assert_eq!(utc("30d", "2026-05-10T12:00:00Z"), "2026-05-01 2026-06-01");
    assert_eq!(utc("30d", "2026-05-01T00:00:00Z"), "2026-05-01 2026-06-01");
    assert_eq!(utc("30d", "2026-04-30T23:59:59.999999Z"), "2026-04-01 2026-05-01");
}

#[test]
fn s06_the_start_of_a_month_does_not_move_with_the_day_of_evaluation() {
    for day in 1..=31 {
        let now = format!("2026-01-{day:02}T08:00:00Z");
        assert_eq!(utc("1mo", &now), "2026-01-01 2026-02-01", "{now}");
    }
}

#[test]
fn s06_48_hours_are_48_hours() {
    assert_eq!(utc("48h", "2026-05-01T23:59:59Z"), "2026-05-01 2026-05-03");
    assert_eq!(utc("48h", "2026-05-02T23:59:59Z"), "2026-05-01 2026-05-03");
    assert_eq!(utc("48h", "2026-05-03T00:00:00Z"), "2026-05-03 2026-05-05");
}

#[test]
fn s06_quarters_and_years_do_not_reset_at_midnight() {
    assert_eq!(utc("quarterly", "2026-05-10T12:00:00Z"), "2026-04-01 2026-07-01");
    assert_eq!(utc("quarterly", "2026-12-31T23:59:59Z"), "2026-10-01 2027-01-01");
    assert_eq!(utc("1y", "2026-05-10T12:00:00Z"), "2026-01-01 2027-01-01");
    assert_eq!(utc("yearly", "2026-12-31T23:59:59Z"), "2026-01-01 2027-01-01");
}

#[test]
fn s06_two_months_are_two_months() {
    assert_eq!(utc("2mo", "2026-02-28T12:00:00Z"), "2026-01-01 2026-03-01");
    assert_eq!(utc("2mo", "2026-03-01T00:00:00Z"), "2026-03-01 2026-05-01");
}

#[test]
fn s06_the_last_of_april_in_tokyo_is_counted_in_april_only() {
    let month = |now| show(period("1mo").span(&zone("Asia/Tokyo"), Anchor::Calendar, at(now)));
    assert_eq!(month("2026-04-30T14:59:59Z"), "2026-03-31T15:00:00Z 2026-04-30T15:00:00Z");
    assert_eq!(month("2026-04-30T15:00:00Z"), "2026-04-30T15:00:00Z 2026-05-31T15:00:00Z");
}

#[test]
fn the_other_words_of_the_calendar() {
    let now = "2026-05-02T10:07:31Z"; // a Saturday
    for (word, span) in [
        ("30s", "2026-05-02T10:07:30Z 2026-05-02T10:08:00Z"),
        ("15m", "2026-05-02T10:00:00Z 2026-05-02T10:15:00Z"),
        ("1h", "2026-05-02T10:00:00Z 2026-05-02T11:00:00Z"),
        ("hourly", "2026-05-02T10:00:00Z 2026-05-02T11:00:00Z"),
        ("6h", "2026-05-02T06:00:00Z 2026-05-02T12:00:00Z"),
        ("24h", "2026-05-02 2026-05-03"),
        ("1d", "2026-05-02 2026-05-03"),
        ("daily", "2026-05-02 2026-05-03"),
        ("7d", "2026-04-27 2026-05-04"),
        ("1w", "2026-04-27 2026-05-04"),
        ("weekly", "2026-04-27 2026-05-04"),
        ("2w", "2026-04-20 2026-05-04"),
        ("14d", "2026-04-20 2026-05-04"),
        ("monthly", "2026-05-01 2026-06-01"),
        ("6mo", "2026-01-01 2026-07-01"),
        ("12mo", "2026-01-01 2027-01-01"),
        ("2y", "2026-01-01 2028-01-01"),
        ("100y", "1980-01-01 2070-01-01"),
    ] {
        assert_eq!(utc(word, now), span, "{word}");
    }
}

#[test]
fn february_ends_where_its_year_says() {
    assert_eq!(utc("1mo", "2024-02-29T23:59:59Z"), "2024-02-01 2024-03-01");
    assert_eq!(utc("1d", "2024-02-29T23:59:59Z"), "2024-02-29 2024-03-01");
    assert_eq!(utc("1d", "2026-02-28T23:59:59Z"), "2026-02-28 2026-03-01");
    assert_eq!(utc("1d", "2100-02-28T23:59:59Z"), "2100-02-28 2100-03-01");
}

/// Each row: a zone, an instant, and the local day that contains it.
#[test]
fn days_are_whole_on_the_nights_on_which_clocks_change() {
    for (name, now, day) in [
        // Midnight is skipped: the day begins at one o'clock and has 23 hours.
        ("America/Santiago", "2024-09-08T04:00:00Z", "2024-09-08T04:00:00Z 2024-09-09T03:00:00Z"),
        ("America/Santiago", "2024-09-08T03:59:59Z", "2024-09-07T04:00:00Z 2024-09-08T04:00:00Z"),
        ("Asia/Beirut", "2024-03-30T22:00:00Z", "2024-03-30T22:00:00Z 2024-03-31T21:00:00Z"),
        ("Africa/Cairo", "2024-04-25T22:00:00Z", "2024-04-25T22:00:00Z 2024-04-26T21:00:00Z"),
        ("America/Havana", "2024-03-10T05:00:00Z", "2024-03-10T05:00:00Z 2024-03-11T04:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-04T03:00:00Z 2018-11-05T02:00:00Z"),
        // Eleven comes twice before midnight: the day has 25 hours.
        ("America/Santiago", "2024-04-07T03:30:00Z", "2024-04-06T03:00:00Z 2024-04-07T04:00:00Z"),
        ("Asia/Beirut", "2024-10-26T21:30:00Z", "2024-10-25T21:00:00Z 2024-10-26T22:00:00Z"),
        ("Africa/Cairo", "2024-10-31T21:30:00Z", "2024-10-30T21:00:00Z 2024-10-31T22:00:00Z"),
        // Midnight comes twice: the day begins with the first and has 25 hours.
        ("America/Havana", "2024-11-03T05:30:00Z", "2024-11-03T04:00:00Z 2024-11-04T05:00:00Z"),
        ("America/Havana", "2024-11-03T04:00:00Z", "2024-11-03T04:00:00Z 2024-11-04T05:00:00Z"),
        // Half an hour.
        (
            "Australia/Lord_Howe",
            "2024-04-07T00:00:00Z",
            "2024-04-06T13:00:00Z 2024-04-07T13:30:00Z",
        ),
        (
            "Australia/Lord_Howe",
            "2024-10-06T00:00:00Z",
            "2024-10-05T13:30:00Z 2024-10-06T13:00:00Z",
        ),
        ("Pacific/Chatham", "2026-04-05T00:00:00Z", "2026-04-04T10:15:00Z 2026-04-05T11:15:00Z"),
        ("Asia/Kathmandu", "2026-05-01T00:00:00Z", "2026-04-30T18:15:00Z 2026-05-01T18:15:00Z"),
        // A date that never was: the 29th is followed by the 31st.
        ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z 2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z 2011-12-31T10:00:00Z"),
        ("Pacific/Kwajalein", "1993-08-21T12:00:00Z", "1993-08-21T12:00:00Z 1993-08-22T12:00:00Z"),
        ("Pacific/Kiritimati", "1994-12-31T10:00:00Z", "1994-12-31T10:00:00Z 1995-01-01T10:00:00Z"),
    ] {
        let span = period("1d").span(&zone(name), Anchor::Calendar, at(now));
        assert_eq!(show(span), day, "{name} at {now}");
    }
}

#[test]
fn months_hold_across_changed_clocks_and_lost_days() {
    for (name, now, month) in [
        ("Pacific/Apia", "2011-12-31T00:00:00Z", "2011-12-01T10:00:00Z 2011-12-31T10:00:00Z"),
        ("Pacific/Kiritimati", "1994-12-31T09:00:00Z", "1994-12-01T10:00:00Z 1994-12-31T10:00:00Z"),
        ("Europe/Berlin", "2026-03-31T21:59:59Z", "2026-02-28T23:00:00Z 2026-03-31T22:00:00Z"),
        ("Europe/Berlin", "2026-10-31T22:59:59Z", "2026-09-30T22:00:00Z 2026-10-31T23:00:00Z"),
    ] {
        let span = period("1mo").span(&zone(name), Anchor::Calendar, at(now));
        assert_eq!(show(span), month, "{name} at {now}");
    }
}

#[test]
fn hours_are_elapsed_time_from_the_midnight_of_standard_time() {
    let span = |name, word, now| show(period(word).span(&zone(name), Anchor::Calendar, at(now)));
    // Standard time was 5:30 in 1970 and is 5:45 today: the hour turns on today's wall clock.
    let hour = "2026-05-02T09:15:00Z 2026-05-02T10:15:00Z";
    assert_eq!(span("Asia/Kathmandu", "1h", "2026-05-02T10:00:00Z"), hour);
    let winter = "2026-01-14T23:00:00Z 2026-01-15T23:00:00Z";
    assert_eq!(span("Europe/Berlin", "24h", "2026-01-15T12:00:00Z"), winter);
    // In summer the same grid turns at one o'clock; `1d` turns at midnight all year.
    let summer = "2026-07-14T23:00:00Z 2026-07-15T23:00:00Z";
    assert_eq!(span("Europe/Berlin", "24h", "2026-07-15T12:00:00Z"), summer);
    let day = "2026-07-14T22:00:00Z 2026-07-15T22:00:00Z";
    assert_eq!(span("Europe/Berlin", "1d", "2026-07-15T12:00:00Z"), day);
}

#[test]
fn the_week_and_the_time_of_day_are_configurable() {
    let calendar = Calendar {
        week_start: WeekStart::parse("sunday").expect("a day"),
        reset_time: TimeOfDay::parse("06:30").expect("a time"),
        ..zone("America/New_York")
    };
    let span = |word, now| show(period(word).span(&calendar, Anchor::Calendar, at(now)));
    // Friday the first of May, six o'clock in New York, is still Thursday and April.
    let early = "2026-05-01T10:00:00Z";
    assert_eq!(span("1d", early), "2026-04-30T10:30:00Z 2026-05-01T10:30:00Z");
    assert_eq!(span("1mo", early), "2026-04-01T10:30:00Z 2026-05-01T10:30:00Z");
    assert_eq!(span("1w", early), "2026-04-26T10:30:00Z 2026-05-03T10:30:00Z");
    assert_eq!(span("2w", early), "2026-04-19T10:30:00Z 2026-05-03T10:30:00Z");
    // The time of day is for days; hours turn on the hour.
    assert_eq!(span("1h", early), "2026-05-01T10:00:00Z 2026-05-01T11:00:00Z");
}

#[test]
fn a_reset_time_that_the_clocks_skip_or_repeat() {
    let calendar =
        |name, time| Calendar { reset_time: TimeOfDay::parse(time).expect("a time"), ..zone(name) };
    let start = |calendar: &Calendar, now| {
        period("1d").span(calendar, Anchor::Calendar, at(now)).start.to_string()
    };
    // Half an hour into the gap is half an hour after it: 03:30 summer time.
    let berlin = calendar("Europe/Berlin", "02:30");
    assert_eq!(start(&berlin, "2026-03-29T12:00:00Z"), "2026-03-29T01:30:00Z");
    // Of 01:30, which comes twice, the first counts.
    let new_york = calendar("America/New_York", "01:30");
    assert_eq!(start(&new_york, "2026-11-01T12:00:00Z"), "2026-11-01T05:30:00Z");
    // Noon of the date that never was is noon of the next: no extra day, no day without a reset.
    let apia = calendar("Pacific/Apia", "12:00");
    assert_eq!(start(&apia, "2011-12-30T21:59:59Z"), "2011-12-29T22:00:00Z");
    assert_eq!(start(&apia, "2011-12-30T22:00:00Z"), "2011-12-30T22:00:00Z");
}

#[test]
fn other_counts_of_days_count_from_the_day_of_creation() {
    let created = Anchor::Created(at("2026-01-31T15:37:00Z"));
    let span = |calendar: &Calendar, word, now| show(period(word).span(calendar, created, at(now)));
    let default = Calendar::default();
    assert_eq!(span(&default, "10d", "2026-01-31T15:37:00Z"), "2026-01-31 2026-02-10");
    assert_eq!(span(&default, "10d", "2026-02-10T00:00:00Z"), "2026-02-10 2026-02-20");
    assert_eq!(span(&default, "10d", "2026-01-30T23:00:00Z"), "2026-01-21 2026-01-31");
    assert_eq!(span(&default, "2w", "2026-02-14T00:00:00Z"), "2026-02-14 2026-02-28");
    // What the calendar knows stays with the calendar.
    assert_eq!(span(&default, "30d", "2026-02-10T00:00:00Z"), "2026-02-01 2026-03-01");
    assert_eq!(span(&default, "7d", "2026-02-10T00:00:00Z"), "2026-02-09 2026-02-16");
    let strict = Calendar { strict_days: true, ..Calendar::default() };
    assert_eq!(span(&strict, "30d", "2026-02-10T00:00:00Z"), "2026-01-31 2026-03-02");
}

#[test]
fn anniversaries_come_on_the_day_or_on_the_last_of_a_short_month() {
    let span = |word, created, now| {
        let anchor = Anchor::Anniversary(at(created));
        show(period(word).span(&Calendar::default(), anchor, at(now)))
    };
    let created = "2024-01-31T15:37:00Z";
    for (now, month) in [
        ("2024-01-31T15:37:00Z", "2024-01-31 2024-02-29"),
        ("2024-02-29T00:00:00Z", "2024-02-29 2024-03-31"),
        ("2024-04-30T00:00:00Z", "2024-04-30 2024-05-31"),
        ("2025-02-28T12:00:00Z", "2025-02-28 2025-03-31"),
        ("2023-12-31T12:00:00Z", "2023-12-31 2024-01-31"),
    ] {
        assert_eq!(span("1mo", created, now), month, "{now}");
        assert_eq!(span("30d", created, now), month, "{now}");
    }
    assert_eq!(span("quarterly", created, "2024-05-01T00:00:00Z"), "2024-04-30 2024-07-31");
    assert_eq!(span("1y", "2024-02-29T01:00:00Z", "2026-01-01T00:00:00Z"), "2025-02-28 2026-02-28");
    assert_eq!(span("1y", "2024-02-29T01:00:00Z", "2028-03-01T00:00:00Z"), "2028-02-29 2029-02-28");
    assert_eq!(span("1w", created, "2024-02-07T00:00:00Z"), "2024-02-07 2024-02-14");
    assert_eq!(span("7d", created, "2024-02-06T00:00:00Z"), "2024-01-31 2024-02-07");
    assert_eq!(span("1d", created, "2024-02-06T12:00:00Z"), "2024-02-06 2024-02-07");
    let hours = "2024-01-31T15:30:00Z 2024-01-31T16:30:00Z";
    assert_eq!(span("1h", created, "2024-01-31T16:00:00Z"), hours);
}

#[test]
fn the_day_of_creation_is_the_one_that_has_begun() {
    let calendar =
        Calendar { reset_time: TimeOfDay::parse("06:00").expect("a time"), ..zone("Asia/Tokyo") };
    // Three in the morning of the first in Tokyo belongs to the last of the month before.
    let created = at("2026-04-30T18:00:00Z");
    let span = period("1mo").span(&calendar, Anchor::Anniversary(created), created);
    assert_eq!(show(span), "2026-04-29T21:00:00Z 2026-05-29T21:00:00Z");
}

#[test]
fn time_before_1980_and_from_9800_on_is_one_span_each() {
    let (min, max) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
    assert_eq!((FIRST, LAST), (at("1980-01-01T00:00:00Z"), at("9800-01-01T00:00:00Z")));
    for word in ["30s", "1d", "10d", "1w", "1mo", "100y"] {
        let span = |now| period(word).span(&zone("Pacific/Apia"), Anchor::Calendar, now);
        for early in [min, Timestamp::EPOCH, Timestamp::from_micros(FIRST.micros() - 1)] {
            assert_eq!(span(early), Span { start: min, end: FIRST }, "{word}");
        }
        for late in [LAST, at("9999-12-30T00:00:00Z"), max] {
            assert_eq!(span(late), Span { start: LAST, end: max }, "{word}");
        }
        assert_eq!(span(FIRST).start, FIRST, "{word}");
        assert_eq!(span(Timestamp::from_micros(LAST.micros() - 1)).end, LAST, "{word}");
    }
}
