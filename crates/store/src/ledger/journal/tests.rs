//! Files that come and go with what they hold.

use std::sync::Arc;

use tempfile::TempDir;
use tollgate_domain::{Attribution, CallId, KeyId, ModelName, OpenEntry, Quantity, Timestamp};

use super::*;

const NOW: Timestamp = Timestamp::from_micros(9);

fn opening(number: u128, model: &str) -> OpenEntry {
    let attribution = Arc::new(Attribution::to_key(KeyId::master()));
    OpenEntry {
        call: CallId::from_uuid(uuid::Uuid::from_u128(number)),
        admitted_at: Timestamp::EPOCH,
        attribution,
        model_group: ModelName::new(model).expect("a name"),
        streamed: false,
        held: None,
        input_estimate: Quantity::whole(3),
        input_cost: None,
        price_sheet: None,
    }
}

fn row(number: u128, model: &str) -> OpenRow {
    OpenRow::new(&opening(number, model), &Reading::BEGINNING)
}

fn journal(folder: &TempDir) -> Journal {
    Journal::new(Some(Spool::in_folder(folder.path())))
}

fn record(journal: &Journal, opening: OpenEntry) {
    let message = Message::Open(Box::new(opening), Arc::default());
    journal.record(message, drop);
}

/// The sizes of the files, in the order of their names.
fn sizes(folder: &TempDir) -> Vec<u64> {
    let mut files: Vec<_> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|item| item.expect("a file").path())
        .collect();
    files.sort();
    files.iter().map(|path| path.metadata().expect("a file").len()).collect()
}

fn openings(folder: &TempDir) -> Vec<OpenRow> {
    let files = Spool::in_folder(folder.path()).abandoned().expect("files");
    files.into_iter().flat_map(|file| file.openings).collect()
}

#[test]
fn what_is_in_the_database_is_no_longer_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = journal(&folder);
    assert_eq!(sizes(&folder), [] as [u64; 0], "nothing is made for nothing");
    record(&journal, opening(1, "m"));
    record(&journal, opening(2, "m"));
    let full = sizes(&folder);
    journal.durable(1, NOW, true, Vec::new);
    assert_eq!(sizes(&folder), full, "the second is not there yet");
    journal.durable(2, NOW, true, Vec::new);
    assert_eq!(sizes(&folder), [0]);
    record(&journal, opening(3, "m"));
    assert_eq!(sizes(&folder), [full[0] / 2], "the file is written from its beginning again");
    journal.remove();
    assert_eq!(sizes(&folder), [] as [u64; 0]);
}

#[test]
fn files_of_the_living_are_left_alone_and_those_of_the_dead_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (journal(&folder), journal(&folder));
    record(&one, opening(1, "m"));
    record(&two, opening(2, "m"));
    assert_eq!(openings(&folder), []);
    drop(one);
    assert_eq!(openings(&folder), [row(1, "m")]);
}

#[test]
fn a_large_file_is_followed_by_another_and_goes_when_its_last_line_is_in_the_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = journal(&folder);
    let long = opening(1, &"m".repeat(200));
    let mut lines = 0;
    while sizes(&folder).len() < 2 {
        (0..1_000).for_each(|_| record(&journal, long.clone()));
        lines += 1_000;
    }
    let before = journal.written().full.front().map(|(_, last)| *last).expect("a full file");
    assert!((1..lines).contains(&before));
    journal.durable(before - 1, NOW, true, Vec::new);
    assert_eq!(sizes(&folder).len(), 2);
    journal.durable(before, NOW, true, Vec::new);
    assert_eq!(sizes(&folder).len(), 1);
    drop(journal);
    assert_eq!(openings(&folder).len() as u64, lines - before);
}

#[test]
fn a_call_that_stays_open_is_told_of_in_every_later_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = journal(&folder);
    let open = || vec![row(1, "m")];
    record(&journal, opening(1, "m"));
    record(&journal, opening(2, "m"));
    journal.durable(2, NOW, false, open);
    let hour = NOW.plus(FILE_AGE_MAX);
    journal.durable(2, Timestamp::from_micros(hour.micros() - 1), false, open);
    record(&journal, opening(3, "m"));
    journal.durable(3, hour, false, open);
    assert_eq!(sizes(&folder).len(), 1);
    drop(journal);
    assert_eq!(openings(&folder), [row(1, "m")]);
}

#[test]
fn a_file_that_cannot_be_written_does_not_keep_a_message_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let gone = folder.path().join("gone");
    let journal = Journal::new(Some(Spool::in_folder(&gone)));
    record(&journal, opening(1, "m"));
    assert_eq!((journal.sent(), journal.broken()), (1, Some(io::ErrorKind::NotFound)));
    fs::create_dir(&gone).expect("a folder");
    record(&journal, opening(2, "m"));
    assert_eq!((journal.sent(), journal.broken()), (2, None));
}
