//! Deployments and credentials of another gateway, and a change of the key that seals them.

use serde_json::json;
use tollgate_store::{
    AuditFilter, By, CredentialRow, DeploymentRow, Params, ResealError, Resealed, VaultFit,
    WriteModelError, Written,
};

use crate::models::{credential, deployment, id, object, vault};
use crate::world::{NOW, World, on_both};

fn brought(id: &str) -> DeploymentRow {
    DeploymentRow { updated_by: Some("import".to_owned()), ..deployment(id) }
}

fn lent(name: &str) -> CredentialRow {
    CredentialRow { updated_by: Some("import".to_owned()), ..credential(name) }
}

#[test]
fn what_is_brought_follows_the_source_and_gives_way_to_changes_made_here() {
    on_both(async |world| {
        let (db, vault) = (&world.db, vault("salt"));
        let import = async |rows: &[DeploymentRow]| {
            world.edit().import_deployments(&vault, rows).await.expect("deployments")
        };
        let lend = async |rows: &[CredentialRow]| {
            world.edit().import_credentials(&vault, rows).await.expect("credentials")
        };
        let (rows, credentials) = ([brought("a"), brought("b")], [lent("c"), lent("d")]);
        assert_eq!(import(&rows).await, [Written::Inserted; 2]);
        assert_eq!(import(&rows).await, [Written::Unchanged; 2]);
        assert_eq!(lend(&credentials).await, [Written::Inserted; 2]);
        assert_eq!(lend(&credentials).await, [Written::Unchanged; 2]);

        let params = |key: &str| object(json!({"model": "openai/gpt-4o", "api_key": key}));
        let params = Params::of_deployment(params("sk-rotated"));
        let values = Params::of_credential(object(json!({"api_key": "sk-rotated"})));
        let rotated = DeploymentRow { params, ..brought("a") };
        assert_eq!(import(std::slice::from_ref(&rotated)).await, [Written::Updated]);
        let lent_anew = CredentialRow { values, ..lent("c") };
        assert_eq!(lend(std::slice::from_ref(&lent_anew)).await, [Written::Updated]);
        let stored = db.stored_models(&vault).await.expect("rows");
        assert_eq!((&stored.deployments[0], &stored.credentials[0]), (&rotated, &lent_anew));

        let mut here = [DeploymentRow { blocked: true, ..rotated }];
        let _ = world.edit().update_deployments(&vault, &mut here).await.expect("an update");
        let mut lent_here = CredentialRow { info: object(json!({})), ..lent_anew };
        let _ = world.edit().update_credential(&vault, &mut lent_here).await.expect("an update");
        assert!(world.edit().delete_deployment(&id("b")).await.expect("a deletion"));
        assert!(world.edit().delete_credential("d").await.expect("a deletion"));
        assert_eq!(import(&rows).await, [Written::Kept, Written::Deleted]);
        assert_eq!(lend(&credentials).await, [Written::Kept, Written::Deleted]);
        let stored = db.stored_models(&vault).await.expect("rows");
        assert_eq!((stored.deployments, stored.credentials), (here.to_vec(), vec![lent_here]));
        let found = db.count_imported_deployments(&vault, &rows).await.expect("a count");
        assert_eq!(found, 2, "what was deleted here came over");
        let found = db.count_imported_credentials(&vault, &credentials).await.expect("a count");
        assert_eq!(found, 2);
    });
}

#[test]
fn nothing_is_brought_that_would_be_sealed_with_another_key() {
    on_both(async |world| {
        let (ours, theirs) = (vault("ours"), vault("theirs"));
        world.edit().insert_deployment(&ours, &brought("a")).await.expect("a deployment");
        let rows = [brought("a")];
        let written = world.edit().import_deployments(&theirs, &rows).await.expect("no writing");
        assert_eq!(written, [Written::Kept], "it cannot be read");
        let found = world.db.count_imported_deployments(&theirs, &rows).await.expect("a count");
        assert_eq!(found, 0);
        let refused = world.edit().import_deployments(&theirs, &[brought("b")]).await;
        assert!(matches!(refused, Err(WriteModelError::OtherKey)), "{refused:?}");
        let refused = world.edit().import_credentials(&theirs, &[lent("c")]).await;
        assert!(matches!(refused, Err(WriteModelError::OtherKey)), "{refused:?}");
    });
}

async fn filled(world: &World) {
    let vault = vault("old");
    for name in ["a", "b"] {
        world.edit().insert_deployment(&vault, &deployment(name)).await.expect("a deployment");
    }
    let params = Params::of_deployment(object(json!({"model": "openai/gpt-4o"})));
    let open = DeploymentRow { params, ..deployment("open") };
    world.edit().insert_deployment(&vault, &open).await.expect("a deployment");
    world.edit().insert_credential(&vault, &credential("c")).await.expect("a credential");
}

#[test]
fn every_secret_is_sealed_with_another_key_at_once() {
    on_both(async |world| {
        filled(&world).await;
        let (db, old, new) = (&world.db, vault("old"), vault("new"));
        let before = db.stored_models(&old).await.expect("rows");
        let by = By::program("key change", NOW);
        let all = Resealed { deployments: 2, credentials: 1, secrets: 3 };
        let tried = db.reseal((&old, &new), &by, false).await.expect("it would be done");
        assert_eq!(tried, all);
        assert_eq!(db.stored_models(&old).await.expect("rows"), before, "nothing was written");

        let done = db.reseal((&old, &new), &by, true).await.expect("it is done");
        assert_eq!(done, all);
        assert_eq!(db.stored_models(&new).await.expect("rows"), before, "and nothing else changed");
        assert_eq!(db.stored_models(&old).await.expect("rows").unreadable.len(), 3);
        assert_eq!(new.fit(db).await.expect("a setting"), VaultFit::Same);
        let refused = world.edit().insert_deployment(&old, &deployment("d")).await;
        assert!(matches!(refused, Err(WriteModelError::OtherKey)), "{refused:?}");
        let again = db.reseal((&old, &new), &by, true).await;
        assert!(matches!(again, Err(ResealError::AlreadyDone)), "{again:?}");

        let filter = AuditFilter { kind: Some("salt_key".to_owned()), ..AuditFilter::default() };
        let page = db.audit_log(&filter, (0, 10)).await.expect("a page");
        let [row] = &page.rows[..] else { panic!("{:?}", page.rows) };
        assert_eq!((&*row.changed_by, &*row.action), ("key change", "updated"));
        assert_eq!(row.after, Some(json!({"deployments": 2, "credentials": 1, "secrets": 3})));
    });
}

#[test]
fn what_the_old_key_does_not_open_keeps_everything_as_it_is() {
    on_both(async |world| {
        filled(&world).await;
        let (db, old, new) = (&world.db, vault("old"), vault("new"));
        let by = By::program("key change", NOW);
        let refused = async |old| match db.reseal((old, &new), &by, true).await {
            Err(ResealError::Unopened(rows)) => {
                rows.into_iter().map(|row| (row.noun, row.id)).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        let named = |noun, id: &str| (noun, id.to_owned());
        let (a, b) = (named("deployment", "a"), named("deployment", "b"));
        let all = [a, b.clone(), named("credential", "c")];
        let another = vault("another");
        assert_eq!(refused(&another).await, all);
        world.execute("UPDATE deployments SET secrets = '{\"k\":\"x1:\"}' WHERE id = 'b'").await;
        assert_eq!(refused(&old).await, [b]);
        let stored = db.stored_models(&old).await.expect("rows");
        assert_eq!((stored.deployments.len(), stored.credentials.len()), (2, 1));
        assert_eq!(old.fit(db).await.expect("a setting"), VaultFit::Same);
    });
}

#[test]
fn where_nothing_is_sealed_there_is_nothing_to_do() {
    on_both(async |world| {
        let by = By::program("key change", NOW);
        let keys = (&vault("old"), &vault("new"));
        let done = world.db.reseal(keys, &by, true).await.expect("nothing to do");
        assert_eq!(done, Resealed::default());
        let page = world.db.audit_log(&AuditFilter::default(), (0, 10)).await.expect("a page");
        assert_eq!(page.rows, []);
        assert_eq!(keys.1.fit(&world.db).await.expect("a setting"), VaultFit::Unused);
    });
}
