//! What a team grants: models to its calls, and management routes to its members.

use serde_json::{Map, Value, json};
use tollgate_domain::ModelName;
use tollgate_faults::Refusal;
use tollgate_policy::{Audience, MEMBER_ROUTES};
use tollgate_store::EntityRow;

use super::teams::{PERMISSIONS, TEAM, must_change, must_see, shown};
use crate::asked::Asked;
use crate::authority::USUAL_PERMISSIONS;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem::wrong;
use crate::route::Route;
use crate::shape::{Field, Shape, text, texts};

/// Most models that a team lists.
const MODELS_MAX: usize = 1_000;

const TEAM_ID: Field = text("team_id", "The team").required();

pub(crate) fn routes() -> Vec<Route> {
    let models = texts("models", "The models, patterns or access groups").required();
    vec![
        Route::question(
            "/team/permissions_list",
            Audience::Keys,
            ("What a team lets its members do with its keys", &[TEAM_ID]),
            list,
        ),
        Route::command(
            ("POST", "/team/permissions_update"),
            Audience::Managers,
            (
                "Say what a team lets its members do with its keys",
                Shape::of(&[TEAM_ID, PERMISSIONS.required()]),
            ),
            update,
        ),
        Route::command(
            ("POST", "/team/model/add"),
            Audience::Admins,
            ("Grant a team more models", Shape::of(&[TEAM_ID, models])),
            |desk, fields| grant(desk, fields, true),
        ),
        Route::command(
            ("POST", "/team/model/delete"),
            Audience::Admins,
            ("Grant a team fewer models", Shape::of(&[TEAM_ID, models])),
            |desk, fields| grant(desk, fields, false),
        ),
    ]
}

/// # Errors
/// Refused when one of the routes cannot be given to members.
pub(super) fn known_permissions(fields: &Fields) -> Result<(), Refusal> {
    let given = fields.texts(PERMISSIONS.name)?.value().unwrap_or_default();
    match given.iter().find(|route| !MEMBER_ROUTES.contains(&route.as_str())) {
        Some(_) => Err(wrong(PERMISSIONS.name, format!("expected routes among {MEMBER_ROUTES:?}"))),
        None => Ok(()),
    }
}

async fn list(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let row = TEAM.find(&desk, asked.required(TEAM_ID.name)?).await?;
    must_see(&desk, &row)?;
    Ok(told(&row))
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    known_permissions(&fields)?;
    let mut row = TEAM.named(&desk, &fields).await?;
    must_change(&desk, &row)?;
    let given = fields.texts(PERMISSIONS.name)?.value().unwrap_or_default();
    row.metadata.insert(PERMISSIONS.name.to_owned(), json!(given));
    TEAM.save(&desk, &mut row).await?;
    Ok(told(&row))
}

fn told(row: &EntityRow) -> Value {
    let given = row.metadata.get(PERMISSIONS.name).cloned();
    json!({
        "team_id": row.id,
        "team_member_permissions": given.unwrap_or_else(|| json!(USUAL_PERMISSIONS)),
        "all_available_permissions": MEMBER_ROUTES,
    })
}

/// Adds models to a team's, or takes them away. A team without any has them all: adding to it
/// narrows it, as in LiteLLM, and taking the last one away is refused, because that would widen it.
async fn grant(desk: Desk, fields: Fields, add: bool) -> Result<Value, Refusal> {
    let mut row = TEAM.named(&desk, &fields).await?;
    must_change(&desk, &row)?;
    let models = fields.texts("models")?.value().unwrap_or_default();
    for model in &models {
        ModelName::new(model).map_err(|problem| wrong("models", problem))?;
    }
    let had = std::mem::take(&mut row.models);
    row.models = had.iter().filter(|model| !models.contains(model)).cloned().collect();
    if add {
        row.models.extend(models);
    }
    if row.models.len() > MODELS_MAX {
        return Err(wrong("models", format!("a team has at most {MODELS_MAX}")));
    }
    if row.models.is_empty() && !had.is_empty() {
        let message = "without any of them the team could use every model; grant it \
                       `no-default-models` first";
        return Err(wrong("models", message));
    }
    TEAM.save(&desk, &mut row).await?;
    let shown: Map<String, Value> = shown(&desk, &row).await?;
    Ok(Value::Object(shown))
}
