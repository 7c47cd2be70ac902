//! `general_settings` as they are in force, one by one. What is secret is not among them.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_config::Settings;
use tollgate_faults::Refusal;
use tollgate_policy::Audience;

use super::router;
use crate::asked::Asked;
use crate::desk::Desk;
use crate::entities::teams::TEAM;
use crate::problem::{self, absent};
use crate::route::Route;
use crate::shape::{Field, choice, text};

/// Bytes of LiteLLM's megabytes.
const BYTES_PER_MB: u64 = 1024 * 1024;

/// One setting.
struct Setting {
    name: &'static str,
    kind: &'static str,
    about: &'static str,
    value: fn(&Settings) -> Value,
}

const SETTINGS: [Setting; 8] = [
    Setting {
        name: "max_request_size_mb",
        kind: "Integer",
        about: "The largest request body",
        value: |settings| json!(settings.request_bytes_max / BYTES_PER_MB),
    },
    Setting {
        name: "max_response_size_mb",
        kind: "Integer",
        about: "The largest answer that is read whole",
        value: |settings| json!(settings.response_bytes_max / BYTES_PER_MB),
    },
    Setting {
        name: "global_max_parallel_requests",
        kind: "Integer",
        about: "The most calls at one time",
        value: |settings| json!(settings.calls_in_flight_max),
    },
    Setting {
        name: "always_include_stream_usage",
        kind: "Boolean",
        about: "Whether every stream shows its usage",
        value: |settings| json!(settings.always_include_stream_usage),
    },
    Setting {
        name: "keepalive_interval_ms",
        kind: "Integer",
        about: "How long the client of a stream hears nothing at most",
        value: |settings| json!(settings.keepalive.map(millis)),
    },
    Setting {
        name: "litellm_key_header_name",
        kind: "String",
        about: "The only header that a key is read from",
        value: |settings| json!(settings.key_header),
    },
    Setting {
        name: "responses_retention",
        kind: "String",
        about: "How long answers of the Responses API are kept",
        value: |settings| json!(seconds(settings.responses_retention)),
    },
    Setting {
        name: "maximum_spend_logs_retention_period",
        kind: "String",
        about: "How long the ledger's entries are kept",
        value: |settings| json!(settings.entries_kept.map(seconds)),
    },
];

/// What is told of routes to which requests are passed on as they are.
const PASSED: &str = "Routes that pass requests on as they are; there are none";
const LIST: [Field; 1] =
    [choice("config_type", &["general_settings"], "The section; there is one")];
const ONE: [Field; 1] = [text("field_name", "The setting").required()];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::question(
            "/config/list",
            Audience::OrganizationAdmins,
            ("The general settings in force", &LIST),
            list,
        ),
        Route::question(
            "/config/field/info",
            Audience::OrganizationAdmins,
            ("One general setting", &ONE),
            one,
        ),
        Route::question(
            "/get/config/callbacks",
            Audience::OrganizationAdmins,
            ("The callbacks, of which there are none, and the settings of routing", &[]),
            callbacks,
        ),
        nothing("/config/cost_discount_config", "The discounts on prices; there are none", values),
        nothing("/config/cost_margin_config", "The margins on prices; there are none", values),
        nothing("/config/pass_through_endpoint", PASSED, endpoints),
        Route::question(
            "/config/pass_through_endpoint/team/{team_id}",
            Audience::Admins,
            (PASSED, &[text("team_id", "The team").required()]),
            endpoints_of_team,
        ),
        Route::open(
            "/config/yaml",
            "LiteLLM's placeholder; it tells nothing",
            |_| json!({ "hello": "world" }),
        ),
    ]
}

/// A setting of LiteLLM's that the file cannot make here.
fn nothing<F, A>(path: &'static str, about: &'static str, run: F) -> Route
where
    F: Fn(Desk, Asked) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<Value, Refusal>> + Send,
{
    Route::question(path, Audience::Admins, (about, &[]), run)
}

async fn values(_: Desk, _: Asked) -> Result<Value, Refusal> {
    Ok(json!({ "values": {} }))
}

async fn endpoints(_: Desk, _: Asked) -> Result<Value, Refusal> {
    Ok(json!({ "endpoints": [] }))
}

async fn endpoints_of_team(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    TEAM.must_exist(&desk, asked.required("team_id")?).await?;
    endpoints(desk, asked).await
}

async fn list(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    if asked.text("config_type").is_some_and(|kind| kind != "general_settings") {
        return Err(problem::wrong("config_type", "expected `general_settings`"));
    }
    let snapshot = desk.configuration.snapshot();
    let shown = SETTINGS.iter().map(|setting| {
        json!({
            "field_name": setting.name,
            "field_type": setting.kind,
            "field_description": setting.about,
            "field_value": (setting.value)(&snapshot.settings),
            "stored_in_db": false,
            "field_default_value": null,
            "premium_field": false,
            "nested_fields": null,
            "editable": false,
        })
    });
    Ok(shown.collect())
}

async fn one(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let name = asked.required("field_name")?;
    let setting = SETTINGS.iter().find(|setting| setting.name == name);
    let setting = setting.ok_or_else(|| {
        // LiteLLM's status for it.
        absent("setting to be shown", "field_name", name).with_status(400)
    })?;
    let snapshot = desk.configuration.snapshot();
    Ok(json!({
        "field_name": setting.name,
        "field_value": (setting.value)(&snapshot.settings),
        "editable": false,
    }))
}

async fn callbacks(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    let snapshot = desk.configuration.snapshot();
    Ok(json!({
        "status": "success",
        "callbacks": [],
        "alerts": [],
        "router_settings": router::values(&snapshot),
        "available_callbacks": {},
    }))
}

/// A duration as the configuration writes it.
fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
