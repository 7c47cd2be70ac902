//! The request that a deployment would get, shown and not sent.

use std::collections::BTreeMap;

use serde::Serialize;
use tollgate_config::{Deployment, Settings};
use tollgate_faults::{Reason, Refusal};

use super::outgoing;
use crate::gate::Gate;
use crate::ingress::Call;

/// What stands where a value is not shown.
const MASK: &str = "****";
/// Headers whose values are no secret.
const SHOWN: [&str; 5] =
    ["accept", "anthropic-beta", "anthropic-version", "content-type", "user-agent"];

/// A request to a provider, in LiteLLM's words.
#[derive(Debug, Serialize)]
pub(crate) struct Transformed {
    /// The whole URL.
    raw_request_api_base: String,
    raw_request_body: serde_json::Value,
    /// Without the credential; other values that may be secret are masked.
    raw_request_headers: BTreeMap<String, String>,
}

/// What a deployment would get for a call.
///
/// # Errors
/// What a client would be told whose call cannot be said to the deployment.
pub(crate) fn transformed(
    gate: &Gate,
    call: &Call,
    deployment: &Deployment,
    settings: &Settings,
) -> Result<Transformed, Refusal> {
    let outgoing = outgoing::request(gate, (call, None), deployment, settings);
    let request = outgoing.map_err(|failed| failed.refusal)?.request;
    let body = serde_json::from_slice(&request.body)
        .map_err(|_| Refusal::new(Reason::GatewayBug, "the request that was made is no JSON"))?;
    let shown = |name: &str, value: &http::HeaderValue| match value.to_str() {
        Ok(text) if SHOWN.contains(&name) => text.to_owned(),
        _ => MASK.to_owned(),
    };
    let headers = request.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), shown(name.as_str(), value)));
    Ok(Transformed {
        raw_request_api_base: without_password(&request.url),
        raw_request_body: body,
        raw_request_headers: headers.collect(),
    })
}

/// A URL without what stands before its host, and without what its query says.
fn without_password(url: &str) -> String {
    let url = url.split('?').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((user, _)) => format!("{scheme}://{}", &rest[user.len() + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_url_shows_neither_a_password_nor_a_query() {
        for (url, shown) in [
            ("https://host/v1/chat", "https://host/v1/chat"),
            ("https://me:secret@host/v1", "https://host/v1"),
            ("https://host/v1?key=secret", "https://host/v1"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
