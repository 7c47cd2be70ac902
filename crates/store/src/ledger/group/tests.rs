//! The writer's state without a database.

use std::sync::Arc;

use tollgate_domain::{
    Attribution, CallId, Entry, KeyId, ModelName, Money, OpenEntry, Outcome, Quantity, Timestamp,
    Usage, UsageSource,
};

use super::super::slot::{Message, Progress};
use super::Group;

const NOW: Timestamp = Timestamp::from_micros(9);

fn call(number: u128) -> CallId {
    CallId::from_uuid(uuid::Uuid::from_u128(number))
}

fn attribution() -> Arc<Attribution> {
    let key = KeyId::master();
    Arc::new(Attribution::to_key(key))
}

fn opening(number: u128) -> (Message, Arc<Progress>) {
    let progress = Arc::<Progress>::default();
    let entry = OpenEntry {
        call: call(number),
        admitted_at: Timestamp::EPOCH,
        attribution: attribution(),
        model_group: ModelName::new("m").expect("a name"),
        streamed: true,
        held: None,
        input_estimate: Quantity::whole(3),
        input_cost: Some(Money::from_nanos(30)),
        price_sheet: None,
    };
    (Message::Open(Box::new(entry), Arc::clone(&progress)), progress)
}

fn closing(number: u128) -> Message {
    let entry = Entry {
        call: call(number),
        admitted_at: Timestamp::EPOCH,
        settled_at: NOW,
        first_byte_at: None,
        attribution: attribution(),
        model_group: ModelName::new("m").expect("a name"),
        deployment: None,
        provider: None,
        upstream_model: None,
        streamed: true,
        outcome: Outcome::Completed,
        usage: Usage::UNKNOWN,
        usage_source: UsageSource::Nothing,
        price_sheet: None,
        cost: Some(Money::ZERO),
        attempts: Vec::new(),
    };
    Message::Close(entry.call, Box::new((&entry).into()))
}

/// What one transaction would write: entries, ended openings, openings.
fn staged(group: &mut Group) -> (usize, usize, usize) {
    let staged = group.stage(100);
    let batch = group.batch(&staged);
    (batch.entries.len(), batch.ended.len(), batch.openings.len())
}

fn write(group: &mut Group) -> (usize, usize, usize) {
    let counts = staged(group);
    let staged = group.stage(100);
    group.confirm(staged);
    counts
}

#[test]
fn a_call_that_ends_before_it_was_written_leaves_only_its_entry() {
    let mut group = Group::default();
    group.absorb(opening(1).0, NOW);
    group.absorb(closing(1), NOW);
    assert_eq!(write(&mut group), (1, 0, 0));
    assert_eq!((group.backlog(), group.has_live_calls()), (0, false));
}

#[test]
fn an_entry_ends_the_opening_that_was_written() {
    let mut group = Group::default();
    group.absorb(opening(1).0, NOW);
    assert_eq!(write(&mut group), (0, 0, 1));
    group.absorb(closing(1), NOW);
    assert_eq!(write(&mut group), (1, 1, 0));
}

#[test]
fn an_opening_whose_writing_failed_is_ended_too_since_it_may_be_there() {
    let mut group = Group::default();
    group.absorb(opening(1).0, NOW);
    assert_eq!(staged(&mut group), (0, 0, 1));
    group.absorb(closing(1), NOW);
    assert_eq!(write(&mut group), (1, 1, 0));
}

#[test]
fn what_was_not_confirmed_is_staged_again() {
    let mut group = Group::default();
    group.absorb(opening(1).0, NOW);
    group.absorb(closing(2), NOW);
    assert_eq!(staged(&mut group), (1, 0, 1));
    assert_eq!(staged(&mut group), (1, 0, 1));
    assert_eq!(write(&mut group), (1, 0, 1));
    assert_eq!(staged(&mut group), (0, 0, 0));
}

#[test]
fn progress_is_written_only_when_it_changed() {
    let mut group = Group::default();
    let (message, progress) = opening(1);
    group.absorb(message, NOW);
    write(&mut group);
    group.note_progress();
    assert_eq!(group.backlog(), 0);
    progress.deltas.store(5, std::sync::atomic::Ordering::Relaxed);
    group.note_progress();
    group.note_progress();
    assert_eq!(write(&mut group), (0, 0, 1));
    group.note_progress();
    assert_eq!(group.backlog(), 0);
}

#[test]
fn an_abandoned_call_becomes_an_interrupted_entry_once() {
    let mut group = Group::default();
    group.absorb(opening(1).0, NOW);
    write(&mut group);
    group.absorb(Message::Abandon(call(1)), NOW);
    group.absorb(Message::Abandon(call(1)), NOW);
    assert_eq!(staged(&mut group), (1, 1, 0));
    let entries = group.into_entries();
    assert_eq!(entries[0].outcome, "interrupted");
    assert_eq!((entries[0].settled_at, entries[0].cost_nanos), (9, Some(30)));
}

#[test]
fn one_transaction_takes_a_bounded_part() {
    let mut group = Group::default();
    for number in 0..10 {
        group.absorb(opening(number).0, NOW);
        group.absorb(closing(100 + number), NOW);
    }
    let staged = group.stage(4);
    let batch = group.batch(&staged);
    assert_eq!((batch.entries.len(), batch.openings.len()), (4, 4));
    group.confirm(staged);
    assert_eq!(group.backlog(), 12);
}
