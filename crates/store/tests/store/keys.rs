//! Virtual keys in the database.

use tollgate_domain::{BudgetId, KeyHash, OrganizationId, ProjectId, TeamId, Timestamp, UserId};
use tollgate_store::{
    InsertKeyError, KeyFilter, KeyReach, KeyRow, KeyRules, KeySort, LimitFields, Replaced,
    StoreError, UpdateKeyError,
};

use crate::world::{NOW, World, key_id, nanos, on_both};

/// A key with as little as possible; its hash is that of its id.
pub(crate) fn key(id: &str) -> KeyRow {
    KeyRow {
        id: key_id(id),
        hash: KeyHash::of(id),
        name: "sk-...1234".to_owned(),
        alias: None,
        user: None,
        team: None,
        organization: None,
        project: None,
        models: Vec::new(),
        limits: LimitFields::default(),
        budget: None,
        expires_at: None,
        blocked: false,
        rules: KeyRules::default(),
        metadata: serde_json::Map::new(),
        created_at: NOW,
        created_by: None,
        updated_at: NOW,
        updated_by: None,
    }
}

/// A key with everything.
fn full_key(id: &str) -> KeyRow {
    let metadata =
        serde_json::json!({"purpose": "te\u{301}st \"quoted\" \u{0}", "tags": [1, null]});
    KeyRow {
        alias: Some(format!("alias of {id}")),
        user: UserId::new("ada").ok(),
        team: TeamId::new("engine").ok(),
        organization: OrganizationId::new("works").ok(),
        models: vec!["gpt-4o".to_owned(), "anthropic/*".to_owned()],
        project: ProjectId::new("loom").ok(),
        budget: BudgetId::new("shared").ok(),
        limits: LimitFields {
            max_budget: Some(nanos(i64::MAX)),
            rpm_limit: Some(0),
            ..LimitFields::default()
        },
        expires_at: Some(Timestamp::from_micros(-1)),
        blocked: true,
        rules: KeyRules {
            allowed_routes: vec!["llm_api_routes".to_owned()],
            aliases: [("a".to_owned(), "b".to_owned())].into(),
            enforced_params: vec!["metadata.ticket".to_owned()],
            get_spend_routes: true,
        },
        metadata: metadata.as_object().cloned().expect("an object"),
        created_by: Some("admin".to_owned()),
        updated_at: Timestamp::from_micros(NOW.micros() + 1),
        updated_by: Some("other".to_owned()),
        ..key(id)
    }
}

async fn find(world: &World, id: &str) -> Option<KeyRow> {
    world.db.find_key(&KeyHash::of(id)).await.expect("keys")
}

#[test]
fn a_key_reads_back_as_it_was_written() {
    on_both(async |world| {
        for row in [key("bare"), full_key("full")] {
            world.edit().insert_key(&row).await.expect("a new key");
            assert_eq!(find(&world, row.id.as_str()).await, Some(row));
        }
        let found = world.db.find_key_by_alias("alias of full").await.expect("keys");
        assert_eq!(found, Some(full_key("full")));
        assert_eq!(find(&world, "absent").await, None);
        assert_eq!(world.db.find_key_by_alias("absent").await.expect("keys"), None);
    });
}

#[test]
fn every_optional_field_can_be_set_and_removed_again() {
    on_both(async |world| {
        world.edit().insert_key(&key("k")).await.expect("a new key");
        for row in [KeyRow { created_at: NOW, ..full_key("k") }, key("k")] {
            let written = world.update_key(&row).await.expect("an update").expect("a key");
            let KeyRow { updated_at, ref updated_by, .. } = written;
            let expected = KeyRow { updated_at, updated_by: updated_by.clone(), ..row };
            assert_eq!(written, expected);
            assert_eq!(find(&world, "k").await, Some(expected));
        }
        assert_eq!(world.update_key(&key("absent")).await.expect("an update"), None);
    });
}

#[test]
fn a_key_whose_hash_is_replaced_keeps_its_identity() {
    on_both(async |world| {
        world.edit().insert_key(&key("k")).await.expect("a new key");
        let renewed = KeyRow { hash: KeyHash::of("new text"), ..key("k") };
        let renewed = world.update_key(&renewed).await.expect("an update").expect("a key");
        assert_eq!(find(&world, "k").await, None);
        assert_eq!(find(&world, "new text").await, Some(renewed));
    });
}

#[test]
fn no_two_keys_share_an_alias_a_hash_or_an_id() {
    on_both(async |world| {
        world.edit().insert_key(&full_key("a")).await.expect("a new key");
        world.edit().insert_key(&full_key("b")).await.expect("a new key");
        let same_alias = KeyRow { alias: full_key("a").alias, ..key("c") };
        let same_hash = KeyRow { hash: KeyHash::of("a"), ..key("c") };
        let same_id = KeyRow { hash: KeyHash::of("c"), ..key("a") };
        let inserted = world.edit().insert_key(&same_alias).await;
        assert!(matches!(inserted, Err(InsertKeyError::AliasTaken)), "{inserted:?}");
        for row in [same_hash, same_id] {
            let inserted = world.edit().insert_key(&row).await;
            assert!(matches!(inserted, Err(InsertKeyError::KeyTaken)), "{inserted:?}");
        }
        let alias_of_a = KeyRow { alias: full_key("a").alias, ..full_key("b") };
        let updated = world.update_key(&alias_of_a).await;
        assert!(matches!(updated, Err(UpdateKeyError::AliasTaken)), "{updated:?}");
        let hash_of_a = KeyRow { hash: KeyHash::of("a"), ..full_key("b") };
        let updated = world.update_key(&hash_of_a).await;
        assert!(matches!(updated, Err(UpdateKeyError::KeyTaken)), "{updated:?}");
        assert_eq!(find(&world, "b").await, Some(full_key("b")), "nothing was written");
    });
}

#[test]
fn deleted_keys_are_gone_and_kept_as_they_were() {
    on_both(async |world| {
        for id in ["a", "b", "c"] {
            world.edit().insert_key(&full_key(id)).await.expect("a new key");
        }
        let hashes = ["a", "absent", "c"].map(KeyHash::of);
        let deleted = world.edit().delete_keys(&hashes).await.expect("deleted");
        assert_eq!(deleted, ["a", "c"].map(KeyHash::of));
        assert_eq!(find(&world, "a").await, None);
        assert_eq!(find(&world, "b").await, Some(full_key("b")));
        let kept = "SELECT COUNT(*) FROM deleted_virtual_keys WHERE alias = 'alias of c' \
             AND max_budget_nanos = 9223372036854775807 AND deleted_by = 'admin'";
        assert_eq!(world.number(kept).await, 1);
        // Its alias and its text are free again.
        let again = KeyRow { id: key_id("a2"), ..full_key("a") };
        world.edit().insert_key(&again).await.expect("a new key");
    });
}

#[test]
fn a_row_that_the_gateway_never_writes_is_an_error_and_not_an_absent_key() {
    on_both(async |world| {
        world.edit().insert_key(&key("k")).await.expect("a new key");
        for (statement, column) in [
            ("UPDATE virtual_keys SET models = '{'", "models"),
            ("UPDATE virtual_keys SET models = '[]', metadata = '[]'", "metadata"),
            ("UPDATE virtual_keys SET metadata = '{}', team_id = ''", "team_id"),
        ] {
            world.execute(statement).await;
            let error = world.db.find_key(&KeyHash::of("k")).await.expect_err("unreadable");
            let StoreError::Unreadable { column: named, .. } = error else { panic!("{error}") };
            assert_eq!(named, column);
        }
    });
}

#[test]
fn a_renewed_key_is_known_by_its_old_text_until_its_grace_ends() {
    on_both(async |world| {
        world.edit().insert_key(&key("k")).await.expect("a new key");
        let until = Timestamp::from_micros(NOW.micros() + 10);
        let renew = async |from: &KeyRow, text: &str, until| {
            let mut row = KeyRow { hash: KeyHash::of(text), ..from.clone() };
            let renewed = world.edit().renew_key(&mut row, until).await.expect("a renewal");
            (renewed, row)
        };
        let first = key("k");
        let (renewed, second) = renew(&first, "second", Some(until)).await;
        assert_eq!((renewed, find(&world, "k").await), (Replaced::Done, None));
        let retired = world.db.find_retired_key(&first.hash).await.expect("keys");
        assert_eq!(retired, Some((second.clone(), until)));
        // Whoever still has the row before does not renew it once more.
        assert_eq!(renew(&first, "other", None).await.0, Replaced::ChangedMeanwhile);

        let third = renew(&second, "third", Some(until)).await.1;
        for hash in [first.hash, second.hash] {
            assert!(world.db.find_retired_key(&hash).await.expect("keys").is_some());
        }
        // Without a time, every text before ends at once.
        assert_eq!(renew(&third, "fourth", None).await.0, Replaced::Done);
        for hash in [first.hash, second.hash, third.hash] {
            assert_eq!(world.db.find_retired_key(&hash).await.expect("keys"), None);
        }
    });
}

#[test]
fn a_deleted_key_is_not_known_by_a_text_that_it_had_before() {
    on_both(async |world| {
        world.edit().insert_key(&key("k")).await.expect("a new key");
        let mut renewed = KeyRow { hash: KeyHash::of("second"), ..key("k") };
        let until = Some(Timestamp::from_micros(NOW.micros() + 10));
        let done = world.edit().renew_key(&mut renewed, until).await.expect("a renewal");
        assert_eq!(done, Replaced::Done);
        world.edit().delete_keys(&[renewed.hash]).await.expect("deleted");
        assert_eq!(world.db.find_retired_key(&key("k").hash).await.expect("keys"), None);
    });
}

#[test]
fn a_list_shows_what_is_asked_for_in_the_order_that_is_asked_for() {
    on_both(async |world| {
        let at = |micros: i64| Some(Timestamp::from_micros(NOW.micros() + micros));
        let user = |id: &str| UserId::new(id).ok();
        let rows = [
            KeyRow { user: user("ada"), alias: Some("Loom_1".to_owned()), ..key("a") },
            KeyRow { user: user("bob"), team: TeamId::new("mill").ok(), ..key("b") },
            KeyRow { created_by: Some("ada".to_owned()), expires_at: at(5), ..key("c") },
            KeyRow { alias: Some("loomx1".to_owned()), expires_at: at(9), ..key("d") },
        ];
        for row in &rows {
            world.edit().insert_key(row).await.expect("a new key");
        }
        let sorted = KeyFilter { sort: KeySort::ExpiresAt, ascending: true, ..Default::default() };
        let reach = KeyReach {
            user: Some("ada".to_owned()),
            teams: vec!["mill".to_owned()],
            created_by: Some("ada".to_owned()),
        };
        for (filter, expected) in [
            (KeyFilter { live_at: at(5), ..sorted.clone() }, "dab"),
            (KeyFilter { ended_at: at(5), ..sorted.clone() }, "c"),
            (KeyFilter { ascending: false, ..sorted.clone() }, "dcab"),
            (KeyFilter { alias_part: Some("LOOM".to_owned()), ..sorted.clone() }, "da"),
            (KeyFilter { alias_part: Some("m_1".to_owned()), ..sorted.clone() }, "a"),
            (KeyFilter { named: true, sort: KeySort::Alias, ..sorted.clone() }, "ad"),
            (KeyFilter { reach: Some(reach), ..sorted.clone() }, "cab"),
            (KeyFilter { reach: Some(KeyReach::default()), ..sorted.clone() }, ""),
            (KeyFilter { deleted: true, ..sorted.clone() }, ""),
        ] {
            let page = world.db.list_keys(&filter, 0, 10).await.expect("keys");
            let found: String = page.keys.iter().map(|row| row.id.as_str()).collect();
            assert_eq!((found.as_str(), page.total), (expected, expected.len() as u64));
        }
        world.edit().delete_keys(&[KeyHash::of("a")]).await.expect("deleted");
        let gone = KeyFilter { deleted: true, ..sorted };
        assert_eq!(world.db.list_keys(&gone, 0, 10).await.expect("keys").keys, rows[..1]);
    });
}

#[test]
fn keys_are_called_what_they_are_or_were_and_others_are_left_out() {
    on_both(async |world| {
        for row in [key("bare"), full_key("full")] {
            world.edit().insert_key(&row).await.expect("a new key");
        }
        world.edit().delete_keys(&[KeyHash::of("full")]).await.expect("deleted");
        let found = world.db.key_labels(&["full", "none", "bare"]).await.expect("labels");
        assert_eq!(found.keys().collect::<Vec<_>>(), ["bare", "full"]);
        let full = &found["full"];
        assert_eq!(full.hash, KeyHash::of("full").expose_hex());
        assert_eq!(full.alias.as_deref(), Some("alias of full"));
        assert_eq!((full.team.as_deref(), full.user.as_deref()), (Some("engine"), Some("ada")));
        assert_eq!((&found["bare"].alias, &found["bare"].team), (&None, &None));
        assert!(world.db.key_labels(&[]).await.expect("labels").is_empty());
    });
}
