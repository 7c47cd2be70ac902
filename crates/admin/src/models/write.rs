//! Adding, changing, pausing and deleting deployments of the database.

use serde_json::{Map, Value, json};
use tollgate_config::{ModelEntry, StoredDeployment};
use tollgate_domain::{DeploymentId, ModelName};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Audience;
use tollgate_store::{DeploymentRow, Params};

use super::{ID, INFO, NAME, PARAMS, not_written, shown};
use crate::desk::Desk;
use crate::fields::{Change, Fields};
use crate::problem::{self, missing, wrong};
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, Shape, object, text};

/// What the gateway itself says in `model_info`.
const OWN_INFO: [&str; 6] =
    ["blocked", "created_at", "created_by", "db_model", "updated_at", "updated_by"];
/// Deployments of teams are not there yet.
const OF_TEAMS: [&str; 2] = ["team_id", "team_public_model_name"];

pub(super) fn routes() -> Vec<Route> {
    let naming = || Shape::of(&[text(ID, "The deployment").required()]);
    let id = text("id", "The deployment").required();
    let other = text("id", "The deployment, where `model_info.id` does not name it").naming();
    vec![
        Route::command(
            ("POST", "/model/new"),
            Audience::Admins,
            ("Add a deployment to the database", Shape::of(&new_fields())),
            new,
        ),
        Route::command(
            ("PATCH", "/model/{model_id}/update"),
            Audience::Admins,
            ("Change a deployment of the database", naming().and(&fields())),
            update,
        ),
        Route::command(
            ("POST", "/model/update"),
            Audience::Admins,
            ("Change a deployment of the database", Shape::of(&[other]).and(&fields())),
            update_whole,
        ),
        Route::command(
            ("POST", "/model/delete"),
            Audience::Admins,
            ("Delete a deployment of the database", Shape::of(&[id])),
            delete,
        ),
        Route::command(
            ("POST", "/model/block"),
            Audience::Admins,
            ("Give a deployment of the database no calls for now", naming()),
            |desk, fields| block(desk, fields, true),
        ),
        Route::command(
            ("POST", "/model/unblock"),
            Audience::Admins,
            ("Give a deployment of the database calls again", naming()),
            |desk, fields| block(desk, fields, false),
        ),
    ]
}

const fn fields() -> [Field; 3] {
    [
        text(NAME, "The name of its model group, or a pattern"),
        object(PARAMS, "What is called and how, as in the configuration file"),
        object(INFO, "Its id, access groups, prices and limits, as in the configuration file"),
    ]
}

const fn new_fields() -> [Field; 3] {
    let [name, params, info] = fields();
    [name.required(), params.required(), info]
}

async fn new(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    desk.must_store_models()?;
    let mut info = fields.object(INFO)?.value().unwrap_or_default();
    let id = id_of(&info)?.unwrap_or_else(|| desk.fresh_id());
    let id = DeploymentId::new(&id).map_err(|problem| wrong("model_info.id", problem))?;
    let blocked = flag(&info, "blocked")?.unwrap_or(false);
    keep_own(&mut info)?;
    info.retain(|_, value| !value.is_null());
    let mut params = fields.object(PARAMS)?.value().unwrap_or_default();
    params.retain(|_, value| !value.is_null());
    let now = desk.clock.now();
    let row = DeploymentRow {
        id,
        model_name: fields.required(NAME, ModelName::new)?,
        params: Params::of_deployment(params),
        info,
        blocked,
        created_at: now,
        created_by: Some(desk.name()),
        updated_at: now,
        updated_by: Some(desk.name()),
    };
    let entries = &desk.configuration.snapshot().entries;
    if entries.iter().any(|entry| entry.id == row.id) {
        return Err(problem::exists("deployment", "model_info.id", row.id.as_str()));
    }
    let entry = usable(&desk, &row).await?;
    let inserted = desk.edit().insert_deployment(&desk.vault, &row).await;
    inserted.map_err(|problem| {
        not_written(&problem, ("deployment", "model_info.id"), row.id.as_str())
    })?;
    desk.configuration.renew().await;
    Ok(shown::row(&row, entry.as_ref()))
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let id = fields.required(ID, DeploymentId::new)?;
    change(&desk, &fields, (ID, id.as_str())).await
}

/// LiteLLM's older way: the same, with the id in `model_info`, or beside it as its client sends it.
async fn update_whole(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let info = fields.object(INFO)?.value().unwrap_or_default();
    let beside = fields.parsed("id", DeploymentId::new)?.value().map(|id| id.to_string());
    let id = match (id_of(&info)?, beside) {
        (Some(within), Some(beside)) if within != beside => {
            return Err(wrong("id", "`model_info.id` names another deployment"));
        }
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => {
            return Err(missing("model_info.id", "`model_info.id` names the deployment"));
        }
    };
    change(&desk, &fields, ("model_info.id", &id)).await
}

/// Changes a deployment: of its fields and of what stands in them, absent ones stay, null removes,
/// a value replaces.
async fn change(desk: &Desk, fields: &Fields, (field, id): (&str, &str)) -> Result<Value, Refusal> {
    desk.must_store_models()?;
    let mut row = desk.deployment_row(field, id).await?;
    match fields.parsed(NAME, ModelName::new)? {
        Change::Unchanged => {}
        Change::Removed => return Err(missing(NAME, "a deployment has a `model_name`")),
        Change::Set(name) => row.model_name = name,
    }
    if let Change::Set(changed) = fields.object(PARAMS)? {
        let mut params = row.params.expose();
        merge(&mut params, changed);
        row.params = Params::of_deployment(params);
    }
    if let Change::Set(mut changed) = fields.object(INFO)? {
        if id_of(&changed)?.is_some_and(|named| named != id) {
            return Err(wrong("model_info.id", "an id cannot be changed"));
        }
        if let Some(blocked) = flag(&changed, "blocked")? {
            row.blocked = blocked;
        }
        keep_own(&mut changed)?;
        merge(&mut row.info, changed);
    }
    let entry = usable(desk, &row).await?;
    save(desk, &mut row).await?;
    Ok(shown::row(&row, entry.as_ref()))
}

async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    desk.must_store_models()?;
    let id = fields.required("id", DeploymentId::new)?;
    let deleted = desk.edit().delete_deployment(&id).await;
    if !deleted.map_err(|problem| problem::store(&problem))? {
        // LiteLLM's status for it.
        return Err(desk.not_stored("id", id.as_str()).with_status(400));
    }
    desk.configuration.renew().await;
    Ok(json!({ "message": format!("Model: {id} deleted successfully") }))
}

async fn block(desk: Desk, fields: Fields, blocked: bool) -> Result<Value, Refusal> {
    desk.must_store_models()?;
    let id = fields.required(ID, DeploymentId::new)?;
    let mut row = desk.deployment_row(ID, id.as_str()).await?;
    row.blocked = blocked;
    save(&desk, &mut row).await?;
    let snapshot = desk.configuration.snapshot();
    Ok(shown::row(&row, snapshot.entries.iter().find(|entry| entry.id == row.id)))
}

/// Stores a changed row and puts it into force.
async fn save(desk: &Desk, row: &mut DeploymentRow) -> Result<(), Refusal> {
    let updated = desk.edit().update_deployments(&desk.vault, std::slice::from_mut(row)).await;
    let id = row.id.as_str();
    let updated = updated.map_err(|problem| not_written(&problem, ("deployment", ID), id))?;
    problem::replaced(updated)?.ok_or_else(|| problem::absent("deployment", ID, id))?;
    desk.configuration.renew().await;
    Ok(())
}

/// What a row would be in the configuration.
///
/// # Errors
/// Refused when it would be left out for what is written in it. That the environment of this
/// gateway lacks something is no reason: another one's may not.
pub(super) async fn usable(
    admin: &Admin,
    row: &DeploymentRow,
) -> Result<Option<ModelEntry>, Refusal> {
    let examined = admin.configuration.examine(candidate(row)).await?;
    match examined.left_out {
        Some(left_out) if !left_out.lacking => {
            Err(Refusal::new(Reason::EntryUnusable, left_out.problem).with_param(PARAMS))
        }
        _ => Ok(examined.entry),
    }
}

/// The row as the configuration takes it.
pub(super) fn candidate(row: &DeploymentRow) -> StoredDeployment {
    StoredDeployment {
        id: row.id.clone(),
        model_name: row.model_name.clone(),
        params: row.params.expose(),
        info: row.info.clone(),
        blocked: row.blocked,
    }
}

/// The fields of `to` with the changed ones.
pub(super) fn merge(to: &mut Map<String, Value>, changed: Map<String, Value>) {
    for (name, value) in changed {
        if value.is_null() {
            to.remove(&name);
        } else {
            to.insert(name, value);
        }
    }
}

/// The id that `model_info` names.
pub(super) fn id_of(info: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    match info.get("id") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) if !id.is_empty() => Ok(Some(id.clone())),
        Some(_) => Err(wrong("model_info.id", "expected text that is not empty")),
    }
}

fn flag(info: &Map<String, Value>, name: &str) -> Result<Option<bool>, Refusal> {
    match info.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(wrong(&format!("{INFO}.{name}"), "expected true or false")),
    }
}

/// Takes out what is not kept in `model_info`: the id, and what the gateway itself says there.
fn keep_own(info: &mut Map<String, Value>) -> Result<(), Refusal> {
    let of_team = |name: &&&str| info.get(**name).is_some_and(|value| !value.is_null());
    if let Some(name) = OF_TEAMS.iter().find(of_team) {
        let message = format!("`{INFO}.{name}`: this gateway does not support it yet");
        let refusal = Refusal::new(Reason::ParameterUnsupported, message);
        return Err(refusal.with_param(format!("{INFO}.{name}")));
    }
    info.retain(|name, _| name != "id" && !OWN_INFO.contains(&&**name));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).expect("an object")
    }

    #[test]
    fn absent_stays_null_removes_and_a_value_replaces() {
        let mut params = object(json!({"model": "a", "rpm": 1, "timeout": 2}));
        merge(&mut params, object(json!({"rpm": null, "timeout": 3, "tpm": 4, "order": null})));
        assert_eq!(params, object(json!({"model": "a", "timeout": 3, "tpm": 4})));
    }

    #[test]
    fn what_the_gateway_says_of_a_deployment_is_not_kept_and_what_it_lacks_is_refused() {
        let mut info = object(json!({
            "id": "a", "db_model": true, "created_at": "x", "mode": "chat", "team_id": null
        }));
        keep_own(&mut info).expect("nothing is lacking");
        assert_eq!(info, object(json!({"mode": "chat", "team_id": null})));
        let refusal = keep_own(&mut object(json!({"team_id": "t"}))).expect_err("a team");
        assert_eq!(refusal.param.as_deref(), Some("model_info.team_id"));
    }

    #[test]
    fn an_id_is_text() {
        assert_eq!(id_of(&object(json!({"id": "a"}))).expect("an id").as_deref(), Some("a"));
        assert_eq!(id_of(&object(json!({"id": null}))).expect("none"), None);
        assert!(id_of(&object(json!({"id": 5}))).is_err());
        assert!(id_of(&object(json!({"id": ""}))).is_err());
    }
}
