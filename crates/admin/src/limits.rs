//! The limit fields of the management API: the same for a key, a team, a budget or any other level.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tollgate_domain::{ModelName, Money, Timestamp};
use tollgate_faults::Refusal;
use tollgate_policy::Period;
use tollgate_store::{LimitFields, ModelBudgetField, WindowField};

use crate::fields::{Change, Fields};
use crate::problem::wrong;
use crate::shape::{Field, choice, count, dollars, instant as at, list, object, text};

/// The limit fields, by name.
pub(crate) const LIMITS: [Field; 13] = [
    choice("anchor", &["created_at"], "What periods are counted from, where not the calendar"),
    dollars("max_budget", "Most dollars in one period"),
    dollars("soft_budget", "Dollars above which it is told, and nothing refused"),
    text("budget_duration", "The period of the budget, such as `30d`, `1mo` or `24h`"),
    list("budget_limits", "More budgets, each `{budget_duration, max_budget}`"),
    object("model_max_budget", "Budgets for single models"),
    count("rpm_limit", "Most requests a minute"),
    count("tpm_limit", "Most tokens a minute"),
    count("max_parallel_requests", "Most calls at once"),
    object("model_rpm_limit", "Most requests a minute for single models"),
    object("model_tpm_limit", "Most tokens a minute for single models"),
    dollars("temp_budget_increase", "Dollars that are added to the budget for a while"),
    at("temp_budget_expiry", "Until when they are added"),
];

/// Most windows of one level, and most models with limits of their own.
const LISTED_MAX: usize = 100;

/// Applies what a request sent. Absent fields stay, null removes, a value replaces; windows are
/// replaced as a set, and whatever stays of them keeps what it counted.
pub(crate) fn apply(fields: &Fields, limits: &mut LimitFields) -> Result<(), Refusal> {
    fields.dollars("max_budget")?.apply(&mut limits.max_budget);
    fields.dollars("soft_budget")?.apply(&mut limits.soft_budget);
    if fields.has("budget_duration") || fields.has("anchor") {
        // Another period: the window that was taken over goes with the one it belonged to.
        limits.running = None;
    }
    fields.parsed("budget_duration", period)?.apply(&mut limits.budget_duration);
    fields.parsed("anchor", anchor)?.apply(&mut limits.anchor);
    fields.count("rpm_limit")?.apply(&mut limits.rpm_limit);
    fields.count("tpm_limit")?.apply(&mut limits.tpm_limit);
    fields.count("max_parallel_requests")?.apply(&mut limits.max_parallel_requests);
    windows(fields)?.apply_or_default(&mut limits.budget_limits);
    model_budgets(fields)?.apply_or_default(&mut limits.model_max_budget);
    model_rates(fields, "model_rpm_limit")?.apply_or_default(&mut limits.model_rpm_limit);
    model_rates(fields, "model_tpm_limit")?.apply_or_default(&mut limits.model_tpm_limit);
    fields.dollars("temp_budget_increase")?.apply(&mut limits.temp_budget_increase);
    fields.parsed("temp_budget_expiry", instant)?.apply(&mut limits.temp_budget_expiry);
    if limits.temp_budget_increase.is_some() != limits.temp_budget_expiry.is_some() {
        let message = "`temp_budget_increase` and `temp_budget_expiry` are set together";
        return Err(wrong("temp_budget_increase", message));
    }
    Ok(())
}

/// The limit fields as LiteLLM's clients expect them.
pub(crate) fn show(limits: &LimitFields, shown: &mut Map<String, Value>) {
    let windows: Vec<Value> = limits
        .budget_limits
        .iter()
        .map(|window| {
            let WindowField { budget_duration, max_budget, running: _ } = window;
            json!({"budget_duration": budget_duration, "max_budget": max_budget})
        })
        .collect();
    let windows = if windows.is_empty() { Value::Null } else { Value::Array(windows) };
    let budgets: Map<String, Value> = limits
        .model_max_budget
        .iter()
        .map(|(model, budget)| (model.clone(), model_budget_shown(budget)))
        .collect();
    let expiry = limits.temp_budget_expiry.map(|at| Timestamp::from_micros(at).to_string());
    let fields = [
        ("max_budget", json!(limits.max_budget)),
        ("soft_budget", json!(limits.soft_budget)),
        ("budget_duration", json!(limits.budget_duration)),
        ("anchor", json!(limits.anchor)),
        ("budget_limits", windows),
        ("model_max_budget", Value::Object(budgets)),
        ("rpm_limit", json!(limits.rpm_limit)),
        ("tpm_limit", json!(limits.tpm_limit)),
        ("max_parallel_requests", json!(limits.max_parallel_requests)),
        ("model_rpm_limit", rates_shown(&limits.model_rpm_limit)),
        ("model_tpm_limit", rates_shown(&limits.model_tpm_limit)),
        ("temp_budget_increase", json!(limits.temp_budget_increase)),
        ("temp_budget_expiry", json!(expiry)),
    ];
    shown.extend(fields.map(|(name, value)| (name.to_owned(), value)));
}

fn model_budget_shown(budget: &ModelBudgetField) -> Value {
    json!({
        "max_budget": budget.max_budget,
        "budget_duration": budget.budget_duration,
        "rpm_limit": budget.rpm_limit,
        "tpm_limit": budget.tpm_limit,
    })
}

fn rates_shown(rates: &BTreeMap<String, u64>) -> Value {
    if rates.is_empty() { Value::Null } else { json!(rates) }
}

/// A period, kept in its own words.
fn period(text: &str) -> Result<String, String> {
    Period::parse(text).map(|_| text.to_owned()).map_err(|problem| problem.to_string())
}

/// What periods are counted from, where it is not the calendar.
fn anchor(text: &str) -> Result<String, &'static str> {
    (text == "created_at").then(|| text.to_owned()).ok_or("expected `created_at`, or null")
}

fn instant(text: &str) -> Result<i64, String> {
    Timestamp::parse(text).map(Timestamp::micros).map_err(|problem| problem.to_string())
}

fn windows(fields: &Fields) -> Result<Change<Vec<WindowField>>, Refusal> {
    fields.list("budget_limits", LISTED_MAX)?.try_map(|listed| {
        let mut windows: Vec<WindowField> = Vec::with_capacity(listed.len());
        for (index, value) in listed.iter().enumerate() {
            let place = format!("budget_limits[{index}]");
            let window =
                Fields::part(&place, value, &["budget_duration", "max_budget", "reset_at"])?;
            let duration = window.parsed("budget_duration", period)?;
            let (Change::Set(budget_duration), Change::Set(max_budget)) =
                (duration, window.dollars("max_budget")?)
            else {
                return Err(wrong(&place, "expected `budget_duration` and `max_budget`"));
            };
            if windows.iter().any(|other| other.budget_duration == budget_duration) {
                return Err(wrong(&place, "another window has this `budget_duration`"));
            }
            windows.push(WindowField { budget_duration, max_budget, running: None });
        }
        Ok(windows)
    })
}

/// Caps for single models, under LiteLLM's two names each for the cap and for its period.
fn model_budgets(fields: &Fields) -> Result<Change<BTreeMap<String, ModelBudgetField>>, Refusal> {
    const NAMES: [&str; 6] =
        ["max_budget", "budget_limit", "budget_duration", "time_period", "rpm_limit", "tpm_limit"];
    by_model(fields, "model_max_budget", |place, value| {
        if value.is_number() {
            let fields = Fields::single(place, "max_budget", value);
            let max_budget = fields.dollars("max_budget")?.value();
            return Ok(ModelBudgetField { max_budget, ..ModelBudgetField::default() });
        }
        let part = Fields::part(place, value, &NAMES)?;
        let either = |one: Change<Money>, other: Change<Money>| one.value().or(other.value());
        let max_budget = either(part.dollars("max_budget")?, part.dollars("budget_limit")?);
        let duration = part.parsed("budget_duration", period)?.value();
        let budget_duration = duration.or(part.parsed("time_period", period)?.value());
        Ok(ModelBudgetField {
            max_budget,
            budget_duration,
            rpm_limit: part.count("rpm_limit")?.value(),
            tpm_limit: part.count("tpm_limit")?.value(),
        })
    })
}

fn model_rates(
    fields: &Fields,
    name: &'static str,
) -> Result<Change<BTreeMap<String, u64>>, Refusal> {
    by_model(fields, name, |place, value| {
        let part = Fields::single(place, "limit", value);
        part.count("limit")?.value().ok_or_else(|| wrong(place, "expected a whole number"))
    })
}

/// A field that holds one value for each of several models.
fn by_model<T>(
    fields: &Fields,
    name: &'static str,
    read: impl Fn(&str, &Value) -> Result<T, Refusal>,
) -> Result<Change<BTreeMap<String, T>>, Refusal> {
    fields.object(name)?.try_map(|object| {
        if object.len() > LISTED_MAX {
            return Err(wrong(name, format!("more than {LISTED_MAX} models")));
        }
        let one = |(model, value): (&String, &Value)| {
            ModelName::new(model).map_err(|problem| wrong(name, problem))?;
            Ok((model.clone(), read(&format!("{name}.{model}"), value)?))
        };
        object.iter().map(one).collect()
    })
}
