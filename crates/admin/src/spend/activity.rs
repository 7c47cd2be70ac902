//! `GET /global/activity`: calls and tokens day by day, in all and by model group.

use serde_json::{Value, json};
use tollgate_domain::UsageKind;
use tollgate_faults::Refusal;
use tollgate_policy::{Audience, LocalDay, Span};
use tollgate_store::Spend;

use super::{END, START, by_day, list, whose};
use crate::activity::days;
use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem;
use crate::route::Route;
use crate::shape::{Field, text};

const NAMES: [Field; 3] =
    [START, END, text("timezone", "A zone's name, or minutes that it is behind UTC")];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::question(
            "/global/activity",
            Audience::Keys,
            ("Calls and tokens day by day: everybody's, or the caller's own", &NAMES),
            whole,
        ),
        Route::question(
            "/global/activity/model",
            Audience::Keys,
            ("The same of each of the model groups that cost most", &NAMES),
            models,
        ),
    ]
}

async fn whole(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let days = days(&desk, &asked)?;
    let spent = by_day(&desk, whose(&desk), &days).await?;
    Ok(shown(days.iter().zip(&spent)))
}

async fn models(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let days = days(&desk, &asked)?;
    let spans: Vec<Span> = days.iter().map(|day| day.span).collect();
    let usage = desk.db.usage(&whose(&desk), None, &spans).await;
    let usage = usage.map_err(|problem| problem::store(&problem))?;
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in usage.days.iter().flat_map(|day| &day.models) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut models: Vec<Value> = names
        .into_iter()
        .map(|model| {
            let of_day = |parts: &[(String, Spend)]| {
                let part = parts.iter().find(|(name, _)| name == model);
                part.map(|(_, spend)| spend.clone()).unwrap_or_default()
            };
            let spent: Vec<Spend> = usage.days.iter().map(|day| of_day(&day.models)).collect();
            let mut shown = shown(days.iter().zip(&spent));
            shown["model"] = json!(model);
            shown
        })
        .collect();
    models.sort_by_key(|model| std::cmp::Reverse(model["sum_api_requests"].as_i64()));
    Ok(Value::Array(models))
}

/// Days without a call are left out, as in LiteLLM; each date is whole, so that years are told
/// apart.
fn shown<'a>(days: impl Iterator<Item = (&'a LocalDay, &'a Spend)> + Clone) -> Value {
    let called = days.filter(|(_, spend)| spend.entries > 0);
    let requests: i64 = called.clone().map(|(_, spend)| spend.entries).sum();
    let total = called.clone().map(|(_, spend)| tokens(spend)).fold(0, i64::saturating_add);
    json!({
        "daily_data": list(called.map(|(day, spend)| {
            json!({
                "date": day.date,
                "api_requests": spend.entries,
                "total_tokens": tokens(spend),
            })
        })),
        "sum_api_requests": requests,
        "sum_total_tokens": total,
    })
}

/// Whole tokens of a sum.
pub(super) fn tokens(spend: &Spend) -> i64 {
    of_kinds(spend, UsageKind::is_prompt).saturating_add(of_kinds(spend, UsageKind::is_completion))
}

/// Whole units of the kinds that belong to something.
pub(super) fn of_kinds(spend: &Spend, belongs: fn(UsageKind) -> bool) -> i64 {
    let kinds = UsageKind::ALL.into_iter().filter(|kind| belongs(*kind));
    let milli = kinds.map(|kind| spend.usage_milli[kind as usize]);
    milli.fold(0, i64::saturating_add) / 1_000
}
