//! Pages of the ledger's entries.

use std::time::Duration;

use tollgate_domain::{Entry, ModelName, Outcome, PriceSheetId, Timestamp};
use tollgate_store::{EntryFilter, EntryPage, LOG_DEPTH_MAX, LOG_ROWS_MAX, LogPage, Logged};

use crate::world::{NOW, World, attribution, call, entry, nanos, on_both, quick, record};

const EVERYTHING: EntryFilter = EntryFilter {
    span: Timestamp::from_micros(i64::MIN)..Timestamp::from_micros(i64::MAX),
    call_id: None,
    key_id: None,
    user_id: None,
    team_id: None,
    customer_id: None,
    model_group: None,
    failed: None,
    deployment_id: None,
    cost_min: None,
    cost_max: None,
};

const FIRST: LogPage = LogPage { before: None, skip: 0, rows: 3 };

async fn log(world: &World, wanted: &EntryFilter, page: &LogPage) -> Logged {
    world.db.log(wanted, page).await.expect("a page")
}

/// The numbers of the calls on a page.
fn numbers(logged: &Logged) -> Vec<u128> {
    let number = |id: &String| (1..=20).find(|number| call(*number).to_string() == *id);
    let ids = logged.entries.iter().map(|line| &line.entry.row.call_id);
    ids.filter_map(number).collect()
}

/// Seven calls, the last three of them at one instant.
async fn fill(world: &World) {
    let (ledger, _task) = world.ledger(quick());
    let at = |number: u128| Entry {
        admitted_at: NOW.plus(Duration::from_secs(u64::try_from(number.min(5)).expect("few"))),
        ..entry(number)
    };
    let other = Entry {
        attribution: attribution("key-2"),
        model_group: ModelName::new("o1").expect("a name"),
        outcome: Outcome::Failed,
        ..at(2)
    };
    record(&ledger, [at(1), other, at(3), at(4), at(5), at(6), at(7)]);
    ledger.flush().await;
}

#[test]
fn pages_give_every_entry_once_the_newest_first() {
    on_both(async |world| {
        fill(&world).await;
        let (mut counted, mut followed) = (Vec::new(), Vec::new());
        let mut before = None;
        for skip in [0, 3, 6, 9] {
            let page = log(&world, &EVERYTHING, &LogPage { skip, ..FIRST }).await;
            assert_eq!(page.total, 7);
            counted.extend(numbers(&page));
            let page = log(&world, &EVERYTHING, &LogPage { before, ..FIRST }).await;
            assert_eq!(page.total, 7, "also those that the cursor has passed");
            followed.extend(numbers(&page));
            let last = page.entries.last().map(|line| &line.entry.row);
            before = last.map(|row| (row.admitted_at, row.call_id.clone()));
            before = before.or(Some((i64::MIN, String::new())));
        }
        assert_eq!(counted, [7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(followed, counted);
    });
}

#[test]
fn a_filter_gives_only_what_it_names() {
    on_both(async |world| {
        fill(&world).await;
        let text = |text: &str| Some(text.to_owned());
        let cases = [
            (EntryFilter { key_id: text("key-2"), ..EVERYTHING }, vec![2]),
            (EntryFilter { model_group: text("o1"), ..EVERYTHING }, vec![2]),
            (EntryFilter { failed: Some(true), ..EVERYTHING }, vec![2]),
            (EntryFilter { failed: Some(false), ..EVERYTHING }, vec![7, 6, 5]),
            (EntryFilter { deployment_id: text("gpt-4o/1"), ..EVERYTHING }, vec![7, 6, 5]),
            (EntryFilter { deployment_id: text("gpt-4o/2"), ..EVERYTHING }, vec![]),
            (EntryFilter { cost_min: Some(nanos(250)), ..EVERYTHING }, vec![7, 6, 5]),
            (EntryFilter { cost_min: Some(nanos(251)), ..EVERYTHING }, vec![]),
            (EntryFilter { cost_max: Some(nanos(250)), ..EVERYTHING }, vec![7, 6, 5]),
            (EntryFilter { cost_max: Some(nanos(249)), ..EVERYTHING }, vec![]),
            (EntryFilter { user_id: text("ada"), ..EVERYTHING }, vec![7, 6, 5]),
            (EntryFilter { team_id: text("engine"), ..EVERYTHING }, vec![7, 6, 5]),
            (EntryFilter { team_id: text("none"), ..EVERYTHING }, vec![]),
            (EntryFilter { customer_id: text("byron"), ..EVERYTHING }, vec![7, 6, 5]),
            (EntryFilter { call_id: Some(call(4).to_string()), ..EVERYTHING }, vec![4]),
            (
                EntryFilter {
                    call_id: Some(call(4).to_string()),
                    key_id: text("key-2"),
                    ..EVERYTHING
                },
                vec![],
            ),
            (
                EntryFilter {
                    span: NOW.plus(Duration::from_secs(2))..NOW.plus(Duration::from_secs(4)),
                    ..EVERYTHING
                },
                vec![3, 2],
            ),
        ];
        for (wanted, expected) in cases {
            let page = log(&world, &wanted, &FIRST).await;
            assert_eq!(numbers(&page), expected, "{wanted:?}");
        }
    });
}

#[test]
fn a_line_has_the_cost_as_it_was_corrected_and_what_was_recorded() {
    on_both(async |world| {
        fill(&world).await;
        let wanted = EntryPage::first(EVERYTHING.span, Some("o1".to_owned()));
        let entries = world.db.corrected_entries(&wanted).await.expect("entries");
        let sheet = PriceSheetId::new("sheet-2").expect("an id");
        let corrections: Vec<_> =
            entries.into_iter().filter_map(|it| it.corrected(nanos(40), sheet.clone())).collect();
        assert_eq!(world.db.correct(&corrections, NOW).await.expect("written"), 1);
        let failed = EntryFilter { failed: Some(true), ..EVERYTHING };
        let page = log(&world, &failed, &FIRST).await;
        let line = &page.entries[0];
        assert_eq!((line.entry.cost(), line.entry.row.cost()), (Some(nanos(40)), Some(nanos(250))));
        assert_eq!(line.key_hash, None, "no such key is kept");
        // What is asked by is the cost as it was corrected too.
        let cheap = EntryFilter { cost_max: Some(nanos(249)), ..EVERYTHING };
        assert_eq!(numbers(&log(&world, &cheap, &FIRST).await), [2]);
    });
}

#[test]
fn a_page_and_the_count_are_bounded() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, (1..=1_010).map(entry));
        ledger.flush().await;
        let page = LogPage { before: None, skip: usize::MAX, rows: usize::MAX };
        assert_eq!(log(&world, &EVERYTHING, &page).await.entries.len(), 0);
        let page = log(&world, &EVERYTHING, &LogPage { skip: 0, ..page }).await;
        assert_eq!((page.entries.len(), page.total), (LOG_ROWS_MAX, 1_010));
        world
            .execute(
                "INSERT INTO ledger_entries (call_id, admitted_at, settled_at, key_id, \
                 model_group, streamed, outcome, usage_source, attempts) \
                 SELECT a.call_id || b.call_id, 0, 0, '', '', 0, '', '', '[]' \
                 FROM ledger_entries a, \
                 (SELECT call_id FROM ledger_entries ORDER BY call_id LIMIT 10) b",
            )
            .await;
        assert_eq!(log(&world, &EVERYTHING, &FIRST).await.total, LOG_DEPTH_MAX + 1);
    });
}
