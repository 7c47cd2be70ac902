//! What there is: the gateway's routes, and the providers and prices it knows.

use serde_json::{Value, json};
use tollgate_faults::Refusal;
use tollgate_policy::Audience;

use crate::asked::Asked;
use crate::desk::Desk;
use crate::route::Route;
use crate::routes::{Admin, routes as rows};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::open("/routes", "Every route of the gateway", listed),
        Route::question(
            "/public/litellm_model_cost_map",
            Audience::Keys,
            ("The prices in force of every model of the price list", &[]),
            prices,
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

async fn prices(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    Ok(Value::Object(desk.configuration.snapshot().cost_map()))
}
