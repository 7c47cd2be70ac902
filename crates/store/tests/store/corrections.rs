//! Costs that turned out to be others.

use std::time::Duration;

use tollgate_domain::{Entry, Level, ModelName, Money, PriceSheetId, Subject, Timestamp};
use tollgate_policy::Span;
use tollgate_store::{CorrectedEntry, Correction, EntryPage};

use crate::world::{NOW, World, attribution, entry, nanos, on_both, quick, record};

const EVER: std::ops::Range<Timestamp> =
    Timestamp::from_micros(i64::MIN)..Timestamp::from_micros(i64::MAX);

fn everything() -> EntryPage {
    EntryPage::first(EVER, None)
}

async fn first_page(world: &World) -> Vec<CorrectedEntry> {
    world.db.corrected_entries(&everything()).await.expect("entries")
}

fn corrected(entry: CorrectedEntry, cost: i64) -> Option<Correction> {
    entry.corrected(nanos(cost), PriceSheetId::new("sheet-2").expect("an id"))
}

async fn correct(world: &World, corrections: &[Correction]) -> usize {
    world.db.correct(corrections, NOW).await.expect("corrections")
}

/// Corrects every entry to one cost, page by page, for so many pages.
async fn correct_pages(world: &World, cost: i64, pages: usize) -> usize {
    let mut written = 0;
    let mut page = everything();
    for _ in 0..pages {
        let entries = world.db.corrected_entries(&page).await.expect("entries");
        let Some(last) = entries.last() else { break };
        page = page.after(last);
        let corrections: Vec<_> =
            entries.into_iter().filter_map(|entry| corrected(entry, cost)).collect();
        written += correct(world, &corrections).await;
    }
    written
}

/// Every sum that is kept is the sum of the entries and of their corrections.
async fn must_balance(world: &World) {
    let kept = "SELECT CAST(SUM(cost_nanos) AS BIGINT) FROM spend_quarter_hours WHERE kind = 'all'";
    let entries = "SELECT CAST(COALESCE(SUM(cost_nanos), 0) AS BIGINT) FROM ledger_entries";
    let more = "SELECT CAST(COALESCE(SUM(cost_nanos), 0) AS BIGINT) FROM ledger_corrections";
    assert_eq!(world.number(kept).await, world.number(entries).await + world.number(more).await);
}

#[test]
fn a_correction_reaches_every_sum_and_leaves_the_entry_as_it_is() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let other = Entry { attribution: attribution("key-2"), ..entry(3) };
        record(&ledger, [entry(1), Entry { cost: None, ..entry(2) }, other]);
        ledger.flush().await;
        let costs = [300, 40, 250];
        let entries = first_page(&world).await;
        let corrections: Vec<Correction> = entries
            .into_iter()
            .zip(costs)
            .filter_map(|(entry, cost)| corrected(entry, cost))
            .collect();
        let differences: Vec<Money> = corrections.iter().map(Correction::difference).collect();
        assert_eq!(differences, [nanos(50), nanos(40)]);
        assert_eq!(correct(&world, &corrections).await, 2);

        must_balance(&world).await;
        for (level, subject, cost) in [
            (Level::All, "", 590),
            (Level::Key, "key-1", 340),
            (Level::Key, "key-2", 250),
            (Level::Team, "engine", 590),
            (Level::Tag, "blue", 590),
            (Level::ModelGroup, "gpt-4o", 590),
            (Level::Provider, "openai", 590),
        ] {
            let spend = world.db.spend(level, subject, EVER).await.expect("spend");
            assert_eq!((spend.cost, spend.unpriced), (nanos(cost), 0), "{subject}");
        }
        let part = Subject::new(Level::Key, "key-1");
        let ever = Span { start: Timestamp::EPOCH, end: EVER.end };
        let spent = world.db.spent(&part, Some("gpt-4o"), ever).await.expect("spend");
        assert_eq!(spent, nanos(340));

        let after = first_page(&world).await;
        let stored: Vec<_> = after.iter().map(|entry| entry.row.cost_nanos).collect();
        assert_eq!(stored, [Some(250), None, Some(250)]);
        assert_eq!(
            after.iter().map(CorrectedEntry::cost).collect::<Vec<_>>(),
            costs.map(|cost| Some(nanos(cost)))
        );
    });
}

#[test]
fn a_window_within_a_quarter_hour_counts_entries_as_they_were_corrected() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let later = Entry { admitted_at: NOW.plus(Duration::from_secs(300)), ..entry(2) };
        record(&ledger, [entry(1), later]);
        ledger.flush().await;
        assert_eq!(correct_pages(&world, 1_000, 1).await, 2);
        assert_eq!(correct_pages(&world, 100, 1).await, 2);
        let key = Subject::new(Level::Key, "key-1");
        for (from, to, spent) in [(0, 1, 100), (1, 301, 100), (0, 301, 200), (1, 300, 0)] {
            let at = |seconds| NOW.plus(Duration::from_secs(seconds));
            let span = Span { start: at(from), end: at(to) };
            let found = world.db.spent(&key, None, span).await.expect("spend");
            assert_eq!(found, nanos(spent), "from {from} to {to}");
        }
    });
}

#[test]
fn correcting_twice_is_correcting_once() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, [entry(1), Entry { cost: None, ..entry(2) }]);
        ledger.flush().await;
        let corrections: Vec<_> =
            first_page(&world).await.into_iter().filter_map(|entry| corrected(entry, 0)).collect();
        // From the same knowledge, as two programs at once would, and then from what is known now.
        assert_eq!(correct(&world, &corrections).await, 2);
        assert_eq!(correct(&world, &corrections).await, 0);
        assert_eq!(correct_pages(&world, 0, 9).await, 0);
        let spend = world.db.spend(Level::Key, "key-1", EVER).await.expect("spend");
        assert_eq!((spend.entries, spend.cost, spend.unpriced), (2, nanos(0), 0));
        must_balance(&world).await;
        // Back to a price that was corrected away: a correction like any other.
        assert_eq!(correct_pages(&world, 250, 9).await, 2);
        assert_eq!(world.spent("key-1").await, nanos(500));
        must_balance(&world).await;
    });
}

#[test]
fn a_run_that_ended_between_two_pages_is_completed_by_the_next_one() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, (1..=1_100).map(entry));
        ledger.flush().await;
        assert_eq!(correct_pages(&world, 300, 1).await, 512);
        must_balance(&world).await;
        assert_eq!(correct_pages(&world, 300, 9).await, 588);
        assert_eq!(world.spent("key-1").await, nanos(1_100 * 300));
        must_balance(&world).await;
    });
}

#[test]
fn a_page_has_the_entries_of_its_span_and_model_only() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let minute = Duration::from_secs(60);
        let other = Entry { model_group: ModelName::new("o1").expect("a name"), ..entry(3) };
        record(
            &ledger,
            [
                entry(1),
                Entry { admitted_at: NOW.plus(minute), ..entry(2) },
                other,
                Entry { admitted_at: NOW.plus(minute * 2), ..entry(4) },
            ],
        );
        ledger.flush().await;
        let span = NOW..NOW.plus(minute * 2);
        for (model, count) in [(None, 3), (Some("gpt-4o"), 2), (Some("o1"), 1), (Some("o"), 0)] {
            let page = EntryPage::first(span.clone(), model.map(str::to_owned));
            let entries = world.db.corrected_entries(&page).await.expect("entries");
            assert_eq!(entries.len(), count, "{model:?}");
        }
    });
}
