//! Changes of the configuration over HTTP: refused, with where they are made instead.

use serde_json::Value;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Audience;

use crate::desk::Desk;
use crate::fields::Fields;
use crate::route::Route;
use crate::shape::{Shape, list, object, text};

/// Where changes are made.
const FIX: &str = "change the configuration file; the gateway reads it again at once";
const ABOUT: &str = "Refused: the configuration file is the truth";

pub(super) fn routes() -> Vec<Route> {
    let row = |method, path, takes| {
        Route::command((method, path), Audience::Admins, (ABOUT, takes), refused)
    };
    let unread = |method, path| {
        let row = ((method, path), Audience::Admins, ABOUT);
        Route::refused(row, &[], truth)
    };
    let field = [text("field_name", "The field"), text("config_type", "Its section")];
    let model = text("model", "The model group");
    vec![
        row(
            "POST",
            "/config/update",
            Shape::of(&[
                object("environment_variables", "Variables"),
                object("general_settings", "General settings"),
                object("litellm_settings", "Settings of calls"),
                object("router_settings", "Settings of routing"),
            ]),
        ),
        row(
            "POST",
            "/config/field/update",
            Shape::of(&field).and(&[text("field_value", "A value")]),
        ),
        row("POST", "/config/field/delete", Shape::of(&field)),
        row(
            "POST",
            "/fallback",
            Shape::of(&[
                model,
                list("fallback_models", "The model groups to try"),
                text("fallback_type", "After which failures"),
            ]),
        ),
        row("DELETE", "/fallback/{model}", Shape::of(&[model.required()])),
        unread("PATCH", "/config/cost_discount_config"),
        unread("PATCH", "/config/cost_margin_config"),
        unread("POST", "/config/pass_through_endpoint"),
        unread("DELETE", "/config/pass_through_endpoint"),
        Route::refused(
            (("POST", "/config/pass_through_endpoint/{endpoint_id}"), Audience::Admins, ABOUT),
            &[text("endpoint_id", "The route").required()],
            truth,
        ),
    ]
}

async fn refused(_: Desk, _: Fields) -> Result<Value, Refusal> {
    Err(truth())
}

fn truth() -> Refusal {
    let message = "the configuration file says how this gateway works; nothing was changed";
    Refusal::new(Reason::ParameterUnsupported, message).with_fix(FIX)
}
