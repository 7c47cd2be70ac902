//! The ledger's life while the database answers.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tollgate_domain::{
    DeploymentId, Entry, Level, Outcome, PriceSheetId, ProviderName, Quantity, Usage, UsageKind,
    UsageSource,
};
use tollgate_store::{
    Db, Dispatched, EntryRow, Ledger, LedgerHealth, LedgerOptions, LedgerSlot, OutputSoFar,
};

use crate::world::{FixedClock, NOW, call, entry, nanos, on_both, opening, quick, record};

#[test]
fn a_call_is_open_until_it_has_its_entry() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let mut slot = ledger.reserve().expect("a place");
        slot.open(opening(1));
        ledger.flush().await;
        assert_eq!((world.count_openings().await, world.count_entries().await), (1, 0));
        slot.close(&entry(1));
        ledger.flush().await;
        assert_eq!((world.count_openings().await, world.count_entries().await), (0, 1));
        assert_eq!(ledger.health().failing_since, None);
    });
}

#[test]
fn every_fact_of_an_entry_reads_back() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let all_kinds =
            (1u64..).zip(UsageKind::ALL).fold(Usage::UNKNOWN, |usage, (milli, kind)| {
                usage.with(kind, Quantity::from_milli(milli))
            });
        let full = Entry { usage: all_kinds, ..entry(1) };
        let bare = Entry {
            first_byte_at: None,
            deployment: None,
            provider: None,
            upstream_model: None,
            streamed: false,
            outcome: Outcome::Failed,
            usage: Usage::UNKNOWN.with(UsageKind::Input, Quantity::ZERO),
            usage_source: UsageSource::Nothing,
            price_sheet: None,
            cost: None,
            attempts: Vec::new(),
            ..entry(2)
        };
        record(&ledger, [full.clone(), bare.clone()]);
        ledger.flush().await;
        for written in [full, bare] {
            let read = world.db.entry(written.call).await.expect("entries");
            assert_eq!(read, Some(EntryRow::from(&written)));
        }
        assert_eq!(world.db.entry(call(3)).await.expect("entries"), None);
    });
}

#[test]
fn an_attempt_is_recorded_with_its_reason() {
    let attempts = EntryRow::from(&entry(1)).attempts;
    let attempts: serde_json::Value = serde_json::from_str(&attempts).expect("JSON");
    let expected = serde_json::json!([{
        "deployment": "gpt-4o/1", "provider": "openai", "status": 429,
        "reason": "upstream_rate_limited", "elapsed_us": 120_000,
    }]);
    assert_eq!(attempts, expected);
}

#[test]
fn many_calls_at_once_lose_nothing() {
    on_both(async |world| {
        const CALLS: u128 = 3_000;
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, (0..CALLS).map(entry));
        ledger.flush().await;
        assert_eq!(world.count_entries().await, 3_000);
        let span = NOW..NOW.plus(Duration::from_secs(900));
        let spend = world.db.spend(Level::All, "", span).await.expect("spend");
        assert_eq!((spend.entries, spend.cost), (3_000, nanos(750_000)));
    });
}

#[test]
fn a_quantity_that_no_call_had_before_is_recorded_and_summed_too() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let usage = entry(2).usage.with(UsageKind::Searches, Quantity::whole(3));
        let rare = Entry { usage, ..entry(2) };
        for group in [vec![entry(1)], vec![rare.clone(), entry(3)], vec![entry(4)]] {
            record(&ledger, group);
            ledger.flush().await;
        }
        let span = NOW..NOW.plus(Duration::from_secs(900));
        let spend = world.db.spend(Level::Team, "engine", span).await.expect("spend");
        let sum = |kind: UsageKind| spend.usage_milli[kind as usize];
        let sums = [UsageKind::Input, UsageKind::Output, UsageKind::Searches].map(sum);
        assert_eq!(sums, [48_000, 10_000, 3_000]);
        for written in [rare, entry(4)] {
            let read = world.db.entry(written.call).await.expect("entries");
            assert_eq!(read, Some(EntryRow::from(&written)));
        }
    });
}

#[test]
fn a_call_has_one_entry_whoever_closes_it_again() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, [entry(1), Entry { cost: Some(nanos(9)), ..entry(1) }]);
        ledger.flush().await;
        record(&ledger, [Entry { cost: Some(nanos(9)), ..entry(1) }, entry(2)]);
        ledger.flush().await;
        assert_eq!((world.count_entries().await, world.count_openings().await), (2, 0));
        let spent = world.spent("key-1").await;
        assert_eq!(spent, nanos(500), "the first entry of call 1 stands");
    });
}

/// What a call's ticket does: it settles when it is dropped.
struct Ticket(Option<LedgerSlot>);

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.close(&Entry { outcome: Outcome::Disconnected, ..entry(1) });
        }
    }
}

#[test]
fn a_task_that_is_aborted_settles_its_call() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let mut slot = ledger.reserve().expect("a place");
        slot.open(opening(1));
        let ticket = Ticket(Some(slot));
        let call_task = tokio::spawn(async move {
            let _ticket = ticket;
            std::future::pending::<()>().await;
        });
        ledger.flush().await;
        call_task.abort();
        assert!(call_task.await.is_err());
        ledger.flush().await;
        let row = world.db.entry(call(1)).await.expect("entries").expect("an entry");
        assert_eq!(row.outcome, "disconnected");
    });
}

#[test]
fn a_slot_that_is_dropped_unsettled_becomes_an_interrupted_entry() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let mut slot = ledger.reserve().expect("a place");
        slot.open(opening(1));
        slot.progress(OutputSoFar { deltas: 3, bytes: 40, cost: Some(nanos(60)) });
        drop(slot);
        drop(ledger.reserve());
        ledger.flush().await;
        let row = world.db.entry(call(1)).await.expect("entries").expect("an entry");
        assert_eq!((row.outcome.as_str(), row.cost()), ("interrupted", Some(nanos(160))));
        assert_eq!((world.count_entries().await, world.count_openings().await), (1, 0));
    });
}

#[test]
fn the_queue_has_two_places_for_every_call_in_flight() {
    on_both(async |world| {
        let options = LedgerOptions::for_calls_in_flight(2);
        let (ledger, task) = Ledger::start(world.db.clone(), options, Arc::new(FixedClock));
        let first = ledger.reserve().expect("a place");
        let mut second = ledger.reserve().expect("a place");
        assert!(ledger.reserve().is_none(), "two calls are in flight");
        drop(first);
        let third = ledger.reserve().expect("the first gave its places back");
        second.open(opening(2));
        second.close(&entry(2));
        assert!(ledger.reserve().is_none(), "what is recorded and not yet taken up counts");
        let task = tokio::spawn(task.run());
        ledger.flush().await;
        assert!(ledger.reserve().is_some());
        drop((third, ledger));
        task.await.expect("the task ends when every handle is gone");
    });
}

#[test]
fn after_a_stop_no_call_is_taken_and_those_in_flight_still_settle() {
    on_both(async |world| {
        let (ledger, task) = world.ledger(quick());
        let mut slot = ledger.reserve().expect("a place");
        slot.open(opening(1));
        ledger.flush().await;
        ledger.stop();
        while ledger.reserve().is_some() {
            tokio::task::yield_now().await;
        }
        assert!(!task.is_finished());
        slot.close(&entry(1));
        task.await.expect("the task ends");
        assert_eq!((world.count_openings().await, world.count_entries().await), (0, 1));
        ledger.flush().await;
    });
}

#[test]
fn the_progress_of_an_open_call_is_written_while_it_runs() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let mut slot = ledger.reserve().expect("a place");
        slot.open(opening(1));
        ledger.flush().await;
        slot.dispatched(Dispatched {
            deployment: DeploymentId::new("gpt-4o/2").expect("an id"),
            provider: ProviderName::new("azure").expect("a name"),
            price_sheet: PriceSheetId::new("sheet-2").ok(),
        });
        slot.progress(OutputSoFar { deltas: 7, bytes: 90, cost: Some(nanos(70)) });
        let written = "SELECT COUNT(*) FROM open_calls WHERE output_deltas = 7 \
             AND output_bytes = 90 AND output_cost_nanos = 70 AND deployment_id = 'gpt-4o/2' \
             AND provider = 'azure' AND price_sheet_id = 'sheet-2' AND held_nanos = 1000 \
             AND input_milli = 10000";
        let seen = async { while world.number(written).await == 0 {} };
        tokio::time::timeout(Duration::from_secs(20), seen).await.expect("progress is written");
        slot.close(&entry(1));
        ledger.flush().await;
        assert_eq!(world.count_openings().await, 0);
    });
}

/// Counts how often a future is polled.
struct Counted<F> {
    future: Pin<Box<F>>,
    polls: Arc<AtomicU32>,
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.polls.fetch_add(1, Ordering::SeqCst);
        self.future.as_mut().poll(context)
    }
}

#[test]
fn a_ledger_with_nothing_to_do_does_not_wake() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime").block_on(async {
        let path = folder.path().join("tollgate.db").display().to_string();
        let db = Db::open(&path).await.expect("a database");
        db.migrate().await.expect("a schema");
        let (ledger, task) = Ledger::start(db, quick(), Arc::new(FixedClock));
        let polls = Arc::new(AtomicU32::new(0));
        tokio::spawn(Counted { future: Box::pin(task.run()), polls: Arc::clone(&polls) });
        record(&ledger, [entry(1)]);
        ledger.flush().await;
        tokio::task::yield_now().await;
        let before = polls.load(Ordering::SeqCst);
        tokio::time::pause();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(polls.load(Ordering::SeqCst), before, "an hour passed");
        assert_eq!(ledger.health().backlog, LedgerHealth::default().backlog);
    });
}
