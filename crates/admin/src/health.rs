//! `GET /health` and what belongs to it: what is known already. Nothing calls a provider.
//!
//! Whether a deployment is healthy is told by the calls of the last half hour, as the sums of the
//! ledger have them. One that nobody called counts as healthy, since nothing speaks against it.

use serde_json::{Value, json};
use tollgate_config::ModelEntry;
use tollgate_domain::{Level, Subject, Timestamp};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Audience, Span};
use tollgate_store::Spend;

use crate::asked::Asked;
use crate::desk::Desk;
use crate::models::theirs;
use crate::problem::{self, absent, echo};
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, text};

/// How long ago calls still tell something, in microseconds: two quarter-hours before the present
/// one.
const SEEN_MICROS: i64 = 30 * 60 * 1_000_000;
/// A quarter-hour in microseconds.
const QUARTER_MICROS: i64 = 15 * 60 * 1_000_000;
/// Most deployments of one answer.
const DEPLOYMENTS_MAX: usize = 1_000;

const WHICH: [Field; 2] =
    [text("model", "Only this model group"), text("model_id", "Only this deployment")];
const SERVICE: [Field; 1] = [text("service", "The service").required()];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::question(
            "/health",
            Audience::Keys,
            ("Which deployments answered calls in the last half hour; nothing is called", &WHICH),
            health,
        ),
        Route::question(
            "/health/readiness/details",
            Audience::Admins,
            ("Whether calls can be served, with what the operator should know", &[]),
            readiness,
        ),
        Route::question(
            "/health/backlog",
            Audience::Admins,
            ("How many calls are under way, and how many wait", &[]),
            backlog,
        ),
        Route::question(
            "/health/services",
            Audience::Keys,
            ("Refused: no service is sent test events", &SERVICE),
            services,
        ),
        Route::question(
            "/health/license",
            Audience::Admins,
            ("The licence: none is needed", &[]),
            license,
        ),
    ]
}

async fn health(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let snapshot = desk.configuration.snapshot();
    let mut deployments = theirs(&desk, &snapshot.entries).await?;
    deployments.retain(|entry| {
        asked.text("model").is_none_or(|model| entry.model_name.as_str() == model)
            && asked.text("model_id").is_none_or(|id| entry.id.as_str() == id)
    });
    let named = asked.text("model_id").or_else(|| asked.text("model"));
    if let (Some(id), true) = (named, deployments.is_empty()) {
        return Err(absent("deployment", "model", id));
    }
    if deployments.len() > DEPLOYMENTS_MAX {
        let message = format!("more than {DEPLOYMENTS_MAX} deployments; ask about one model");
        return Err(Refusal::new(Reason::FieldOutOfRange, message).with_param("model"));
    }
    let seen = seen(&desk, deployments.iter().map(|it| it.id.as_str())).await?;
    let (mut healthy, mut unhealthy) = (Vec::new(), Vec::new());
    for (deployment, spend) in deployments.into_iter().zip(&seen) {
        let error = error(deployment, spend);
        let list = if error.is_none() { &mut healthy } else { &mut unhealthy };
        list.push(shown(deployment, spend, error));
    }
    if let (Some(name), true) = (named, healthy.is_empty()) {
        let message = format!("no deployment of `{}` is healthy", echo(name));
        return Err(Refusal::new(Reason::AllDeploymentsFailing, message));
    }
    Ok(json!({
        "healthy_count": healthy.len(),
        "unhealthy_count": unhealthy.len(),
        "healthy_endpoints": healthy,
        "unhealthy_endpoints": unhealthy,
    }))
}

/// What calls of each deployment showed lately.
async fn seen<'a>(
    admin: &Admin,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<Spend>, Refusal> {
    let subjects: Vec<Subject> = ids.map(|id| Subject::new(Level::Deployment, id)).collect();
    let present = admin.clock.now().quarter_hour().micros();
    let at = Timestamp::from_micros;
    let span = Span { start: at(present - SEEN_MICROS), end: at(present + QUARTER_MICROS) };
    let found = admin.db.spends(&subjects, &[span]).await;
    let found = found.map_err(|problem| problem::store(&problem))?;
    Ok(found.into_iter().map(|sums| sums.into_iter().next().unwrap_or_default()).collect())
}

/// What speaks against a deployment.
fn error(entry: &ModelEntry, spend: &Spend) -> Option<String> {
    let failed = || format!("all of {} calls failed lately", spend.entries);
    entry.left_out.clone().or_else(|| all_failed(spend).then(failed))
}

const fn all_failed(spend: &Spend) -> bool {
    spend.entries > 0 && spend.failed >= spend.entries
}

/// A deployment's parameters without its credential, and what its calls showed.
fn shown(entry: &ModelEntry, spend: &Spend, error: Option<String>) -> Value {
    let mut shown = entry.params.clone();
    let fields = [
        ("model_id", json!(entry.id.as_str())),
        ("model_name", json!(entry.model_name.as_str())),
        ("calls", json!(spend.entries)),
        ("failed_calls", json!(spend.failed)),
    ];
    shown.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    shown.extend(error.map(|error| ("error".to_owned(), json!(error))));
    Value::Object(shown)
}

async fn readiness(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    let doing = desk.running.doing().await;
    if !doing.reasons.is_empty() {
        return Err(Refusal::new(Reason::StoreUnavailable, doing.reasons.join("; ")));
    }
    Ok(json!({
        "status": "healthy",
        "db": "connected",
        "cache": null,
        "litellm_version": env!("CARGO_PKG_VERSION"),
        "success_callbacks": [],
        "use_aiohttp_transport": false,
        "is_detailed_debug": false,
        "show_no_redis_warning": false,
        "notes": doing.notes,
    }))
}

async fn backlog(desk: Desk, _: Asked) -> Result<Value, Refusal> {
    let doing = desk.running.doing().await;
    Ok(json!({
        "in_flight_requests": doing.in_flight,
        "queued_requests": doing.waiting,
    }))
}

async fn services(_: Desk, asked: Asked) -> Result<Value, Refusal> {
    let service = echo(asked.required("service")?);
    let message = format!("`{service}`: this gateway sends no test events to other services");
    Err(Refusal::new(Reason::ParameterUnsupported, message).with_param("service"))
}

async fn license(_: Desk, _: Asked) -> Result<Value, Refusal> {
    Ok(json!({
        "has_license": false,
        "license_type": "community",
        "expiration_date": null,
        "allowed_features": [],
        "limits": { "max_users": null, "max_teams": null },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_unhealthy_only_when_every_call_failed() {
        for (entries, failed, all) in [(0, 0, false), (3, 2, false), (3, 3, true), (1, 0, false)] {
            let spend = Spend { entries, failed, ..Spend::default() };
            assert_eq!(all_failed(&spend), all, "{failed} of {entries}");
        }
    }
}
