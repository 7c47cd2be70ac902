//! Limits: LiteLLM's columns and metadata to the fields that bind here.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tollgate_domain::{ModelName, Money};
use tollgate_policy::Period;
use tollgate_store::{LimitFields, ModelBudgetField, WindowField};

use crate::dollars;
use crate::grade::Marks;
use crate::source::{Row, instant};

/// The limits that a row's own columns set. Their windows are not known yet.
pub(super) fn of_row(row: &Row, marks: &mut Marks) -> LimitFields {
    LimitFields {
        max_budget: cap(row, "max_budget", marks),
        soft_budget: cap(row, "soft_budget", marks),
        budget_duration: row.text("budget_duration").map(|word| period(word, marks)),
        budget_limits: windows(row, marks),
        model_max_budget: model_budgets(row, marks),
        rpm_limit: count(row, "rpm_limit", marks),
        tpm_limit: count(row, "tpm_limit", marks),
        max_parallel_requests: count(row, "max_parallel_requests", marks),
        model_rpm_limit: rates(&row.object("model_rpm_limit")),
        model_tpm_limit: rates(&row.object("model_tpm_limit")),
        ..LimitFields::default()
    }
}

/// Takes the limits out of a row's metadata, where LiteLLM keeps those that have no column.
pub(super) fn take_from(
    metadata: &mut Map<String, Value>,
    limits: &mut LimitFields,
    marks: &mut Marks,
) {
    let mut object = |name: &str| match metadata.remove(name) {
        Some(Value::Object(object)) => rates(&object),
        _ => BTreeMap::new(),
    };
    limits.model_rpm_limit.extend(object("model_rpm_limit"));
    limits.model_tpm_limit.extend(object("model_tpm_limit"));
    let increase = metadata.remove("temp_budget_increase");
    let expiry = metadata.remove("temp_budget_expiry");
    let increase = dollars::of_json(increase.as_ref()).ok().flatten();
    let expiry = expiry.as_ref().and_then(Value::as_str).and_then(instant);
    match (increase, expiry) {
        (Some(by), Some(until)) if !by.is_negative() => {
            limits.temp_budget_increase = Some(by);
            limits.temp_budget_expiry = Some(until.micros());
        }
        (None, None) => {}
        _ => marks.manual("a temporary raise cannot be read; set it again"),
    }
}

/// The word for a period, as it counts here.
pub(super) fn period(word: &str, marks: &mut Marks) -> String {
    if Period::parse(word).is_err() {
        marks.approximated(
            "a `budget_duration` is no period; LiteLLM starts such a budget anew at each midnight, \
             and so does `1d`, which stands in its place here",
        );
        return "1d".to_owned();
    }
    if let Some(note) = counts_otherwise(word) {
        marks.approximated(note);
    }
    word.to_owned()
}

/// What is different here about a period that both know (management-api §6).
fn counts_otherwise(word: &str) -> Option<&'static str> {
    let digits = word.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = word.split_at(digits);
    let count: u32 = count.parse().ok()?;
    let within = match unit {
        "h" => 24,
        "m" | "s" => 60,
        "mo" if count > 1 => {
            return Some("LiteLLM cannot reset a budget of several months; here it starts anew");
        }
        "y" => return Some("LiteLLM cannot reset a budget of years; here it starts anew"),
        _ => return None,
    };
    (count == 0 || within % count != 0).then_some(
        "LiteLLM resets periods that do not divide a day, an hour or a minute too early; here they \
         have their length",
    )
}

/// A cap in dollars. One that cannot be read caps nothing at LiteLLM either: no number is above it.
fn cap(row: &Row, column: &str, marks: &mut Marks) -> Option<Money> {
    match row.money(column) {
        Ok(Some(money)) if money.is_negative() => {
            marks.approximated(format!("`{column}` is below zero; here it is zero"));
            Some(Money::ZERO)
        }
        Ok(money) => money,
        Err(problem) => {
            marks.manual(format!("`{column}` is not brought: {problem}; set it again"));
            None
        }
    }
}

fn count(row: &Row, column: &str, marks: &mut Marks) -> Option<u64> {
    let number = row.value(column)?;
    let count = number.as_u64();
    if count.is_none() {
        marks.manual(format!("`{column}` is no whole number from zero on; set it again"));
    }
    count
}

fn rates(object: &Map<String, Value>) -> BTreeMap<String, u64> {
    let rate = |(model, rate): (&String, &Value)| Some((model.clone(), rate.as_u64()?));
    object.iter().filter(|(model, _)| ModelName::new(model).is_ok()).filter_map(rate).collect()
}

fn windows(row: &Row, marks: &mut Marks) -> Vec<WindowField> {
    let mut windows: Vec<WindowField> = Vec::new();
    for window in row.list("budget_limits") {
        let word = window.get("budget_duration").and_then(Value::as_str);
        let cap = dollars::of_json(window.get("max_budget")).ok().flatten();
        let (Some(word), Some(cap)) = (word, cap.filter(|cap| !cap.is_negative())) else {
            marks.manual("one of `budget_limits` cannot be read; set it again");
            continue;
        };
        let budget_duration = period(word, marks);
        windows.push(WindowField { budget_duration, max_budget: cap, running: None });
    }
    windows
}

/// Caps for single models. One without a period is accepted by LiteLLM and never enforced
/// (management-api §1), so it caps nothing here either.
fn model_budgets(row: &Row, marks: &mut Marks) -> BTreeMap<String, ModelBudgetField> {
    let mut budgets = BTreeMap::new();
    for (model, value) in row.object("model_max_budget") {
        if ModelName::new(&model).is_err() {
            marks.manual("`model_max_budget` names what can be no model here; set it again");
            continue;
        }
        let budget = model_budget(&value, marks);
        if budget.max_budget.is_some() {
            marks.approximated(
                "LiteLLM keeps what was spent of `model_max_budget` in memory only; here the \
                 totals by day count",
            );
        }
        budgets.insert(model, budget);
    }
    budgets
}

fn model_budget(value: &Value, marks: &mut Marks) -> ModelBudgetField {
    let either = |one: &str, other: &str| value.get(one).or_else(|| value.get(other)).cloned();
    let cap =
        either("max_budget", "budget_limit").or_else(|| value.is_number().then(|| value.clone()));
    let cap = dollars::of_json(cap.as_ref()).ok().flatten();
    let word = either("budget_duration", "time_period");
    let word = word.as_ref().and_then(Value::as_str).map(|word| period(word, marks));
    if cap.is_some() && word.is_none() {
        marks.approximated(
            "LiteLLM never enforces a `model_max_budget` without a period; it is left out here",
        );
    }
    let rate = |name: &str| value.get(name).and_then(Value::as_u64);
    ModelBudgetField {
        max_budget: cap.filter(|cap| word.is_some() && !cap.is_negative()),
        budget_duration: word,
        rpm_limit: rate("rpm_limit"),
        tpm_limit: rate("tpm_limit"),
    }
}
