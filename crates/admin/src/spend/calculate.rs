//! `POST /spend/calculate`: what an answer costs by the prices in force.

use serde_json::{Map, Value, json};
use tollgate_domain::{Quantity, Usage, UsageKind};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Audience;

use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem::{self, echo, missing};
use crate::route::Route;
use crate::shape::{Shape, object, text};

pub(super) fn routes() -> Vec<Route> {
    let takes = Shape::of(&[
        text("model", "The model group, where the answer names none"),
        object("completion_response", "An answer of a chat, with its `usage`").required(),
    ]);
    let about = "What an answer costs by the prices in force; nothing is charged";
    let takes = takes.but_not(&["messages"]);
    vec![Route::lookup("/spend/calculate", Audience::Keys, (about, takes), calculate)]
}

async fn calculate(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let answer = fields.object("completion_response")?.value().unwrap_or_default();
    let named = fields.text("model")?.value();
    let of_answer = answer.get("model").and_then(Value::as_str).map(str::to_owned);
    let Some(model) = named.or(of_answer) else {
        return Err(missing("model", "`model` is missing"));
    };
    let usage = usage(&answer)?;
    let snapshot = desk.configuration.snapshot();
    let resolved = snapshot.resolve(&model);
    let first = resolved.as_ref().and_then(|resolved| resolved.deployments.first());
    let unpriced = || {
        let message = format!("no price of `{}` is known", echo(&model));
        Refusal::new(Reason::PriceUnknown, message).with_param("model")
    };
    let sheet = first.and_then(|deployment| deployment.prices.as_ref()).ok_or_else(unpriced)?;
    let cost = sheet.cost(&usage).map_err(|_| unpriced())?;
    Ok(json!({ "cost": cost }))
}

/// The usage as a chat's answer tells it: totals, with what is cheaper or dearer named apart.
fn usage(answer: &Map<String, Value>) -> Result<Usage, Refusal> {
    let field = "completion_response";
    let Some(told) = answer.get("usage") else {
        return Err(missing(field, "the answer has no `usage`"));
    };
    let count = |path: &str| match told.pointer(path) {
        None | Some(Value::Null) => Ok(0),
        Some(value) => value
            .as_u64()
            .ok_or_else(|| problem::wrong(field, format!("`usage{path}`: a whole number"))),
    };
    let (prompt, completion) = (count("/prompt_tokens")?, count("/completion_tokens")?);
    let cached = count("/prompt_tokens_details/cached_tokens")?.min(prompt);
    let reasoning = count("/completion_tokens_details/reasoning_tokens")?.min(completion);
    Ok(Usage::UNKNOWN
        .with(UsageKind::Input, Quantity::whole(prompt - cached))
        .with(UsageKind::CachedRead, Quantity::whole(cached))
        .with(UsageKind::Output, Quantity::whole(completion - reasoning))
        .with(UsageKind::Reasoning, Quantity::whole(reasoning)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_apart_is_not_counted_twice() {
        let answer = json!({ "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 7,
            "prompt_tokens_details": { "cached_tokens": 4 },
            "completion_tokens_details": { "reasoning_tokens": 2, "other": null },
        } });
        let usage = usage(answer.as_object().expect("an object")).expect("a usage");
        let whole = |kind| usage.quantity(kind).map(|quantity| quantity.milli() / 1_000);
        let kinds = [UsageKind::Input, UsageKind::CachedRead, UsageKind::Output];
        assert_eq!(kinds.map(whole), [Some(6), Some(4), Some(5)]);
        assert_eq!(whole(UsageKind::Reasoning), Some(2));
    }

    #[test]
    fn an_answer_that_tells_no_usage_has_no_cost() {
        for answer in [json!({}), json!({ "usage": { "prompt_tokens": -1 } })] {
            assert!(usage(answer.as_object().expect("an object")).is_err(), "{answer}");
        }
    }
}
