//! Sums per quarter-hour.

use std::time::Duration;

use tollgate_domain::{Entry, Level, Outcome, Quantity, Subject, Timestamp, Usage, UsageKind};
use tollgate_policy::Span;
use tollgate_store::Spend;

use crate::world::{NOW, attribution, entry, nanos, on_both, quick, record};

const QUARTER: Duration = Duration::from_secs(900);
const EVER: std::ops::Range<Timestamp> =
    Timestamp::from_micros(i64::MIN)..Timestamp::from_micros(i64::MAX);
fn usage_milli(usage: &Usage) -> [i64; UsageKind::COUNT] {
    UsageKind::ALL.map(|kind| {
        usage.quantity(kind).map_or(0, |quantity| i64::try_from(quantity.milli()).expect("fits"))
    })
}

#[test]
fn an_entry_is_summed_under_everything_it_belongs_to() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let failed =
            Entry { outcome: Outcome::Failed, cost: None, usage: Usage::UNKNOWN, ..entry(2) };
        record(&ledger, [entry(1), failed]);
        ledger.flush().await;
        let usage_milli = usage_milli(&entry(1).usage);
        let both = Spend { entries: 2, failed: 1, unpriced: 1, cost: nanos(250), usage_milli };
        for (kind, subject) in [
            (Level::All, ""),
            (Level::Key, "key-1"),
            (Level::User, "ada"),
            (Level::Team, "engine"),
            (Level::Member, "engine\u{1f}ada"),
            (Level::Organization, "works"),
            (Level::Project, "loom"),
            (Level::Tag, "blue"),
            (Level::Customer, "byron"),
            (Level::ModelGroup, "gpt-4o"),
            (Level::Deployment, "gpt-4o/1"),
            (Level::Provider, "openai"),
        ] {
            let spend = world.db.spend(kind, subject, EVER).await.expect("spend");
            assert_eq!(spend, both, "{}", kind.as_str());
        }
        let part = |level, id| (Subject::new(level, id), Some("gpt-4o"));
        for (subject, model) in [part(Level::Key, "key-1"), part(Level::Tag, "blue")] {
            let span = Span { start: Timestamp::EPOCH, end: EVER.end };
            let spent = world.db.spent(&subject, model, span).await.expect("spend");
            assert_eq!(spent, nanos(250), "{subject:?}");
        }
        let absent = world.db.spend(Level::Key, "ada", EVER).await.expect("spend");
        assert_eq!(absent, Spend::default());
    });
}

#[test]
fn a_call_belongs_to_the_quarter_hour_of_its_admission_however_long_it_ran() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let last = Timestamp::from_micros(NOW.plus(QUARTER).micros() - 1);
        let admitted = [NOW, last, NOW.plus(QUARTER)];
        let at = |(number, admitted_at): (u128, Timestamp)| Entry {
            admitted_at,
            settled_at: NOW.plus(QUARTER * 9),
            ..entry(number)
        };
        record(&ledger, (1..).zip(admitted).map(at));
        ledger.flush().await;
        let count =
            async |span| world.db.spend(Level::Key, "key-1", span).await.expect("spend").entries;
        assert_eq!(NOW, NOW.quarter_hour());
        assert_eq!(count(NOW..NOW.plus(QUARTER)).await, 2);
        assert_eq!(count(NOW.plus(QUARTER)..NOW.plus(QUARTER * 2)).await, 1);
        assert_eq!(count(NOW..NOW).await, 0);
        assert_eq!(count(NOW.plus(QUARTER * 2)..NOW.plus(QUARTER * 10)).await, 0);
    });
}

#[test]
fn the_spend_of_a_key_is_the_sum_of_its_entries_over_all_time() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let later = Entry { admitted_at: NOW.plus(QUARTER * 100), ..entry(2) };
        let other = Entry { attribution: attribution("key-2"), cost: Some(nanos(7)), ..entry(3) };
        record(&ledger, [entry(1), later, other]);
        ledger.flush().await;
        for (key, spent) in [("key-1", 500), ("key-2", 7), ("key-3", 0)] {
            let spend = world.spent(key).await;
            assert_eq!(spend, nanos(spent), "{key}");
        }
    });
}

#[test]
fn a_sum_at_the_end_of_its_range_stays_there_and_does_not_stop_the_ledger() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let much = Usage::UNKNOWN.with(UsageKind::Input, Quantity::MAX);
        record(&ledger, [Entry { usage: much.clone(), cost: Some(nanos(i64::MAX)), ..entry(1) }]);
        ledger.flush().await;
        world.execute("UPDATE spend_quarter_hours SET input_milli = 9223372036854775807").await;
        record(&ledger, [Entry { usage: much, ..entry(2) }, entry(3)]);
        ledger.flush().await;
        assert_eq!(world.count_entries().await, 3);
        let spend = world.db.spend(Level::Key, "key-1", EVER).await.expect("spend");
        assert_eq!((spend.entries, spend.cost), (3, nanos(i64::MAX)));
        assert_eq!(spend.usage_milli[UsageKind::Input as usize], i64::MAX);
        assert_eq!(spend.usage_milli[UsageKind::Output as usize], 2_500);
    });
}

#[test]
fn a_window_that_begins_within_a_quarter_hour_counts_only_what_came_after() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let minute = Duration::from_secs(60);
        let at = |number: u128, minutes: u32| Entry {
            admitted_at: NOW.plus(minute * minutes),
            cost: Some(nanos(1 << number)),
            ..entry(number)
        };
        record(&ledger, [at(1, 0), at(2, 5), at(3, 16), at(4, 29), at(5, 31), at(6, 50)]);
        ledger.flush().await;
        let span = |from: u32, to: u32| Span {
            start: NOW.plus(minute * from),
            end: NOW.plus(minute * to),
        };
        let everyone = [
            Subject::new(Level::All, ""),
            Subject::new(Level::Key, "key-1"),
            Subject::new(Level::User, "ada"),
            Subject::new(Level::Team, "engine"),
            Subject::new(Level::Member, "engine\u{1f}ada"),
            Subject::new(Level::Organization, "works"),
            Subject::new(Level::Project, "loom"),
            Subject::new(Level::Customer, "byron"),
            Subject::new(Level::Tag, "100%_\\"),
            Subject::new(Level::ModelGroup, "gpt-4o"),
            Subject::new(Level::Deployment, "gpt-4o/1"),
            Subject::new(Level::Provider, "openai"),
        ];
        for subject in everyone {
            for (from, to, spent) in [(5, 31, 28), (1, 51, 124), (0, 15, 6), (17, 29, 0)] {
                let span = span(from, to);
                let found = world.db.spent(&subject, None, span).await.expect("spend");
                assert_eq!(found, nanos(spent), "{subject:?} from {from} to {to}");
            }
        }
        let tag = Subject::new(Level::Tag, "100_%\\");
        assert_eq!(world.db.spent(&tag, None, span(1, 6)).await.expect("spend"), nanos(0));
    });
}
