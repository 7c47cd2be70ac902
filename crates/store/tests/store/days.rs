//! Closed days: pages read their sums, which are those of their quarter-hours whatever happens.

use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::{Entry, Level, PriceSheetId, Subject, Timestamp};
use tollgate_policy::{Span, Zone};
use tollgate_store::{
    ClosedDays, Db, EntryPage, EntryRetention, ImportedSum, OutputSoFar, Spend, SumOf,
};

use crate::recovery::crash_with;
use crate::world::{
    FixedClock, ManualClock, NOW, World, attribution, entry, nanos, on_both, opening, quick, record,
};

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// How many days are summed.
const SUMMED: &str = "SELECT COUNT(*) FROM summed_days WHERE summed = 1";
/// How often anything happened to a day.
const TURNS: &str = "SELECT CAST(COALESCE(SUM(turn), 0) AS BIGINT) FROM summed_days";
/// Rows that no day has.
const LEFT: &str = "SELECT COUNT(*) FROM spend_days WHERE NOT EXISTS \
     (SELECT 1 FROM summed_days WHERE start_at = day_at AND end_at > start_at)";

/// So long before [`NOW`], which is 2026-05-02 10:00 in UTC.
pub(crate) fn ago(before: Duration) -> Timestamp {
    let before = i64::try_from(before.as_micros()).expect("short");
    Timestamp::from_micros(NOW.micros() - before)
}

/// A call of this key that was admitted so long before [`NOW`].
pub(crate) fn call_of(key: &str, number: u128, before: Duration) -> Entry {
    Entry { admitted_at: ago(before), attribution: attribution(key), ..entry(number) }
}

async fn write(world: &World, entries: impl IntoIterator<Item = Entry>) {
    let (ledger, _task) = world.ledger(quick());
    record(&ledger, entries);
    ledger.flush().await;
}

pub(crate) async fn sweep_of(db: &Db, zone: &str) -> usize {
    let zone = Zone::parse(zone).expect("a zone");
    let days = ClosedDays::new(db.clone(), Arc::new(FixedClock), HOUR, zone);
    days.sweep().await.expect("a sweep")
}

async fn sweep(world: &World, zone: &str) -> usize {
    sweep_of(&world.db, zone).await
}

/// The days of a zone around [`NOW`], then all of them as one span.
pub(crate) fn spans(zone: &str) -> Vec<Span> {
    let days = Zone::parse(zone).expect("a zone").days("2026-04-22", "2026-05-03").expect("days");
    let mut spans: Vec<Span> = days.into_iter().map(|day| day.span).collect();
    spans.push(Span { start: spans[0].start, end: spans[spans.len() - 1].end });
    spans
}

/// What pages say of these spans is the sum of their quarter-hours, for everyone that tests know.
pub(crate) async fn must_be_exact(db: &Db, spans: &[Span]) {
    let subjects = [
        Subject::new(Level::All, ""),
        Subject::new(Level::Key, "key-1"),
        Subject::new(Level::Key, "key-2"),
        Subject::new(Level::Team, "engine"),
    ];
    let found = db.spends(&subjects, spans).await.expect("sums");
    for (subject, sums) in subjects.iter().zip(found) {
        for (span, sum) in spans.iter().zip(sums) {
            let plain = db.spend(subject.level, &subject.id, span.range()).await.expect("a sum");
            assert_eq!(sum, plain, "{subject:?} over {span:?}");
        }
    }
}

async fn total(world: &World, spans: &[Span]) -> i64 {
    let all = Subject::new(Level::All, "");
    let usage = world.db.usage(&all, None, spans).await.expect("usage");
    let parts = usage.days.iter().flat_map(|day| &day.models);
    let models: i64 = parts.map(|(_, part)| part.cost.nanos()).sum();
    let total = usage.days.iter().map(|day| day.total.cost.nanos()).sum();
    assert_eq!(models, total, "the models make up the days");
    total
}

#[test]
fn a_page_takes_closed_days_from_their_sums_and_the_rest_from_quarter_hours() {
    on_both(async |world| {
        let calls = [HOUR, DAY, DAY, DAY * 3].into_iter().zip(1..);
        write(&world, calls.map(|(before, number)| call_of("key-1", number, before))).await;
        assert_eq!(sweep(&world, "UTC").await, 3, "the first call was three days ago");
        assert_eq!(sweep(&world, "UTC").await, 0, "once");
        must_be_exact(&world.db, &spans("UTC")).await;
        assert_eq!(total(&world, &spans("UTC")[..12]).await, 4 * 250);
        // Nobody does this; it shows what is read.
        world.execute("UPDATE spend_days SET cost_nanos = cost_nanos + 1000").await;
        let two_summed = 2 * 1_000;
        assert_eq!(total(&world, &spans("UTC")[..12]).await, 4 * 250 + two_summed);
        assert_eq!(total(&world, &spans("UTC")[12..]).await, 4 * 250 + two_summed);
        let found = world.db.spenders(Level::Key, spans("UTC")[12]).await.expect("spenders");
        assert_eq!(found.all[0].1.cost, nanos(4 * 250 + two_summed));
        assert_eq!(total(&world, &spans("Asia/Kathmandu")[..12]).await, 4 * 250);
    });
}

#[test]
fn a_day_is_closed_two_hours_after_its_end() {
    on_both(async |world| {
        write(&world, [call_of("key-1", 1, DAY)]).await;
        // In these zones the first of May ended an hour and 45 minutes ago, and two hours ago.
        let minutes = |behind| Zone::behind_utc(behind).expect("a zone");
        for (behind, closed) in [(8 * 60 + 15, 1), (8 * 60, 2)] {
            let clock = Arc::new(FixedClock);
            let days = ClosedDays::new(world.db.clone(), clock, HOUR, minutes(behind));
            assert_eq!(days.sweep().await.expect("a sweep"), closed - 1, "{behind}");
        }
    });
}

#[test]
fn whoever_writes_to_a_summed_day_takes_its_sums_back() {
    on_both(async |world| {
        let old = |number| call_of("key-1", number, DAY * 2);
        write(&world, [old(1), call_of("key-2", 2, DAY)]).await;
        assert_eq!(sweep(&world, "UTC").await, 2);
        let written = async |what: &str| {
            assert_eq!(world.number(SUMMED).await, 1, "{what}");
            must_be_exact(&world.db, &spans("UTC")).await;
            assert_eq!(sweep(&world, "UTC").await, 1, "{what}");
            must_be_exact(&world.db, &spans("UTC")).await;
        };
        write(&world, [old(3)]).await;
        written("an entry").await;
        let call = tollgate_domain::OpenEntry { admitted_at: ago(DAY * 2), ..opening(4) };
        crash_with(&world, vec![(call, OutputSoFar { deltas: 1, bytes: 9, cost: None })]).await;
        assert_eq!(world.recover(None, NOW).await.settled, 1);
        written("a call that was left open").await;
        let page = EntryPage::first(ago(DAY * 3)..ago(DAY + HOUR), None);
        let entries = world.db.corrected_entries(&page).await.expect("entries");
        let sheet = PriceSheetId::new("sheet-2").expect("an id");
        let corrected =
            |entry: tollgate_store::CorrectedEntry| entry.corrected(nanos(9_000), sheet.clone());
        let corrections: Vec<_> = entries.into_iter().filter_map(corrected).collect();
        assert_eq!(world.db.correct(&corrections, NOW).await.expect("corrections"), 3);
        written("corrections").await;
        let spend = Spend { entries: 3, cost: nanos(700), ..Spend::default() };
        let of = SumOf::Whole(Subject::new(Level::Team, "engine"));
        let sum = ImportedSum { of, at: ago(DAY * 2), spend };
        assert_eq!(world.db.import_sums(&[sum]).await.expect("sums"), 1);
        written("a sum of another gateway").await;
    });
}

#[test]
fn what_is_written_in_time_touches_no_day() {
    on_both(async |world| {
        write(&world, [call_of("key-1", 1, DAY)]).await;
        assert_eq!(sweep(&world, "UTC").await, 1);
        let turns = world.number(TURNS).await;
        write(&world, [call_of("key-1", 2, HOUR / 2), call_of("key-1", 3, Duration::ZERO)]).await;
        assert_eq!((world.number(SUMMED).await, world.number(TURNS).await), (1, turns));
        must_be_exact(&world.db, &spans("UTC")).await;
    });
}

#[test]
fn the_days_of_another_zone_go_as_those_of_the_new_one_come() {
    on_both(async |world| {
        let calls = (1..40).map(|number: u32| {
            call_of("key-1", number.into(), HOUR * 6 * number + HOUR / 4 * (number % 4))
        });
        write(&world, calls).await;
        // In Cairo the clocks went forward at the midnight before the 24th of April.
        for zone in ["UTC", "Asia/Kathmandu", "Africa/Cairo", "UTC"] {
            assert!(sweep(&world, zone).await >= 9, "{zone}");
            assert_eq!(world.number(LEFT).await, 0, "{zone}");
            for asked in ["UTC", "Asia/Kathmandu", "Africa/Cairo", "America/New_York"] {
                must_be_exact(&world.db, &spans(asked)).await;
            }
        }
        assert_eq!(sweep(&world, "UTC").await, 0);
    });
}

#[test]
fn a_day_that_begins_as_another_and_ends_otherwise_keeps_no_row_of_it() {
    on_both(async |world| {
        // The 24th of April is an hour shorter in Cairo than at the fixed offset it begins with.
        let at = |text| Timestamp::parse(text).expect("an instant");
        let first = at("2026-04-22T22:00:00Z");
        let entry = |number, at, key| Entry {
            admitted_at: at,
            attribution: attribution(key),
            ..entry(number)
        };
        let last_hour = entry(2, at("2026-04-24T21:30:00Z"), "key-2");
        write(&world, [entry(1, first, "key-1"), last_hour]).await;
        let fixed = Zone::behind_utc(-120).expect("a zone");
        let days = ClosedDays::new(world.db.clone(), Arc::new(FixedClock), HOUR, fixed);
        assert!(days.sweep().await.expect("a sweep") >= 8);
        let both = "SELECT COUNT(*) FROM spend_days WHERE kind = 'key'";
        assert_eq!(world.number(both).await, 2);
        assert!(sweep(&world, "Africa/Cairo").await >= 8);
        assert_eq!((world.number(both).await, world.number(LEFT).await), (2, 0));
        must_be_exact(&world.db, &spans("Africa/Cairo")).await;
    });
}

#[test]
fn days_that_a_clock_closed_too_early_are_opened_again() {
    on_both(async |world| {
        write(&world, [call_of("key-1", 1, DAY)]).await;
        let clock = ManualClock::default();
        clock.go_on(DAY * 5);
        let ahead = ClosedDays::new(world.db.clone(), Arc::new(clock), HOUR, Zone::utc());
        assert_eq!(ahead.sweep().await.expect("a sweep"), 6);
        assert_eq!(sweep(&world, "UTC").await, 0);
        assert_eq!(world.number(SUMMED).await, 1);
        write(&world, [call_of("key-1", 2, Duration::ZERO)]).await;
        must_be_exact(&world.db, &spans("UTC")).await;
    });
}

#[test]
fn sums_of_days_stay_when_entries_go_and_more_sums_than_are_made_at_once_are_made() {
    on_both(async |world| {
        let calls = (0..1_100).map(|number| {
            call_of(&format!("key-{number}"), number, DAY + HOUR * u32::from(number % 2 == 0))
        });
        write(&world, calls).await;
        assert_eq!(sweep(&world, "UTC").await, 1);
        let rows = "SELECT COUNT(*) FROM spend_days WHERE kind = 'key'";
        assert_eq!(world.number(rows).await, 1_100);
        let keep = Arc::new(|| Some(HOUR));
        let retention = EntryRetention::new(world.db.clone(), Arc::new(FixedClock), DAY, keep);
        assert_eq!(retention.sweep().await.expect("swept"), 1_100);
        assert_eq!((world.number(SUMMED).await, world.number(rows).await), (1, 1_100));
        must_be_exact(&world.db, &spans("UTC")).await;
        let found = world.db.spenders(Level::Key, spans("UTC")[12]).await.expect("spenders");
        assert_eq!(found.all.len(), 1_100);
        // Of another zone they all go.
        sweep(&world, "Asia/Kathmandu").await;
        assert_eq!((world.number(LEFT).await, world.number(rows).await), (0, 1_100));
    });
}
