//! `/access_group`: names under which lists of models grant several deployments together. They
//! stand in `model_info.access_groups`; those of the file's deployments are seen and not changed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tollgate_config::ModelEntry;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Audience;
use tollgate_store::DeploymentRow;

use super::{not_written, read_only};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::entities::identity;
use crate::fields::Fields;
use crate::problem::{self, echo, missing};
use crate::route::Route;
use crate::shape::{Field, Shape, text, texts};

/// The field that names an access group.
const GROUP: &str = "access_group";
/// Where a deployment's access groups stand in `model_info`.
const GROUPS: &str = "access_groups";
const MODEL_NAMES: &str = "model_names";
const MODEL_IDS: &str = "model_ids";

const NAMED: [Field; 1] = [text(GROUP, "The access group").required()];
const MEMBERS: [Field; 2] = [
    texts(MODEL_NAMES, "The model groups whose deployments are in it"),
    texts(MODEL_IDS, "The deployments in it"),
];

pub(super) fn routes() -> Vec<Route> {
    let with_members = || Shape::of(&NAMED).and(&MEMBERS);
    vec![
        Route::command(
            ("POST", "/access_group/new"),
            Audience::Admins,
            ("Put deployments of the database into a new access group", with_members()),
            new,
        ),
        Route::question("/access_group/list", Audience::Admins, ("Every access group", &[]), list),
        Route::question(
            "/access_group/{access_group}/info",
            Audience::Admins,
            ("One access group", &NAMED),
            info,
        ),
        Route::command(
            ("PUT", "/access_group/{access_group}/update"),
            Audience::Admins,
            ("Replace the deployments of the database that are in it", with_members()),
            update,
        ),
        Route::command(
            ("DELETE", "/access_group/{access_group}/delete"),
            Audience::Admins,
            ("Take the deployments of the database out of it", Shape::of(&NAMED)),
            delete,
        ),
    ]
}

async fn new(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let group = fields.required(GROUP, identity)?;
    if members(&desk.configuration.snapshot().entries, &group).next().is_some() {
        // LiteLLM's status for it.
        return Err(problem::exists("access group", GROUP, &group).with_status(409));
    }
    put(&desk, &fields, &group).await
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let group = fields.required(GROUP, identity)?;
    must_exist(&desk, &group)?;
    put(&desk, &fields, &group).await
}

async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let group = fields.required(GROUP, identity)?;
    must_exist(&desk, &group)?;
    if members(&desk.configuration.snapshot().entries, &group).all(|entry| !entry.stored) {
        return Err(read_only("access group", GROUP, &group));
    }
    let updated = move_members(&desk, &group, &BTreeSet::new()).await?;
    let message = format!("Access group '{group}' deleted successfully");
    Ok(json!({ GROUP: group, "models_updated": updated, "message": message }))
}

async fn list(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    let snapshot = desk.configuration.snapshot();
    let mut groups: BTreeMap<&str, Vec<&ModelEntry>> = BTreeMap::new();
    for entry in &snapshot.entries {
        groups_of(entry).for_each(|group| groups.entry(group).or_default().push(entry));
    }
    let groups = groups.into_iter().map(|(group, members)| shown(group, &members));
    Ok(json!({ "access_groups": groups.collect::<Vec<_>>() }))
}

async fn info(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let group = asked.required(GROUP)?;
    must_exist(&desk, group)?;
    let snapshot = desk.configuration.snapshot();
    let members: Vec<&ModelEntry> = members(&snapshot.entries, group).collect();
    Ok(shown(group, &members))
}

fn shown(group: &str, members: &[&ModelEntry]) -> Value {
    let names: BTreeSet<&str> = members.iter().map(|entry| entry.model_name.as_str()).collect();
    let ids: Vec<&str> = members.iter().map(|entry| entry.id.as_str()).collect();
    let count = members.len();
    json!({ GROUP: group, MODEL_NAMES: names, MODEL_IDS: ids, "deployment_count": count })
}

/// Makes the named deployments the ones of the database that are in a group.
async fn put(desk: &Desk, fields: &Fields, group: &str) -> Result<Value, Refusal> {
    let names = fields.texts(MODEL_NAMES)?.value().unwrap_or_default();
    let ids = fields.texts(MODEL_IDS)?.value().unwrap_or_default();
    if names.is_empty() && ids.is_empty() {
        return Err(missing(MODEL_NAMES, "name the deployments by `model_names` or `model_ids`"));
    }
    let wanted = wanted(&desk.configuration.snapshot().entries, &names, &ids)?;
    let updated = move_members(desk, group, &wanted).await?;
    Ok(json!({ GROUP: group, MODEL_NAMES: names, MODEL_IDS: ids, "models_updated": updated }))
}

/// The ids of the deployments that a request names, all of them of the database.
fn wanted(
    entries: &[ModelEntry],
    names: &[String],
    ids: &[String],
) -> Result<BTreeSet<String>, Refusal> {
    let mut wanted = BTreeSet::new();
    for id in ids {
        let found = entries.iter().find(|entry| entry.id.as_str() == id);
        match found {
            Some(entry) if entry.stored => drop(wanted.insert(id.clone())),
            Some(_) => return Err(read_only("deployment", MODEL_IDS, id)),
            None => return Err(problem::absent("deployment", MODEL_IDS, id).with_status(400)),
        }
    }
    for name in names {
        let mut called =
            entries.iter().filter(|entry| entry.model_name.as_str() == name).peekable();
        if called.peek().is_none() {
            return Err(problem::absent("model", MODEL_NAMES, name).with_status(400));
        }
        let stored: Vec<String> =
            called.filter(|entry| entry.stored).map(|entry| entry.id.to_string()).collect();
        if stored.is_empty() {
            return Err(read_only("model", MODEL_NAMES, name));
        }
        wanted.extend(stored);
    }
    Ok(wanted)
}

/// Puts deployments of the database into a group and takes the others out of it, all or none. Gives
/// how many changed.
async fn move_members(
    desk: &Desk,
    group: &str,
    wanted: &BTreeSet<String>,
) -> Result<usize, Refusal> {
    desk.must_store_models()?;
    let mut changed: Vec<DeploymentRow> = Vec::new();
    for mut row in desk.stored_models().await?.deployments {
        let is_wanted = wanted.contains(row.id.as_str());
        let mut groups = listed(row.info.get(GROUPS));
        let is_member = groups.iter().any(|one| one == group);
        if is_wanted == is_member {
            continue;
        }
        if is_wanted {
            groups.push(group.to_owned());
        } else {
            groups.retain(|one| one != group);
        }
        row.info.insert(GROUPS.to_owned(), json!(groups));
        changed.push(row);
    }
    let updated = desk.edit().update_deployments(&desk.vault, &mut changed).await;
    let updated =
        updated.map_err(|problem| not_written(&problem, ("access group", GROUP), group))?;
    problem::replaced(updated)?.ok_or_else(|| {
        let message = "a deployment was deleted meanwhile; nothing was changed";
        Refusal::new(Reason::EntityNotFound, message).with_param(MODEL_IDS)
    })?;
    desk.configuration.renew().await;
    Ok(changed.len())
}

fn must_exist(desk: &Desk, group: &str) -> Result<(), Refusal> {
    if members(&desk.configuration.snapshot().entries, group).next().is_some() {
        return Ok(());
    }
    Err(problem::absent("access group", GROUP, &echo(group)))
}

fn members<'e>(
    entries: &'e [ModelEntry],
    group: &'e str,
) -> impl Iterator<Item = &'e ModelEntry> + 'e {
    entries.iter().filter(move |entry| groups_of(entry).any(|one| one == group))
}

fn groups_of(entry: &ModelEntry) -> impl Iterator<Item = &str> {
    let groups = entry.info.get(GROUPS).and_then(Value::as_array);
    groups.into_iter().flatten().filter_map(Value::as_str)
}

fn listed(groups: Option<&Value>) -> Vec<String> {
    let groups = groups.and_then(Value::as_array).into_iter().flatten();
    groups.filter_map(Value::as_str).map(str::to_owned).collect()
}
