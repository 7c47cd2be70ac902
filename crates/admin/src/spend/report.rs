//! `GET /global/spend/report`: what teams, customers or keys spent, by model group.

use serde_json::{Value, json};
use tollgate_domain::{Level, Subject, UsageKind};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Audience, LocalDay, Span};
use tollgate_store::{DailyUsage, Spend};

use super::activity::{of_kinds, tokens};
use super::top::{labels, team_names};
use super::{END, START, list, span, spenders};
use crate::activity::days;
use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem;
use crate::query::key_id;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, choice, text};

/// Most teams, customers or keys of one report.
const ENTITIES_MAX: usize = 100;
/// Most days that one report sums, each entity's counted on its own.
const ROWS_MAX: usize = 1_000;
/// The name of what all models make up that are not told apart.
const OTHER_MODELS: &str = "(other models)";

const NAMES: [Field; 7] = [
    START.required(),
    END.required(),
    choice("group_by", &["team", "customer", "api_key"], "Whose spend is told apart"),
    text("api_key", "Only this key, by model group"),
    text("internal_user_id", "Only this user, by model group"),
    text("team_id", "Only this team"),
    text("customer_id", "Only this customer"),
];

pub(super) fn routes() -> Vec<Route> {
    let about = "What teams, customers or keys spent, by model group";
    vec![Route::question("/global/spend/report", Audience::SpendViewers, (about, &NAMES), report)]
}

async fn report(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let days = days(&desk, &asked)?;
    let named = ["api_key", "internal_user_id", "team_id", "customer_id"];
    if named.into_iter().filter(|name| asked.text(name).is_some()).count() > 1 {
        let message = "sums are kept of one at a time: name a key, a user, a team or a customer";
        return Err(Refusal::new(Reason::FieldWrongType, message).with_param("api_key"));
    }
    if let Some(key) = asked.text("api_key") {
        let Some(id) = key_id(&desk, Some(key)).await? else { return Ok(json!([])) };
        return by_model(&desk, Level::Key, vec![id], &days).await;
    }
    if let Some(user) = asked.text("internal_user_id") {
        return by_model(&desk, Level::User, vec![user.to_owned()], &days).await;
    }
    let level = match (asked.text("group_by"), asked.text("team_id"), asked.text("customer_id")) {
        (_, Some(_), _) | (None | Some("team"), _, None) => Level::Team,
        (_, _, Some(_)) | (Some("customer"), ..) => Level::Customer,
        (Some("api_key"), ..) => Level::Key,
        (Some(_), ..) => return Err(problem::wrong("group_by", "team, customer or api_key")),
    };
    let ids = match asked.text("team_id").or_else(|| asked.text("customer_id")) {
        Some(id) => vec![id.to_owned()],
        None => spenders(&desk, level, &days).await?.into_iter().map(|(id, _)| id).collect(),
    };
    match level {
        Level::Key => by_model(&desk, level, ids, &days).await,
        level => by_day(&desk, level, ids, &days).await,
    }
}

/// # Errors
/// Refused where the report would be longer than one answer is.
fn within(entities: usize, days: usize) -> Result<(), Refusal> {
    if entities <= ENTITIES_MAX && entities.saturating_mul(days) <= ROWS_MAX {
        return Ok(());
    }
    let message = format!(
        "a report has at most {ENTITIES_MAX} of them, and {ROWS_MAX} days of all together; ask \
         about fewer days, or about one of them"
    );
    Err(Refusal::new(Reason::FieldOutOfRange, message).with_param("end_date"))
}

/// Each with what it spent over all days, by model group.
async fn by_model(
    admin: &Admin,
    level: Level,
    ids: Vec<String>,
    days: &[LocalDay],
) -> Result<Value, Refusal> {
    within(ids.len(), 1)?;
    let Some(whole) = span(days) else { return Ok(json!([])) };
    let mut found: Vec<(String, Spend)> = Vec::with_capacity(ids.len());
    let mut parts = Vec::with_capacity(ids.len());
    for id in ids {
        let usage = usage(admin, &Subject::new(level, &id), &[whole]).await?;
        let Some(all) = usage.days.into_iter().next() else { continue };
        if all.total.entries > 0 {
            found.push((id, all.total));
            parts.push(models(all.models, all.others));
        }
    }
    let labels = labels(admin, &found).await?;
    let rows = found.iter().zip(&parts).map(|((id, total), models)| {
        let mut row = costs(total);
        row["model_details"] = list(models.iter().map(|(model, spend)| {
            let mut part = costs(spend);
            part["model"] = json!(model);
            part
        }));
        match level {
            Level::Key => row["api_key"] = json!(labels.get(id).map(|label| &label.hash)),
            _ => row["internal_user_id"] = json!(id),
        }
        row
    });
    Ok(list(rows))
}

fn costs(spend: &Spend) -> Value {
    json!({
        "total_cost": spend.cost,
        "total_input_tokens": of_kinds(spend, UsageKind::is_prompt),
        "total_output_tokens": of_kinds(spend, UsageKind::is_completion),
    })
}

/// Each day with what each team or customer spent on it, by model group.
async fn by_day(
    admin: &Admin,
    level: Level,
    ids: Vec<String>,
    days: &[LocalDay],
) -> Result<Value, Refusal> {
    within(ids.len(), days.len())?;
    let spans: Vec<Span> = days.iter().map(|day| day.span).collect();
    let names = match level {
        Level::Team => team_names(admin, ids.iter().map(String::as_str)).await?,
        _ => ids.clone(),
    };
    let mut rows: Vec<Vec<Value>> = vec![Vec::new(); days.len()];
    for (id, name) in ids.iter().zip(&names) {
        let usage = usage(admin, &Subject::new(level, id), &spans).await?;
        for (row, day) in rows.iter_mut().zip(usage.days) {
            if day.total.entries > 0 {
                let (total, models) = (day.total, models(day.models, day.others));
                row.push(entity(level, name, &total, &models));
            }
        }
    }
    let group = if level == Level::Team { "teams" } else { "customers" };
    let dated = days.iter().zip(rows).filter(|(_, row)| !row.is_empty());
    Ok(list(dated.map(|(day, row)| json!({ "group_by_day": day.date, group: row }))))
}

fn entity(level: Level, name: &str, total: &Spend, models: &[(String, Spend)]) -> Value {
    let field = if level == Level::Team { "team_name" } else { "customer" };
    let metadata = list(models.iter().map(|(model, spend)| {
        json!({
            "model": model,
            "spend": spend.cost,
            "total_tokens": tokens(spend),
            // Sums of a team's or customer's models are not kept by key.
            "api_key": null,
        })
    }));
    json!({ field: name, "total_spend": total.cost, "metadata": metadata })
}

fn models(mut models: Vec<(String, Spend)>, others: Option<Spend>) -> Vec<(String, Spend)> {
    let others = others.filter(|others| others.entries > 0);
    models.extend(others.map(|others| (OTHER_MODELS.to_owned(), others)));
    models
}

async fn usage(admin: &Admin, subject: &Subject, days: &[Span]) -> Result<DailyUsage, Refusal> {
    admin.db.usage(subject, None, days).await.map_err(|problem| problem::store(&problem))
}
