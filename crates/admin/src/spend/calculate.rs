//! `POST /spend/calculate`: what an answer costs, or a prompt alone, by the prices in force.

use serde_json::{Map, Value, json};
use tollgate_domain::{Quantity, Usage, UsageKind};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Audience;

use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem::{self, echo, missing};
use crate::route::Route;
use crate::shape::{Shape, list, object, text};

/// The field that holds an answer.
const ANSWER: &str = "completion_response";
/// The field that holds a prompt.
const PROMPT: &str = "messages";
/// Most messages of a prompt.
const MESSAGES_MAX: usize = 1_000;

pub(super) fn routes() -> Vec<Route> {
    let takes = Shape::of(&[
        text("model", "The model group, where the answer names none"),
        object(ANSWER, "An answer of a chat, with its `usage`"),
        list(PROMPT, "A conversation in place of an answer: its tokens are counted"),
    ]);
    let about = "What an answer costs, or a prompt, by the prices in force; nothing is charged";
    vec![Route::lookup("/spend/calculate", Audience::Keys, (about, takes), calculate)]
}

async fn calculate(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let answer = fields.object(ANSWER)?.value();
    let prompt = fields.list(PROMPT, MESSAGES_MAX)?.value();
    let named = fields.text("model")?.value();
    let of_answer = answer.as_ref().and_then(|answer| answer.get("model")?.as_str());
    let Some(model) = named.or_else(|| of_answer.map(str::to_owned)) else {
        return Err(missing("model", "`model` is missing"));
    };
    let usage = match (&answer, prompt) {
        (Some(_), Some(_)) => {
            return Err(problem::wrong(PROMPT, format!("one of `{PROMPT}` and `{ANSWER}`")));
        }
        (Some(answer), None) => usage(answer)?,
        (None, Some(messages)) => {
            let body = json!({ "model": model, "messages": messages }).to_string();
            prompted(desk.running.prompt_tokens(body.into()).await?)
        }
        (None, None) => {
            let message = format!("one of `{ANSWER}` and `{PROMPT}` is needed");
            return Err(missing(ANSWER, &message));
        }
    };
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

/// The usage of a prompt that nothing is answered to.
fn prompted(tokens: u64) -> Usage {
    let usage = Usage::UNKNOWN.with(UsageKind::Input, Quantity::whole(tokens));
    [UsageKind::CachedRead, UsageKind::Output, UsageKind::Reasoning]
        .into_iter()
        .fold(usage, |usage, kind| usage.with(kind, Quantity::whole(0)))
}

/// The usage as a chat's answer tells it: totals, with what is cheaper or dearer named apart.
fn usage(answer: &Map<String, Value>) -> Result<Usage, Refusal> {
    let field = ANSWER;
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
