//! This program, running once more to write a ledger as fast as it can be written.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tollgate_domain::{Clock as _, Entry, Level, Money, Timestamp};
use tollgate_store::{Db, Ledger, LedgerOptions, LedgerSlot};

use crate::charged::{Callers, Population};
use crate::clock::{self, SystemClock};
use crate::gauge::Cpu;

/// Who calls while the writer is measured.
const POPULATION: Population = Population {
    organizations: 4,
    teams: 20,
    users: 200,
    keys: 1_000,
    customers: 500,
    tags: 20,
    models: 8,
    providers: 3,
};
/// Calls in flight: what a gateway takes on when nobody says otherwise.
const CALLS_IN_FLIGHT: usize = 10_000;
/// Longest wait for a place in the ledger's queue.
const PLACE_WAIT_MAX: Duration = Duration::from_secs(30);

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) entries: u64,
    /// From the first call to the last entry being in the database.
    pub(crate) seconds: f64,
    /// Processor time of all threads meanwhile, that of making the calls included.
    pub(crate) cpu_seconds: f64,
}

/// Writes the openings and entries of so many calls to a new SQLite file. Each call stays open
/// while `open` others begin, so that its opening is written too unless that is 0.
///
/// # Errors
/// When the database fails, or does not hold exactly what was recorded.
pub(crate) async fn write(file: &Path, entries: u64, open: usize) -> anyhow::Result<Written> {
    let callers = Callers::new(POPULATION)?;
    let db = Db::open(&file.display().to_string()).await?;
    db.migrate().await?;
    let clock = SystemClock::start();
    let (ledger, writing) = start(&db);
    let (began, before) = (clock::now(), Cpu::of(std::process::id())?);
    let first = clock.now();
    let cost = record(&ledger, &callers, (entries, open), |_| clock.now()).await?;
    ledger.flush().await;
    let cpu = Cpu::of(std::process::id())?.since(&before);
    let seconds = began.elapsed().as_secs_f64();
    ledger.stop();
    writing.await.context("the writer of the ledger ended")?;
    must_hold(&db, first, (entries, cost)).await?;
    db.close().await;
    Ok(Written { entries, seconds, cpu_seconds: cpu.as_secs_f64() })
}

/// Writes so many calls that were admitted when `at` says.
///
/// # Errors
/// When the database fails, or does not hold exactly what was recorded.
pub(crate) async fn record_at(
    db: &Db,
    population: Population,
    entries: u64,
    at: impl Fn(u64) -> Timestamp,
) -> anyhow::Result<()> {
    let (ledger, writing) = start(db);
    let callers = Callers::new(population)?;
    let cost = record(&ledger, &callers, (entries, 0), &at).await?;
    ledger.stop();
    writing.await.context("the writer of the ledger ended")?;
    must_hold(db, at(0), (entries, cost)).await
}

/// Starts the ledger of a gateway.
fn start(db: &Db) -> (Ledger, JoinHandle<()>) {
    let clock = Arc::new(SystemClock::start());
    let options = LedgerOptions::for_calls_in_flight(CALLS_IN_FLIGHT);
    let (ledger, task) = Ledger::start(db.clone(), options, clock);
    (ledger, tokio::spawn(task.run()))
}

/// Opens and closes the calls, and gives what they cost together.
async fn record(
    ledger: &Ledger,
    callers: &Callers,
    (entries, open): (u64, usize),
    at: impl Fn(u64) -> Timestamp,
) -> anyhow::Result<Money> {
    let mut under_way: VecDeque<(LedgerSlot, Entry)> = VecDeque::with_capacity(open + 1);
    let mut cost = Money::ZERO;
    for number in 0..entries {
        let (opening, entry) = callers.call(number, at(number))?;
        let mut slot = match ledger.reserve() {
            Some(slot) => slot,
            None => ledger.reserve_within(PLACE_WAIT_MAX).await.context("the ledger is stuck")?,
        };
        cost = cost.saturating_add(entry.cost.unwrap_or(Money::ZERO));
        slot.open(opening);
        under_way.push_back((slot, entry));
        if under_way.len() > open
            && let Some((slot, entry)) = under_way.pop_front()
        {
            slot.close(&entry);
        }
        // The writer shares this thread, as it does in a gateway on one core.
        if number % TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
    under_way.into_iter().for_each(|(slot, entry)| slot.close(&entry));
    Ok(cost)
}

/// Speed that books nothing is worth nothing.
async fn must_hold(db: &Db, first: Timestamp, (entries, cost): (u64, Money)) -> anyhow::Result<()> {
    let span = first.quarter_hour()..Timestamp::from_micros(i64::MAX);
    let booked = db.spend(Level::All, "", span).await?;
    ensure!(
        u64::try_from(booked.entries) == Ok(entries) && booked.cost == cost,
        "the ledger holds {} entries of ${} in place of {entries} of ${cost}",
        booked.entries,
        booked.cost
    );
    Ok(())
}

/// Calls that begin before others get their turn.
const TURN: u64 = 16;
