//! Spans as quarter-hours: the cases, and that the parts are the span.

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

fn span(start: &str, end: &str) -> Span {
    Span { start: at(start), end: at(end) }
}

#[test]
fn a_local_month_is_a_sum_of_quarter_hours() {
    // May in Kathmandu, which is 5:45 ahead.
    let may = span("2026-04-30T18:15:00Z", "2026-05-31T18:15:00Z");
    assert_eq!(may.quarter_hours(), QuarterHours::Aligned(may));
}

#[test]
fn what_is_left_at_the_edges_is_named() {
    let ragged = span("2026-05-02T10:07:00Z", "2026-05-02T11:07:30Z");
    let expected = QuarterHours::Unaligned {
        head: Some(span("2026-05-02T10:07:00Z", "2026-05-02T10:15:00Z")),
        whole: Some(span("2026-05-02T10:15:00Z", "2026-05-02T11:00:00Z")),
        tail: Some(span("2026-05-02T11:00:00Z", "2026-05-02T11:07:30Z")),
    };
    assert_eq!(ragged.quarter_hours(), expected);
}

#[test]
fn a_span_within_a_quarter_hour_is_a_head_alone() {
    for short in [
        span("2026-05-02T10:01:00Z", "2026-05-02T10:01:30Z"),
        span("2026-05-02T10:01:00Z", "2026-05-02T10:14:59Z"),
    ] {
        let expected = QuarterHours::Unaligned { head: Some(short), whole: None, tail: None };
        assert_eq!(short.quarter_hours(), expected);
    }
}

#[test]
fn a_span_over_one_quarter_has_a_head_and_a_tail() {
    let over = span("2026-05-02T10:14:00Z", "2026-05-02T10:16:00Z");
    let expected = QuarterHours::Unaligned {
        head: Some(span("2026-05-02T10:14:00Z", "2026-05-02T10:15:00Z")),
        whole: None,
        tail: Some(span("2026-05-02T10:15:00Z", "2026-05-02T10:16:00Z")),
    };
    assert_eq!(over.quarter_hours(), expected);
    let begins = span("2026-05-02T10:15:00Z", "2026-05-02T10:16:00Z");
    let expected = QuarterHours::Unaligned { head: None, whole: None, tail: Some(begins) };
    assert_eq!(begins.quarter_hours(), expected);
}

#[test]
fn all_of_time_is_aligned() {
    let (first, last) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
    let all = Span { start: first, end: last };
    assert_eq!(all.quarter_hours(), QuarterHours::Aligned(all));
    let before = Span { start: first, end: Timestamp::EPOCH };
    assert_eq!(before.quarter_hours(), QuarterHours::Aligned(before));
}

/// The parts of a span in their order, and the part that consists of quarter-hours.
fn parts(span: Span) -> (Vec<Span>, Option<Span>) {
    match span.quarter_hours() {
        QuarterHours::Aligned(whole) => (vec![whole], Some(whole)),
        QuarterHours::Unaligned { head, whole, tail } => {
            ([head, whole, tail].into_iter().flatten().collect(), whole)
        }
    }
}

fn any_instant() -> impl Strategy<Value = i64> {
    // Near a quarter as often as anywhere, the ends of time included.
    prop_oneof![
        any::<i64>(),
        (-2_000_000i64..2_000_000, -1i64..=1).prop_map(|(n, off)| n * 900_000_000 + off),
        Just(i64::MIN),
        Just(i64::MAX),
        (0i64..2_000_000_000).prop_map(|near| i64::MIN + near),
        (0i64..2_000_000_000).prop_map(|near| i64::MAX - near),
    ]
}

proptest! {
    #[test]
    fn the_parts_are_the_span(one in any_instant(), other in any_instant()) {
        prop_assume!(one != other);
        let (start, end) = (one.min(other), one.max(other));
        let span =
            Span { start: Timestamp::from_micros(start), end: Timestamp::from_micros(end) };
        let (parts, whole) = parts(span);
        prop_assert_eq!(parts.first().map(|part| part.start), Some(span.start));
        prop_assert_eq!(parts.last().map(|part| part.end), Some(span.end));
        prop_assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
        for part in parts {
            prop_assert!(part.start < part.end);
            let long = part.end.since(part.start).as_secs() >= 900;
            prop_assert!(!long || whole == Some(part), "a long part is whole quarters");
        }
        let quarter = |at: Timestamp| {
            matches!(at.micros(), i64::MIN | i64::MAX) || at.micros() % 900_000_000 == 0
        };
        prop_assert!(whole.is_none_or(|whole| quarter(whole.start) && quarter(whole.end)));
    }
}
