//! Logging callbacks of single teams: there are none. Asking says so; setting one is refused, since
//! nothing would send what it promises.

use serde_json::{Value, json};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Audience;

use super::teams::{TEAM, must_see};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::route::Route;
use crate::shape::{Field, Shape, choice, object, text};

const TEAM_ID: Field = text("team_id", "The team").required();
/// What a callback is told of, in LiteLLM.
const TYPES: [&str; 3] = ["success", "failure", "success_and_failure"];
const ABOUT: &str = "Refused: no team has logging callbacks of its own";

pub(crate) fn routes() -> Vec<Route> {
    let row = |method, path, takes| {
        Route::command((method, path), Audience::Admins, (ABOUT, takes), refused)
    };
    let name = text("callback_name", "The callback");
    vec![
        Route::question(
            "/team/{team_id}/callback",
            Audience::Admins,
            ("The logging callbacks of a team: none", &[TEAM_ID]),
            none,
        ),
        row(
            "POST",
            "/team/{team_id}/callback",
            Shape::of(&[
                TEAM_ID,
                name,
                choice("callback_type", &TYPES, "What it is told of"),
                object("callback_vars", "How it is reached"),
            ]),
        ),
        row(
            "DELETE",
            "/team/{team_id}/callback/{callback_name}",
            Shape::of(&[TEAM_ID, name.required()]),
        ),
        row("POST", "/team/{team_id}/disable_logging", Shape::of(&[TEAM_ID])),
    ]
}

/// In LiteLLM's shape.
async fn none(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let row = TEAM.find(&desk, asked.required(TEAM_ID.name)?).await?;
    must_see(&desk, &row)?;
    Ok(json!({
        "status": "success",
        "data": {
            "team_id": row.id,
            "success_callback": [],
            "failure_callback": [],
            "callback_vars": {},
        },
    }))
}

async fn refused(_: Desk, _: Fields) -> Result<Value, Refusal> {
    let message = "no team has logging callbacks of its own; nothing was changed";
    let fix = "read what a team did from `/spend/logs/v2?team_id=…`";
    Err(Refusal::new(Reason::ParameterUnsupported, message).with_fix(fix))
}
