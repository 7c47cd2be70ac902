//! The laws of spans, for all zones, words and anchors, near the nights on which clocks change as
//! often as anywhere.

use std::sync::LazyLock;

use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;
use tollgate_domain::Timestamp;

use super::*;

static ZONES: LazyLock<Vec<Zone>> = LazyLock::new(|| {
    let names = Zone::names();
    names.iter().map(|name| Zone::parse(name).expect("a listed zone")).collect()
});

fn any_calendar() -> impl Strategy<Value = Calendar> {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let time = prop_oneof![Just((0, 0)), (0u8..24, 0u8..4).prop_map(|(h, q)| (h, q * 15))];
    (0..ZONES.len(), 0..days.len(), time, any::<bool>()).prop_map(
        move |(zone, day, (hour, minute), strict_days)| Calendar {
            zone: ZONES[zone].clone(),
            week_start: WeekStart::parse(days[day]).expect("a day"),
            reset_time: TimeOfDay::parse(&format!("{hour:02}:{minute:02}")).expect("a time"),
            strict_days,
        },
    )
}

fn any_period() -> impl Strategy<Value = Period> {
    let words = ["hourly", "daily", "weekly", "monthly", "quarterly", "yearly", "7d", "30d"];
    prop_oneof![
        (0..words.len()).prop_map(move |at| words[at].to_owned()),
        (1u32..5000).prop_map(|count| format!("{count}s")),
        (1u32..5000).prop_map(|count| format!("{count}m")),
        (1u32..500).prop_map(|count| format!("{count}h")),
        (1u32..400).prop_map(|count| format!("{count}d")),
        (1u32..60).prop_map(|count| format!("{count}w")),
        (1u32..40).prop_map(|count| format!("{count}mo")),
        (1u32..=100).prop_map(|count| format!("{count}y")),
    ]
    .prop_map(|word| Period::parse(&word).expect("a period"))
}

fn any_anchor() -> impl Strategy<Value = Anchor> {
    prop_oneof![
        Just(Anchor::Calendar),
        years().prop_map(Anchor::Created),
        years().prop_map(Anchor::Anniversary),
        any::<i64>().prop_map(|at| Anchor::Created(Timestamp::from_micros(at))),
        any::<i64>().prop_map(|at| Anchor::Anniversary(Timestamp::from_micros(at))),
    ]
}

/// An instant of the years 1990 to 2100.
fn years() -> impl Strategy<Value = Timestamp> {
    let micros = |text| Timestamp::parse(text).expect("an instant").micros();
    (micros("1990-01-01T00:00:00Z")..micros("2101-01-01T00:00:00Z"))
        .prop_map(Timestamp::from_micros)
}

/// The instant, or one as near to the last change of the zone's clocks since 1985 as `near` says.
fn near_a_change(calendar: &Calendar, at: Timestamp, near: Option<i64>) -> Timestamp {
    let zone = TimeZoneDatabase::bundled().get(calendar.zone.name()).expect("a zone");
    let before = jiff::Timestamp::from_microsecond(at.micros()).expect("an instant");
    let change = zone.preceding(before).next().map(|change| change.timestamp().as_microsecond());
    let since = Timestamp::parse("1985-01-01T00:00:00Z").expect("an instant").micros();
    let moved =
        near.zip(change.filter(|change| *change > since)).map(|(near, change)| change + near);
    moved.map_or(at, Timestamp::from_micros)
}

/// Up to two days before or after a change, often exactly at it, or nothing.
fn any_nearness() -> impl Strategy<Value = Option<i64>> {
    let day = 86_400_000_000i64;
    prop_oneof![Just(None), (-2 * day..2 * day).prop_map(Some), (-1i64..=1).prop_map(Some)]
}

fn shifted(at: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_add(micros))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn spans_follow_each_other_without_gap_or_overlap(
        calendar in any_calendar(), period in any_period(), anchor in any_anchor(),
        at in years(), near in any_nearness(),
    ) {
        let at = near_a_change(&calendar, at, near);
        let span = |at| period.span(&calendar, anchor, at);
        let now = span(at);
        prop_assert!(now.start < now.end && now.contains(at), "{now:?} of {at}");
        prop_assert_eq!(span(now.end).start, now.end);
        prop_assert_eq!(span(shifted(now.start, -1)).end, now.start);
        prop_assert_eq!(span(now.start), now);
        prop_assert_eq!(span(shifted(now.end, -1)), now);
    }

    #[test]
    fn a_later_instant_is_never_in_an_earlier_span(
        calendar in any_calendar(), period in any_period(), anchor in any_anchor(),
        at in years(), near in any_nearness(), later in 0i64..200_000_000_000,
    ) {
        let at = near_a_change(&calendar, at, near);
        let now = period.span(&calendar, anchor, at);
        let then = period.span(&calendar, anchor, shifted(at, later));
        prop_assert!(then == now || then.start >= now.end, "{now:?} then {then:?}");
    }

    #[test]
    fn what_turns_with_the_local_day_is_a_sum_of_quarter_hours(
        calendar in any_calendar(), anchor in any_anchor(), at in years(),
        near in any_nearness(), word in 0usize..9,
    ) {
        let words = ["1d", "3d", "7d", "10d", "30d", "1mo", "quarterly", "2w", "1y"];
        let at = near_a_change(&calendar, at, near);
        let span = Period::parse(words[word]).expect("a period").span(&calendar, anchor, at);
        prop_assert_eq!(span.quarter_hours(), QuarterHours::Aligned(span));
    }

    #[test]
    fn a_span_is_as_long_as_its_word_says(
        calendar in any_calendar(), anchor in any_anchor(), at in years(),
        near in any_nearness(), word in 0usize..7,
    ) {
        // In hours; a day more or less where clocks change by as much.
        let (word, least, most) = [
            ("1d", 24, 24), ("10d", 240, 240), ("7d", 168, 168), ("2w", 336, 336),
            ("1mo", 28 * 24, 31 * 24), ("quarterly", 89 * 24, 92 * 24), ("1y", 365 * 24, 366 * 24),
        ][word];
        let at = near_a_change(&calendar, at, near);
        let span = Period::parse(word).expect("a period").span(&calendar, anchor, at);
        let hours = span.end.since(span.start).as_secs() / 3600;
        prop_assert!((least - 24..=most + 24).contains(&hours), "{word} of {hours} hours");
    }

    #[test]
    fn fixed_lengths_are_exact(
        calendar in any_calendar(), anchor in any_anchor(), at in years(), hours in 1u64..1000,
    ) {
        let period = Period::parse(&format!("{hours}h")).expect("a period");
        let span = period.span(&calendar, anchor, at);
        prop_assert_eq!(span.end.since(span.start).as_secs(), hours * 3600);
    }

    #[test]
    fn an_anniversary_begins_with_the_day_of_creation(
        calendar in any_calendar(), period in any_period(), created in years(),
        near in any_nearness(),
    ) {
        let created = near_a_change(&calendar, created, near);
        let first = period.span(&calendar, Anchor::Anniversary(created), created);
        // Hours and less begin with the quarter-hour of creation, or go on from it.
        let word = period.to_string();
        let elapsed = word.ends_with(['s', 'm', 'h']) || word == "hourly";
        if elapsed {
            prop_assert!(first.start >= created.quarter_hour());
        } else {
            let day = Period::parse("1d").expect("a period");
            let today = day.span(&calendar, Anchor::Calendar, created);
            prop_assert_eq!(first.start, today.start);
        }
    }

    #[test]
    fn any_instant_has_a_span(
        calendar in any_calendar(), period in any_period(), anchor in any_anchor(),
        at in prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)],
    ) {
        let at = Timestamp::from_micros(at);
        let span = period.span(&calendar, anchor, at);
        prop_assert!(span.start <= at && (at < span.end || at.micros() == i64::MAX));
        prop_assert_eq!(period.span(&calendar, anchor, span.start), span);
    }

    #[test]
    fn spans_follow_each_other_over_the_edges_of_the_calendar(
        calendar in any_calendar(), period in any_period(), anchor in any_anchor(),
        near in -10_000_000_000_000i64..10_000_000_000_000, late in any::<bool>(),
    ) {
        let edge = if late { "9800-01-01T00:00:00Z" } else { "1980-01-01T00:00:00Z" };
        let at = shifted(Timestamp::parse(edge).expect("an instant"), near);
        let now = period.span(&calendar, anchor, at);
        prop_assert!(now.start < now.end && now.contains(at));
        if now.end.micros() < i64::MAX {
            prop_assert_eq!(period.span(&calendar, anchor, now.end).start, now.end);
        }
        if now.start.micros() > i64::MIN {
            prop_assert_eq!(period.span(&calendar, anchor, shifted(now.start, -1)).end, now.start);
        }
    }
}
