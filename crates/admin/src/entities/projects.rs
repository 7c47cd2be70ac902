//! Projects: work within a team that keys belong to, with models and a budget of its own.

use serde_json::{Map, Value, json};
use tollgate_domain::{Level, ProjectId, TeamId};
use tollgate_faults::Refusal;
use tollgate_policy::{Audience, Scope};
use tollgate_store::{EntityRow, KeyFilter};

use super::{Family, listed, teams};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::gatekeeper::Actor;
use crate::problem::{self, wrong};
use crate::query::forbidden;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, Shape, text};

/// Projects. Which team one is in stands in its metadata, since its identity is its alone.
pub(crate) const PROJECT: Family = Family {
    level: Level::Project,
    id: "project_id",
    alias: Some("project_alias"),
    fields: &["blocked", "models", "metadata"],
    kept: &[TEAM, text("description", "What it is for")],
    not_yet: &[
        "allowed_models",
        "budget_reset_at",
        "guardrails",
        "model_itpm_limit",
        "model_otpm_limit",
        "object_permission",
        "policies",
        "tags",
    ],
};
const TEAM: Field = text("team_id", "The team that it is in");

pub(crate) fn routes() -> Vec<Route> {
    let admins = Audience::Admins;
    let who = [text(PROJECT.id, "The project").required()];
    vec![
        Route::command(("POST", "/project/new"), admins, ("Make a project", new_shape()), new),
        Route::command(
            ("POST", "/project/update"),
            admins,
            ("Change a project", PROJECT.shape()),
            update,
        ),
        Route::command(
            ("DELETE", "/project/delete"),
            admins,
            ("Delete projects with their keys", Family::listing("project_ids")),
            delete,
        ),
        Route::question("/project/info", Audience::Keys, ("A project", &who), info),
        Route::question("/project/list", Audience::Keys, ("Projects", &[]), list),
    ]
}

/// A new project is in a team.
fn new_shape() -> Shape {
    let mut shape = PROJECT.shape();
    let team = shape.fields.iter_mut().find(|field| field.name == TEAM.name);
    team.into_iter().for_each(|field| *field = field.required());
    shape
}

async fn new(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let mut row = PROJECT.blank(&desk, &fields)?;
    apply(&desk, &fields, &mut row).await?;
    PROJECT.insert(&desk, std::slice::from_ref(&row)).await?;
    shown(&desk, &row).await
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let mut row = PROJECT.named(&desk, &fields).await?;
    let before = team(&row).map(str::to_owned);
    apply(&desk, &fields, &mut row).await?;
    if before.as_deref() != team(&row) {
        must_have_no_keys(&desk, &row).await?;
    }
    PROJECT.save(&desk, &mut row).await?;
    shown(&desk, &row).await
}

async fn apply(desk: &Desk, fields: &Fields, row: &mut EntityRow) -> Result<(), Refusal> {
    PROJECT.apply(desk, fields, row).await?;
    let Some(id) = team(row) else {
        return Err(problem::missing(TEAM.name, "a project is in a team"));
    };
    if fields.has(TEAM.name) {
        teams::TEAM.must_exist(desk, id).await?;
    }
    Ok(())
}

/// A project's keys spend its team's money, so that it moves without them alone.
async fn must_have_no_keys(admin: &Admin, row: &EntityRow) -> Result<(), Refusal> {
    let of_project = KeyFilter { project: Some(row.id.clone()), ..KeyFilter::default() };
    let keys = admin.db.list_keys(&of_project, 0, 1).await;
    if keys.map_err(|problem| problem::store(&problem))?.total == 0 {
        return Ok(());
    }
    Err(wrong(TEAM.name, "the keys of this project belong to its team; delete them first"))
}

async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let mut answer = Vec::new();
    for id in listed(&fields, "project_ids")? {
        answer.push(shown(&desk, &PROJECT.find(&desk, &id).await?).await?);
    }
    PROJECT.delete(&desk, &fields, "project_ids").await?;
    Ok(Value::Array(answer))
}

async fn info(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let id = asked.required(PROJECT.id)?;
    let found = desk.db.find_entity(Level::Project, "", id).await;
    let found = found.map_err(|problem| problem::store(&problem))?;
    let Some(row) = found else {
        // Whoever may not see projects does not learn which there are.
        desk.must_see(Scope::Gateway)?;
        return Err(PROJECT.absent(id));
    };
    if !may_see(&desk, &row).await? {
        return Err(forbidden("this is not the caller's to see"));
    }
    shown(&desk, &row).await
}

async fn list(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    let mut projects = Vec::new();
    for row in PROJECT.every(&desk).await? {
        if may_see(&desk, &row).await? {
            projects.push(shown(&desk, &row).await?);
        }
    }
    Ok(Value::Array(projects))
}

/// A project is seen by its keys, and by whoever sees its team.
async fn may_see(desk: &Desk, row: &EntityRow) -> Result<bool, Refusal> {
    let own = match desk.actor() {
        Actor::Key(key) => key.attribution.project.as_ref().map(ProjectId::as_str),
        Actor::Master => None,
    };
    if desk.by.sees_all() || own == Some(&row.id) {
        return Ok(true);
    }
    let Some(Ok(id)) = team(row).map(TeamId::new) else { return Ok(false) };
    let team = desk.db.find_entity(Level::Team, "", id.as_str()).await;
    let team = team.map_err(|problem| problem::store(&problem))?;
    let organization = team.and_then(|team| team.organization);
    Ok(desk.may_see(Scope::Team { id: &id, organization: organization.as_ref() }))
}

fn team(row: &EntityRow) -> Option<&str> {
    row.metadata.get(TEAM.name).and_then(Value::as_str)
}

async fn shown(admin: &Admin, row: &EntityRow) -> Result<Value, Refusal> {
    let mut shown: Map<String, Value> = PROJECT.shown_with_budget(admin, row).await?;
    // LiteLLM's sums by model, which nobody keeps here.
    shown.insert("model_spend".to_owned(), json!({}));
    Ok(Value::Object(shown))
}
