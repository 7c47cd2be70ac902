//! `/credentials`: values that deployments take by name. Nobody is shown their secrets.

use serde_json::{Map, Value, json};
use tollgate_config::{CredentialEntry, is_credential_param};
use tollgate_faults::Refusal;
use tollgate_policy::Audience;
use tollgate_store::{CredentialRow, Params};

use super::write::merge;
use super::{ID, not_written, read_only, unreadable};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::entities::identity;
use crate::fields::{Change, Fields};
use crate::problem::{self, missing};
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, Shape, object, text};

/// The fields of a credential.
const NAME: &str = "credential_name";
const VALUES: &str = "credential_values";
const INFO: &str = "credential_info";

pub(super) fn routes() -> Vec<Route> {
    let naming = || Shape::of(&[text(NAME, "The credential").required()]);
    let more = [object(VALUES, "Its values by the names of `litellm_params`"), INFO_FIELD];
    let made = naming().and(&more).and(&[text(ID, "A deployment to take the values from")]);
    vec![
        Route::command(
            ("POST", "/credentials"),
            Audience::Admins,
            ("Add a credential to the database", made),
            new,
        ),
        Route::question("/credentials", Audience::Admins, ("Every credential", &[]), list),
        Route::question(
            "/credentials/by_name/{*credential_name}",
            Audience::Admins,
            ("One credential, its secrets masked", &[NAME_FIELD]),
            by_name,
        ),
        Route::question(
            "/credentials/by_model/{model_id}",
            Audience::Admins,
            ("What a deployment's own credential is, its secrets masked", &[MODEL_FIELD]),
            by_model,
        ),
        Route::command(
            ("PATCH", "/credentials/{*credential_name}"),
            Audience::Admins,
            ("Change a credential of the database", naming().and(&more)),
            update,
        ),
        Route::command(
            ("DELETE", "/credentials/{*credential_name}"),
            Audience::Admins,
            ("Delete a credential of the database", naming()),
            delete,
        ),
    ]
}

const INFO_FIELD: Field = object(INFO, "What is known of it, such as `custom_llm_provider`");
const NAME_FIELD: Field = text(NAME, "The credential").required();
const MODEL_FIELD: Field = text(ID, "The deployment").required();

async fn new(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    desk.must_store_models()?;
    let name = fields.required(NAME, identity)?;
    let mut values = fields.object(VALUES)?.value().unwrap_or_default();
    if let Change::Set(id) = fields.text(ID)? {
        let row = desk.deployment_row(ID, &id).await?;
        let mut taken = row.params.expose();
        taken.retain(|name, _| is_credential_param(name));
        merge(&mut taken, values);
        values = taken;
    }
    values.retain(|_, value| !value.is_null());
    if values.is_empty() {
        return Err(missing(VALUES, "a credential holds at least one value"));
    }
    if desk.shown_credential(&name).is_some() {
        return Err(problem::exists("credential", NAME, &name));
    }
    let now = desk.clock.now();
    let row = CredentialRow {
        name,
        values: Params::of_credential(values),
        info: fields.object(INFO)?.value().unwrap_or_default(),
        created_at: now,
        created_by: Some(desk.name()),
        updated_at: now,
        updated_by: Some(desk.name()),
    };
    let inserted = desk.edit().insert_credential(&desk.vault, &row).await;
    inserted.map_err(|problem| not_written(&problem, ("credential", NAME), &row.name))?;
    desk.configuration.renew().await;
    Ok(done("created"))
}

async fn list(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    let snapshot = desk.configuration.snapshot();
    let credentials: Vec<Value> = snapshot.credentials.iter().map(shown).collect();
    Ok(json!({ "success": true, "credentials": credentials }))
}

async fn by_name(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let name = asked.required(NAME)?;
    desk.shown_credential(name).ok_or_else(|| problem::absent("credential", NAME, name))
}

/// What stands in a deployment itself, under the deployment's name.
async fn by_model(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let id = asked.required(ID)?;
    let snapshot = desk.configuration.snapshot();
    let found = snapshot.entries.iter().find(|entry| entry.id.as_str() == id);
    let Some(entry) = found else { return Err(problem::absent("deployment", ID, id)) };
    let mut values: Map<String, Value> = entry.params.clone();
    values.retain(|name, _| is_credential_param(name));
    let masked = entry.masked.iter().filter(|name| is_credential_param(name));
    values.extend(masked.map(|name| (name.clone(), json!("****"))));
    Ok(json!({ NAME: id, VALUES: values, INFO: {} }))
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    desk.must_store_models()?;
    let name = fields.required(NAME, identity)?;
    let found = desk.db.find_credential(&desk.vault, &name).await;
    let mut row = match found.map_err(|problem| problem::store(&problem))? {
        Some(Ok(row)) => row,
        Some(Err(row)) => return Err(unreadable(&row)),
        None => return Err(desk.no_credential(&name)),
    };
    if let Change::Set(changed) = fields.object(VALUES)? {
        let mut values = row.values.expose();
        merge(&mut values, changed);
        if values.is_empty() {
            return Err(missing(VALUES, "a credential holds at least one value"));
        }
        row.values = Params::of_credential(values);
    }
    if let Change::Set(changed) = fields.object(INFO)? {
        merge(&mut row.info, changed);
    }
    let updated = desk.edit().update_credential(&desk.vault, &mut row).await;
    let updated =
        updated.map_err(|problem| not_written(&problem, ("credential", NAME), &row.name))?;
    problem::replaced(updated)?.ok_or_else(|| problem::absent("credential", NAME, &name))?;
    desk.configuration.renew().await;
    Ok(done("updated"))
}

/// Deletes a credential. Deployments that name it are left out, unless they hold what they need.
async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    desk.must_store_models()?;
    let name = fields.required(NAME, identity)?;
    let deleted = desk.edit().delete_credential(&name).await;
    if !deleted.map_err(|problem| problem::store(&problem))? {
        return Err(desk.no_credential(&name));
    }
    desk.configuration.renew().await;
    Ok(done("deleted"))
}

impl Admin {
    /// A credential as it may be shown.
    fn shown_credential(&self, name: &str) -> Option<Value> {
        let snapshot = self.configuration.snapshot();
        snapshot.credentials.iter().find(|one| one.name == name).map(shown)
    }

    /// Why there is no credential of the database with this name.
    fn no_credential(&self, name: &str) -> Refusal {
        let snapshot = self.configuration.snapshot();
        if snapshot.credentials.iter().any(|one| !one.stored && one.name == name) {
            return read_only("credential", NAME, name);
        }
        problem::absent("credential", NAME, name)
    }
}

fn shown(entry: &CredentialEntry) -> Value {
    json!({ NAME: entry.name, VALUES: entry.values, INFO: entry.info })
}

fn done(what: &str) -> Value {
    json!({ "success": true, "message": format!("Credential {what} successfully") })
}
