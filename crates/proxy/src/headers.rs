//! The headers of an answer, named as LiteLLM names them.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use tollgate_config::Deployment;
use tollgate_domain::{ModelName, Money};

use crate::authenticate::Caller;
use crate::ingress::Call;
use crate::refusal::CALL_ID;
use crate::timing::millis;

/// Prefix under which an upstream's own headers are passed on.
const UPSTREAM_PREFIX: &str = "llm_provider-";
/// Headers of an upstream that say something about its connection or its client, not about its
/// answer.
const NOT_PASSED_ON: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
];

/// What a whole answer is.
pub(crate) const WHOLE: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
/// What a stream is; nobody between us and the client may keep or collect it.
pub(crate) const STREAM: [(HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
    (header::CACHE_CONTROL, "no-cache"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

/// What the headers tell.
pub(crate) struct Facts<'a> {
    pub(crate) call: &'a Call,
    pub(crate) caller: &'a Caller,
    pub(crate) model_group: &'a ModelName,
    pub(crate) deployment: &'a Deployment,
    /// The call's cost, when it is known before the answer goes out.
    pub(crate) cost: Option<Money>,
}

/// Writes the headers of an answer: those of its kind, and what is known about it.
pub(crate) fn write(
    head: &mut HeaderMap,
    kind: &[(HeaderName, &'static str)],
    facts: &Facts<'_>,
    upstream: &HeaderMap,
) {
    let Facts { call, caller, model_group, deployment, cost } = facts;
    for (name, value) in kind {
        head.insert(name.clone(), HeaderValue::from_static(value));
    }
    pass_on(head, upstream);
    insert(head, &CALL_ID, &call.id.to_string());
    insert_static(head, "x-litellm-model-id", deployment.id.as_str());
    insert_static(head, "x-litellm-model-group", model_group.as_str());
    insert_static(head, "x-litellm-version", env!("CARGO_PKG_VERSION"));
    if let Some(cost) = cost {
        insert_static(head, "x-litellm-response-cost", &cost.to_string());
    }
    if let Caller::Key(record) = caller {
        let spent = record.budget.spent().saturating_add(cost.unwrap_or(Money::ZERO));
        insert_static(head, "x-litellm-key-spend", &spent.to_string());
        if let Some(cap) = record.row.max_budget {
            insert_static(head, "x-litellm-key-max-budget", &cap.to_string());
        }
    }
    insert_static(head, "x-litellm-response-duration-ms", &millis(call.timing.total()));
    insert_static(head, "x-litellm-overhead-duration-ms", &millis(call.timing.overhead()));
    insert_static(head, "server-timing", &call.timing.server_timing());
}

/// The upstream's headers under LiteLLM's prefix, and its rate-limit headers under their own names
/// too.
fn pass_on(head: &mut HeaderMap, upstream: &HeaderMap) {
    for (name, value) in upstream {
        if NOT_PASSED_ON.contains(&name.as_str()) {
            continue;
        }
        if name.as_str().starts_with("x-ratelimit-") {
            head.insert(name.clone(), value.clone());
        }
        let prefixed = format!("{UPSTREAM_PREFIX}{name}");
        if let Ok(name) = HeaderName::from_bytes(prefixed.as_bytes()) {
            head.append(name, value.clone());
        }
    }
}

fn insert_static(head: &mut HeaderMap, name: &'static str, value: &str) {
    insert(head, &HeaderName::from_static(name), value);
}

/// A value that is not visible ASCII, such as a group name in another script, is left out rather
/// than sent broken.
fn insert(head: &mut HeaderMap, name: &HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        head.insert(name.clone(), value);
    }
}
