//! Answers that are kept for later calls: whose they are, how long, how much of them.

use std::sync::Arc;

use tollgate_domain::{Attribution, ModelName, ResponseId, TeamId, Timestamp};
use tollgate_store::{
    ChainError, Owner, ResponseLimits, ResponseRow, Responses, SaveResponseError, StoreError,
};

use crate::world::{NOW, World, attribution, key_id, on_both};

pub(crate) fn id(text: &str) -> ResponseId {
    ResponseId::new(text).expect("an id")
}

pub(crate) fn team(name: &str) -> Owner {
    Owner::Team(TeamId::new(name).expect("an id"))
}

pub(crate) const fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(NOW.micros() + micros)
}

/// An answer of the team `engine` with ten bytes, made now and expiring a thousand microseconds
/// later.
pub(crate) fn answer(name: &str, previous: Option<&str>) -> ResponseRow {
    ResponseRow {
        id: id(name),
        owner: team("engine"),
        previous: previous.map(id),
        created_at: NOW,
        expires_at: at(1_000),
        model: ModelName::new("gpt-4o").expect("a name"),
        input_items: "[1,2]".to_owned(),
        response: "{   }".to_owned(),
    }
}

/// The sum of an owner's bytes as kept, and as it is.
async fn assert_sums_agree(world: &World) {
    let apart = "SELECT COUNT(*) FROM response_owners o WHERE o.bytes <> \
         (SELECT COALESCE(SUM(r.bytes), 0) FROM responses r WHERE r.owner = o.owner)";
    assert_eq!(world.number(apart).await, 0, "an owner's sum is not that of its answers");
}

async fn save(responses: &Responses, rows: impl IntoIterator<Item = ResponseRow>) {
    for row in rows {
        responses.save(&row).await.expect("an answer that is kept");
    }
}

async fn found(responses: &Responses, name: &str) -> bool {
    let row = responses.find(&id(name), &team("engine"), NOW).await.expect("answers");
    row.is_some()
}

#[test]
fn the_keys_of_a_team_share_their_answers_and_a_key_without_one_has_its_own() {
    let of_team = attribution("key-1");
    assert_eq!(Owner::of(&of_team), team("engine"));
    let alone = Attribution { team: None, ..Arc::unwrap_or_clone(of_team) };
    assert_eq!(Owner::of(&alone), Owner::Key(key_id("key-1")));
}

#[test]
fn an_answer_is_known_whoever_asks_and_though_it_expired() {
    on_both(async |world| {
        let responses = Responses::new(world.db.clone(), ResponseLimits::default());
        save(&responses, [ResponseRow { expires_at: NOW, ..answer("a", None) }]).await;
        assert!(!found(&responses, "a").await, "it expired");
        assert!(responses.is_known(&id("a")).await.expect("answers"));
        assert!(!responses.is_known(&id("b")).await.expect("answers"));
    });
}

#[test]
fn an_answer_reads_back_as_it_was_written() {
    on_both(async |world| {
        let responses = Responses::new(world.db.clone(), ResponseLimits::default());
        let full = ResponseRow {
            owner: Owner::Key(key_id("key-1")),
            input_items: r#"[{"text":"te\u0000xt ümläut"}]"#.to_owned(),
            response: r#"{"id":"resp_2", "output":[]}"#.to_owned(),
            ..answer("resp_2", Some("resp_1"))
        };
        for row in [answer("resp_1", None), full] {
            responses.save(&row).await.expect("kept");
            let read = responses.find(&row.id, &row.owner, NOW).await.expect("answers");
            assert_eq!(read, Some(row));
        }
    });
}

#[test]
fn an_answer_is_absent_for_another_owner_and_once_it_expired() {
    on_both(async |world| {
        let responses = Responses::new(world.db.clone(), ResponseLimits::default());
        save(&responses, [answer("a", None)]).await;
        let same_name = Owner::Key(key_id("engine"));
        for (owner, now, there) in [
            (team("engine"), at(999), true),
            (team("engine"), at(1_000), false),
            (team("other"), NOW, false),
            (same_name, NOW, false),
        ] {
            let row = responses.find(&id("a"), &owner, now).await.expect("answers");
            assert_eq!(row.is_some(), there, "{owner:?} at {now}");
            let chain = responses.chain(&id("a"), &owner, now).await.expect("a chain");
            assert_eq!(chain.is_some(), there, "{owner:?} at {now}");
        }
    });
}

#[test]
fn only_its_owner_deletes_an_answer_and_only_once() {
    on_both(async |world| {
        let responses = Responses::new(world.db.clone(), ResponseLimits::default());
        save(&responses, [answer("a", None), answer("b", None)]).await;
        assert!(!responses.delete(&id("a"), &team("other")).await.expect("answers"));
        assert!(found(&responses, "a").await);
        assert!(responses.delete(&id("a"), &team("engine")).await.expect("answers"));
        assert!(!responses.delete(&id("a"), &team("engine")).await.expect("answers"));
        assert!(!found(&responses, "a").await && found(&responses, "b").await);
        assert_sums_agree(&world).await;
    });
}

#[test]
fn an_id_that_is_taken_replaces_nothing() {
    on_both(async |world| {
        let responses = Responses::new(world.db.clone(), ResponseLimits::default());
        save(&responses, [answer("a", None)]).await;
        let other = ResponseRow { owner: team("other"), ..answer("a", None) };
        for row in [other, answer("a", Some("b"))] {
            let saved = responses.save(&row).await;
            assert!(matches!(saved, Err(SaveResponseError::IdTaken)), "{saved:?}");
        }
        let row = responses.find(&id("a"), &team("engine"), NOW).await.expect("answers");
        assert_eq!(row, Some(answer("a", None)));
        assert_sums_agree(&world).await;
    });
}

#[test]
fn an_answer_that_is_too_large_is_refused_and_the_largest_is_kept() {
    on_both(async |world| {
        for (limits, bytes_max) in [
            (ResponseLimits { response_bytes_max: 9, ..ResponseLimits::default() }, 9),
            (ResponseLimits { owner_bytes_max: 8, ..ResponseLimits::default() }, 8),
        ] {
            let responses = Responses::new(world.db.clone(), limits);
            let saved = responses.save(&answer("a", None)).await;
            let Err(SaveResponseError::TooLarge { bytes: 10, bytes_max: told }) = saved else {
                panic!("{saved:?}")
            };
            assert_eq!(told, bytes_max);
        }
        let largest = ResponseRow {
            input_items: "[]".to_owned(),
            response: "x".repeat((8 << 20) - 2),
            ..answer("a", None)
        };
        let responses = Responses::new(world.db.clone(), ResponseLimits::default());
        save(&responses, [largest.clone()]).await;
        let beyond = ResponseRow { response: largest.response + "x", ..answer("b", None) };
        let saved = responses.save(&beyond).await;
        assert!(matches!(saved, Err(SaveResponseError::TooLarge { .. })), "{saved:?}");
        assert!(found(&responses, "a").await && !found(&responses, "b").await);
    });
}

#[test]
fn when_an_owner_keeps_too_much_the_oldest_answers_go() {
    on_both(async |world| {
        let limits = ResponseLimits { owner_bytes_max: 1_000, ..ResponseLimits::default() };
        let responses = Responses::new(world.db.clone(), limits);
        let others = ResponseRow { owner: team("other"), created_at: at(-1), ..answer("o", None) };
        let aged =
            |age: i64| ResponseRow { created_at: at(-age), ..answer(&age.to_string(), None) };
        save(&responses, [others]).await;
        save(&responses, (1..=100).map(aged)).await;
        assert!(found(&responses, "100").await, "exactly full");
        save(&responses, [answer("new", None)]).await;
        assert!(!found(&responses, "100").await && found(&responses, "99").await);
        // More than one look at the oldest, and older than all of them.
        let large = ResponseRow {
            created_at: at(-500),
            response: "x".repeat(895),
            ..answer("large", None)
        };
        save(&responses, [large]).await;
        for (name, kept) in [("large", true), ("new", true), ("9", true), ("10", false)] {
            assert_eq!(found(&responses, name).await, kept, "{name}");
        }
        assert_eq!(world.number("SELECT COUNT(*) FROM responses").await, 12);
        assert_sums_agree(&world).await;
    });
}

#[test]
fn a_conversation_is_read_whole_and_oldest_first() {
    on_both(async |world| {
        let responses = Responses::new(world.db.clone(), ResponseLimits::default());
        let rows = [answer("c", None), answer("a", Some("c")), answer("b", Some("a"))];
        save(&responses, rows.clone()).await;
        save(&responses, [answer("side", Some("a"))]).await;
        let chain = responses.chain(&id("b"), &team("engine"), NOW).await.expect("a chain");
        assert_eq!(chain, Some(rows.to_vec()));
    });
}

/// A conversation of answers `1`, `2` and so on.
fn conversation(turns: u32) -> impl Iterator<Item = ResponseRow> {
    (1..=turns).map(|turn| {
        let previous = (turn > 1).then(|| (turn - 1).to_string());
        answer(&turn.to_string(), previous.as_deref())
    })
}

#[test]
fn a_conversation_beyond_a_limit_is_refused_and_not_cut_short() {
    on_both(async |world| {
        let defaults = ResponseLimits::default();
        let responses = Responses::new(world.db.clone(), defaults);
        save(&responses, conversation(66)).await;
        let read = async |limits, last| {
            let responses = Responses::new(world.db.clone(), limits);
            responses.chain(&id(last), &team("engine"), NOW).await
        };
        for (limits, last, turns) in [
            (defaults, "64", 64),
            (ResponseLimits { chain_bytes_max: 100, ..defaults }, "10", 10),
            (ResponseLimits { chain_turns_max: 1, ..defaults }, "1", 1),
        ] {
            let chain = read(limits, last).await.expect("a chain").expect("it is kept");
            assert_eq!(chain.len(), turns);
        }
        for last in ["65", "66"] {
            let refused = read(defaults, last).await;
            assert!(matches!(refused, Err(ChainError::TooLong { turns_max: 64 })), "{refused:?}");
        }
        let limits = ResponseLimits { chain_bytes_max: 99, ..defaults };
        for last in ["10", "11", "66"] {
            let refused = read(limits, last).await;
            assert!(matches!(refused, Err(ChainError::TooLarge { bytes_max: 99 })), "{refused:?}");
        }
    });
}

#[test]
fn a_conversation_that_lost_an_answer_is_refused() {
    on_both(async |world| {
        let responses = Responses::new(world.db.clone(), ResponseLimits::default());
        let expired = ResponseRow { expires_at: NOW, ..answer("expired", None) };
        let others = ResponseRow { owner: team("other"), ..answer("others", None) };
        save(&responses, [expired, others]).await;
        for missing in ["expired", "others", "absent"] {
            let last = format!("after-{missing}");
            save(&responses, [answer(&last, Some(missing))]).await;
            let refused = responses.chain(&id(&last), &team("engine"), NOW).await;
            let Err(ChainError::Broken { missing: named }) = refused else { panic!("{refused:?}") };
            assert_eq!(named, id(missing));
        }
    });
}

#[test]
fn answers_that_go_on_from_each_other_end_at_the_limit() {
    on_both(async |world| {
        let responses = Responses::new(world.db.clone(), ResponseLimits::default());
        save(&responses, [answer("a", Some("b")), answer("b", Some("a"))]).await;
        let refused = responses.chain(&id("a"), &team("engine"), NOW).await;
        assert!(matches!(refused, Err(ChainError::TooLong { .. })), "{refused:?}");
    });
}

#[test]
fn a_row_that_the_gateway_never_writes_is_an_error_and_not_an_absent_answer() {
    on_both(async |world| {
        let responses = Responses::new(world.db.clone(), ResponseLimits::default());
        save(&responses, [answer("a", None)]).await;
        for (statement, column) in [
            ("UPDATE responses SET model = ''", "model"),
            ("UPDATE responses SET previous_id = '', model = 'm'", "previous_id"),
        ] {
            world.execute(statement).await;
            let found = responses.find(&id("a"), &team("engine"), NOW).await;
            let Err(StoreError::Unreadable { column: named, .. }) = found else {
                panic!("{found:?}")
            };
            assert_eq!(named, column);
        }
    });
}

#[test]
fn gateways_that_save_delete_and_prune_at_once_keep_the_sum() {
    on_both(async |world| {
        let limits = ResponseLimits { owner_bytes_max: 60, ..ResponseLimits::default() };
        let responses = Responses::new(world.db.clone(), limits);
        let saving = |from: i64| {
            let responses = responses.clone();
            tokio::spawn(async move {
                for number in from..from + 20 {
                    let row =
                        ResponseRow { created_at: at(number), ..answer(&number.to_string(), None) };
                    responses.save(&row).await.expect("kept");
                    responses.delete(&row.id, &row.owner).await.expect("answers");
                    let id = id(&format!("{number}-stays"));
                    let expires_at = if number % 2 == 0 { at(0) } else { at(1_000) };
                    responses.save(&ResponseRow { id, expires_at, ..row }).await.expect("kept");
                    responses.prune(NOW, 3).await.expect("pruned");
                }
            })
        };
        let tasks = [0, 100, 200].map(saving);
        for task in tasks {
            task.await.expect("no statement fails");
        }
        assert_sums_agree(&world).await;
        let kept = world.number("SELECT CAST(SUM(bytes) AS BIGINT) FROM response_owners").await;
        assert!(kept <= 60, "{kept} bytes are kept");
    });
}
