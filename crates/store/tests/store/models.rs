//! Deployments and credentials in the database: sealed, read back, and kept apart by their key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};
use sqlx::Row as _;
use tokio::sync::Notify;
use tollgate_domain::{DeploymentId, ModelName, Random, Secret};
use tollgate_policy::Calendar;
use tollgate_store::{
    AuditFilter, ChangeListener, CredentialRow, Db, DeploymentRow, KeyDirectory, Params, Replaced,
    Vault, VaultFit, WriteModelError,
};
use tollgate_testkit::patience::until;

use crate::world::{ManualClock, NOW, World, on_both};

/// Every column that could hold a secret.
const ALL_TEXT: &str = "SELECT params || secrets || info FROM deployments UNION ALL \
     SELECT params || secrets || info FROM credentials UNION ALL SELECT value FROM settings";

/// Randomness that never repeats.
struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(1);
        buffer[..8].copy_from_slice(&self.draw().to_le_bytes());
    }

    fn draw(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

pub(super) fn vault(key: &str) -> Vault {
    Vault::new(&Secret::new(key), Arc::new(Counting(AtomicU64::new(0))))
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).expect("an object")
}

pub(super) fn id(text: &str) -> DeploymentId {
    DeploymentId::new(text).expect("an id")
}

pub(super) fn deployment(name: &str) -> DeploymentRow {
    let params = json!({"model": "openai/gpt-4o", "api_key": "sk-in-the-database", "rpm": 7});
    DeploymentRow {
        id: id(name),
        model_name: ModelName::new("chat").expect("a name"),
        params: Params::of_deployment(object(params)),
        info: object(json!({"access_groups": ["g"]})),
        blocked: false,
        created_at: NOW,
        created_by: Some("admin".to_owned()),
        updated_at: NOW,
        updated_by: None,
    }
}

pub(super) fn credential(name: &str) -> CredentialRow {
    CredentialRow {
        name: name.to_owned(),
        values: Params::of_credential(object(json!({"api_key": "sk-in-the-database"}))),
        info: object(json!({"custom_llm_provider": "openai"})),
        created_at: NOW,
        created_by: None,
        updated_at: NOW,
        updated_by: None,
    }
}

async fn texts(world: &World) -> Vec<String> {
    match &world.db {
        Db::Sqlite { writer, .. } => {
            let rows = sqlx::query(ALL_TEXT).fetch_all(writer).await.expect("rows");
            rows.iter().map(|row| row.get(0)).collect()
        }
        Db::Postgres(pool) => {
            let rows = sqlx::query(ALL_TEXT).fetch_all(pool).await.expect("rows");
            rows.iter().map(|row| row.get(0)).collect()
        }
    }
}

#[test]
fn what_is_written_reads_back_and_stands_nowhere_in_clear() {
    on_both(async |world| {
        let (db, vault) = (&world.db, vault("salt"));
        assert_eq!(vault.fit(db).await.expect("a setting"), VaultFit::Unused);
        world.edit().insert_deployment(&vault, &deployment("a")).await.expect("a deployment");
        world.edit().insert_credential(&vault, &credential("shared")).await.expect("a credential");
        let stored = db.stored_models(&vault).await.expect("rows");
        assert_eq!(stored.deployments, [deployment("a")]);
        assert_eq!(stored.credentials, [credential("shared")]);
        assert_eq!(stored.unreadable, []);
        let found = db.find_deployment(&vault, "a").await.expect("a row");
        assert_eq!(found, Some(Ok(deployment("a"))));
        assert_eq!(db.find_deployment(&vault, "b").await.expect("no row"), None);
        let found = db.find_credential(&vault, "shared").await.expect("a row");
        assert_eq!(found, Some(Ok(credential("shared"))));
        assert_eq!(db.find_credential(&vault, "b").await.expect("no row"), None);
        assert_eq!(vault.fit(db).await.expect("a setting"), VaultFit::Same);
        let texts = texts(&world).await;
        assert_eq!(texts.len(), 3);
        assert!(!texts.concat().contains("in-the-database"), "{texts:?}");
    });
}

#[test]
fn rows_are_changed_and_deleted_by_their_names() {
    on_both(async |world| {
        let (db, vault) = (&world.db, vault("salt"));
        world.edit().insert_deployment(&vault, &deployment("a")).await.expect("a deployment");
        let taken = world.edit().insert_deployment(&vault, &deployment("a")).await;
        assert!(matches!(taken, Err(WriteModelError::Taken)), "{taken:?}");
        let blocked = DeploymentRow { blocked: true, ..deployment("a") };
        let mut both = [blocked.clone(), deployment("absent")];
        let replaced = world.edit().update_deployments(&vault, &mut both).await;
        assert_eq!(replaced.expect("an update"), Replaced::Absent);
        let read = async || db.stored_models(&vault).await.expect("rows");
        assert_eq!(read().await.deployments, [deployment("a")], "all or none");
        let mut rows = [blocked.clone()];
        let replaced = world.edit().update_deployments(&vault, &mut rows).await;
        assert_eq!(replaced.expect("an update"), Replaced::Done);
        assert!(rows[0].updated_at > NOW && rows[0].updated_by.is_some());
        assert_eq!(read().await.deployments, rows);
        let replaced = world.edit().update_deployments(&vault, &mut [blocked]).await;
        assert_eq!(replaced.expect("an update"), Replaced::ChangedMeanwhile);
        assert!(world.edit().delete_deployment(&id("a")).await.expect("a deletion"));
        assert!(!world.edit().delete_deployment(&id("a")).await.expect("a deletion"));

        world.edit().insert_credential(&vault, &credential("c")).await.expect("a credential");
        let taken = world.edit().insert_credential(&vault, &credential("c")).await;
        assert!(matches!(taken, Err(WriteModelError::Taken)), "{taken:?}");
        let values = Params::of_credential(object(json!({"api_key": "other"})));
        let mut changed = CredentialRow { values, ..credential("c") };
        let replaced = world.edit().update_credential(&vault, &mut changed).await;
        assert_eq!(replaced.expect("an update"), Replaced::Done);
        assert_eq!(read().await.credentials, std::slice::from_ref(&changed));
        for (mut row, expected) in [
            (credential("absent"), Replaced::Absent),
            (credential("c"), Replaced::ChangedMeanwhile),
        ] {
            let replaced = world.edit().update_credential(&vault, &mut row).await;
            assert_eq!(replaced.expect("an update"), expected);
        }
        assert!(world.edit().delete_credential("c").await.expect("a deletion"));
        assert!(!world.edit().delete_credential("c").await.expect("a deletion"));
    });
}

#[test]
fn a_gateway_with_another_key_reads_nothing_secret_and_writes_nothing_others_cannot_read() {
    on_both(async |world| {
        let (db, ours, theirs) = (&world.db, vault("ours"), vault("theirs"));
        world.edit().insert_deployment(&ours, &deployment("a")).await.expect("a deployment");
        assert_eq!(theirs.fit(db).await.expect("a setting"), VaultFit::Other);
        let stored = db.stored_models(&theirs).await.expect("rows");
        assert_eq!(stored.deployments, []);
        let found = db.find_deployment(&theirs, "a").await.expect("a row");
        assert_eq!(found, Some(Err(stored.unreadable[0].clone())));
        let unreadable = &stored.unreadable[0];
        assert_eq!((unreadable.noun, &*unreadable.id), ("deployment", "a"));
        assert!(unreadable.sealed_otherwise && unreadable.problem.contains("api_key"));
        for refused in [
            world.edit().insert_deployment(&theirs, &deployment("b")).await,
            world.edit().update_deployments(&theirs, &mut [deployment("a")]).await.map(drop),
            world.edit().insert_credential(&theirs, &credential("c")).await,
        ] {
            assert!(matches!(refused, Err(WriteModelError::OtherKey)), "{refused:?}");
        }
        let params = Params::of_deployment(object(json!({"model": "openai/gpt-4o"})));
        let open = DeploymentRow { params, ..deployment("open") };
        world.edit().insert_deployment(&theirs, &open).await.expect("nothing to seal");
        assert!(world.edit().delete_deployment(&id("a")).await.expect("a deletion"));
        assert_eq!(theirs.fit(db).await.expect("a setting"), VaultFit::Unused);
        world.edit().insert_credential(&theirs, &credential("c")).await.expect("the key's turn");
        assert_eq!(ours.fit(db).await.expect("a setting"), VaultFit::Other);
    });
}

#[test]
fn a_row_that_the_gateway_never_writes_is_named_and_does_not_hide_the_others() {
    on_both(async |world| {
        let (db, vault) = (&world.db, vault("salt"));
        for name in ["a", "b"] {
            world.edit().insert_deployment(&vault, &deployment(name)).await.expect("a deployment");
        }
        world.execute("UPDATE deployments SET info = '{' WHERE id = 'a'").await;
        let stored = db.stored_models(&vault).await.expect("rows");
        assert_eq!(stored.deployments, [deployment("b")]);
        assert_eq!(stored.unreadable[0].id, "a");
        assert!(!stored.unreadable[0].sealed_otherwise);
        world.execute("UPDATE deployments SET secrets = REPLACE(secrets, 'api_key', 'x')").await;
        let stored = db.stored_models(&vault).await.expect("rows");
        assert_eq!(stored.unreadable.len(), 2, "a secret stands only where it was put");
    });
}

#[test]
fn a_change_is_told_to_the_other_gateways() {
    on_both(async |world| {
        let db = Db::open(&world.url).await.expect("a second gateway's connections");
        let clock = Arc::new(ManualClock::default());
        let keys = KeyDirectory::new(db.clone(), 100, clock, Arc::new(Calendar::default()));
        let told = Arc::new(Notify::new());
        let listener = ChangeListener::start(&db, Arc::new(keys), Arc::clone(&told)).await;
        let Some(listener) = listener else { return db.close().await };
        let hearing = tokio::spawn(listener.run());
        told.notified().await;
        let vault = vault("salt");
        world.edit().insert_deployment(&vault, &deployment("a")).await.expect("a deployment");
        until("the change to be told", || async {
            told.notified().await;
            let stored = db.stored_models(&vault).await.expect("rows");
            (!stored.deployments.is_empty()).then_some(())
        })
        .await;
        world.edit().delete_deployment(&id("a")).await.expect("a deletion");
        told.notified().await;
        hearing.abort();
        db.close().await;
    });
}

#[test]
fn every_change_is_recorded_and_no_secret_with_it() {
    on_both(async |world| {
        let vault = vault("salt");
        world.edit().insert_deployment(&vault, &deployment("a")).await.expect("a deployment");
        let mut rows = [DeploymentRow { blocked: true, ..deployment("a") }];
        let replaced = world.edit().update_deployments(&vault, &mut rows).await;
        assert_eq!(replaced.expect("an update"), Replaced::Done);
        assert!(world.edit().delete_deployment(&id("a")).await.expect("a deletion"));
        world.edit().insert_credential(&vault, &credential("c")).await.expect("a credential");
        assert!(world.edit().delete_credential("c").await.expect("a deletion"));
        let page = world.db.audit_log(&AuditFilter::default(), (0, 10)).await.expect("a page");
        let rows = page.rows.iter().rev();
        let told: Vec<(&str, &str, &str)> =
            rows.map(|row| (&*row.action, &*row.kind, &*row.object)).collect();
        let expected = [
            ("created", "deployment", "a"),
            ("blocked", "deployment", "a"),
            ("deleted", "deployment", "a"),
            ("created", "credential", "c"),
            ("deleted", "credential", "c"),
        ];
        assert_eq!(told, expected);
        let blocked = page.rows[3].after.as_ref().expect("after");
        assert_eq!(blocked["params"]["model"], "openai/gpt-4o");
        assert!(!format!("{:?}", page.rows).contains("in-the-database"));
    });
}
