//! The headers of an answer, named as LiteLLM names them.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use tollgate_config::{Deployment, Settings};
use tollgate_domain::{ModelName, Money, Timestamp};
use tollgate_policy::Calendar;
use tollgate_store::Standing;
use tollgate_wire::{Endpoint, WireFormat};

use crate::attempt::Told;
use crate::authenticate::Caller;
use crate::credential::may_carry_one;
use crate::ingress::Call;
use crate::refusal::CALL_ID;
use crate::ticket::Travelled;
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

/// How many headers of our own an answer usually has.
const OWN_USUAL: usize = 20;
/// The header in which clients name the beta features they use.
pub(crate) const BETAS: &str = "anthropic-beta";
/// How clients' headers begin that are not forwarded.
const KEPT_STARTS: [&str; 6] =
    ["x-stainless-", "x-litellm-", "x-tollgate-", "x-forwarded-", "x-amz-", "x-goog-"];
/// Clients' headers that are not forwarded.
const KEPT: [&str; 3] = ["x-real-ip", "x-http-method-override", "x-method-override"];

/// What a whole answer is.
pub(crate) static WHOLE: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
/// What a stream is; nobody between us and the client may keep or collect it.
pub(crate) static STREAM: [(HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
    (header::CACHE_CONTROL, "no-cache"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

/// What a stream is that its client reads as one JSON array.
pub(crate) static ARRAY: [(HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "application/json; charset=UTF-8"),
    (header::CACHE_CONTROL, "no-cache"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

/// What the headers tell.
pub(crate) struct Facts<'a> {
    pub(crate) call: &'a Call,
    pub(crate) caller: &'a Caller,
    pub(crate) model_group: &'a ModelName,
    pub(crate) deployment: &'a Deployment,
    pub(crate) told: &'a Told,
    /// The call's cost, when it is known before the answer goes out.
    pub(crate) cost: Option<Money>,
    /// How near it came to its rate limits.
    pub(crate) standing: Standing,
    /// How far it travelled before it was answered.
    pub(crate) travelled: Travelled,
    /// The calendar that budgets go by, and the instant.
    pub(crate) at: (&'a Calendar, Timestamp),
}

/// Writes the headers of an answer: those of its kind, and what is known about it.
pub(crate) fn write(
    head: &mut HeaderMap,
    kind: &[(HeaderName, &'static str)],
    facts: &Facts<'_>,
    upstream: &HeaderMap,
) {
    let Facts { call, caller, model_group, deployment, told, cost, standing, travelled, at } =
        facts;
    let (calendar, now) = at;
    head.reserve(OWN_USUAL + upstream.len());
    for (name, value) in kind {
        head.insert(name.clone(), HeaderValue::from_static(value));
    }
    pass_on(head, upstream);
    insert(head, &CALL_ID, &call.id.to_string());
    insert_static(head, "x-litellm-model-id", deployment.id.as_str());
    insert_static(head, "x-litellm-model-group", model_group.as_str());
    insert_static(head, "x-litellm-version", env!("CARGO_PKG_VERSION"));
    insert_static(head, "x-litellm-attempted-retries", &travelled.retries.to_string());
    insert_static(head, "x-litellm-attempted-fallbacks", &travelled.fallbacks.to_string());
    if let Some(cost) = cost {
        insert_static(head, "x-litellm-response-cost", &cost.to_string());
    }
    if let Caller::Key { record, .. } = caller {
        let spent = record.own.spent(calendar, *now).saturating_add(cost.unwrap_or(Money::ZERO));
        insert_static(head, "x-litellm-key-spend", &spent.to_string());
        if let Some(cap) = record.own.max_budget() {
            insert_static(head, "x-litellm-key-max-budget", &cap.to_string());
        }
    }
    rate_limits(head, standing, *now);
    for (name, fields) in
        [("x-litellm-dropped-params", &told.dropped), ("x-litellm-adjusted-params", &told.adjusted)]
    {
        if !fields.is_empty() {
            insert_static(head, name, &fields.join(", "));
        }
    }
    insert_static(head, "x-litellm-response-duration-ms", &millis(call.timing.total()));
    insert_static(head, "x-litellm-overhead-duration-ms", &millis(call.timing.overhead()));
    insert_static(head, "server-timing", &call.timing.server_timing());
}

/// What the tightest limits of requests and of tokens leave, under OpenAI's names.
fn rate_limits(head: &mut HeaderMap, standing: &Standing, now: Timestamp) {
    for (left, names) in [(standing.requests, &REQUESTS), (standing.tokens, &TOKENS)] {
        let Some(left) = left else { continue };
        let [limit, remaining, reset] = names;
        head.insert(limit, HeaderValue::from(left.limit));
        head.insert(remaining, HeaderValue::from(left.remaining));
        if let Some(at) = left.resets_at {
            let wait = at.since(now);
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            insert(head, reset, &format!("{seconds}s"));
        }
    }
}

/// The names of what a limit of requests allows, leaves, and when it starts anew.
static REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
/// Those of a limit of tokens.
static TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// The headers of a request to a deployment: the operator's, the provider's, and those of the
/// client's own that the provider's format or the operator lets through. Keys, cookies and what
/// belongs to a connection never go on. Where the client `brings` a credential of its own, the
/// account and every credential are the client's.
pub(crate) fn upstream(
    call: &Call,
    deployment: &Deployment,
    (endpoint, brings): (&Endpoint, bool),
    settings: &Settings,
) -> Vec<(HeaderName, HeaderValue)> {
    let Deployment { provider, forwards, .. } = deployment;
    let listed = |names: &[String], name: &str| names.iter().any(|known| known == name);
    let own = deployment.headers.iter().filter_map(|(name, value)| {
        let mut value = HeaderValue::from_str(value.expose()).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    });
    let stays = |(name, _): &(HeaderName, HeaderValue)| {
        let theirs = listed(&provider.client_accounts, name.as_str());
        !(brings && (theirs || may_carry_one(name.as_str())))
    };
    let mut headers: Vec<(HeaderName, HeaderValue)> = own.filter(stays).collect();
    let betas = forwards.headers && endpoint.format == WireFormat::AnthropicMessages;
    for (name, value) in &call.headers {
        let text = name.as_str();
        if listed(&provider.client_lists, text) || (betas && text == BETAS) {
            merge(&mut headers, name, value);
        } else if listed(&provider.client_headers, text)
            || ((forwards.account || brings) && listed(&provider.client_accounts, text))
            || (forwards.headers && may_be_forwarded(text) && !settings.is_key_header(text))
        {
            headers.retain(|(there, _)| there != name);
            headers.push((name.clone(), value.clone()));
        }
    }
    headers
}

/// The headers of clients that LiteLLM's `forward_client_headers_to_llm_api` means, without those
/// that carry keys, sign requests, name who pays, override the method, or tell of the way here.
fn may_be_forwarded(name: &str) -> bool {
    name.starts_with("x-")
        && !KEPT_STARTS.iter().any(|start| name.starts_with(start))
        && !KEPT.contains(&name)
        && !may_carry_one(name)
}

/// Adds the elements of a list that are not there yet.
fn merge(headers: &mut Vec<(HeaderName, HeaderValue)>, name: &HeaderName, value: &HeaderValue) {
    let Some((_, there)) = headers.iter_mut().find(|(known, _)| known == name) else {
        headers.push((name.clone(), value.clone()));
        return;
    };
    let (Ok(old), Ok(new)) = (there.to_str(), value.to_str()) else { return };
    let elements = |text: &str| -> Vec<String> {
        text.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
    };
    let mut all = elements(old);
    for element in elements(new) {
        if !all.contains(&element) {
            all.push(element);
        }
    }
    if let Ok(joined) = HeaderValue::from_str(&all.join(",")) {
        *there = joined;
    }
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
