//! What there is: the gateway's routes, and the providers and prices it knows.

use serde_json::{Value, json};
use tollgate_faults::Refusal;
use tollgate_policy::Audience;

use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem;
use crate::route::Route;
use crate::routes::{Admin, routes as rows};
use crate::shape::text;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::open("/routes", "Every route of the gateway", listed),
        Route::question(
            "/public/litellm_model_cost_map",
            Audience::Keys,
            ("The prices in force of every model of the price list", &[]),
            prices,
        ),
        Route::question(
            "/utils/supported_openai_params",
            Audience::Admins,
            (
                "The parameters of OpenAI's chats that a model takes, as this gateway would send \
                 them",
                &[text("model", "The model group").required()],
            ),
            parameters,
        ),
        Route::open("/public/providers", "The names of all providers, sorted", providers),
    ]
}

fn listed(admin: &Admin) -> Value {
    let row = |(method, path): (&str, &str)| {
        let methods = [method];
        json!({ "path": path, "methods": methods, "name": null, "endpoint": null })
    };
    let data = admin.running.routes().into_iter().map(row);
    let management = rows().into_iter().map(|described| row((described.method, described.path)));
    json!({ "routes": data.chain(management).collect::<Vec<_>>() })
}

fn providers(admin: &Admin) -> Value {
    json!(admin.running.providers())
}

async fn parameters(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let model = asked.required("model")?;
    // LiteLLM's status for it.
    let unknown = || problem::absent("model", "model", model).with_status(400);
    let parameters = desk.running.parameters(model).ok_or_else(unknown)?;
    let parameters = parameters.map_err(|refusal| refusal.with_status(400))?;
    Ok(json!({ "supported_openai_params": parameters }))
}

async fn prices(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    Ok(Value::Object(desk.configuration.snapshot().cost_map()))
}
