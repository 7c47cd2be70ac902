//! The request as a deployment gets it: the client's own bytes, spliced.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use tollgate_config::{Deployment, Settings};
use tollgate_domain::Secret;
use tollgate_faults::{Reason, Refusal};
use tollgate_upstream::{Credential, PhaseTimeouts, UpstreamRequest};
use tollgate_wire::formats::openai_chat::{RequestPatch, upstream_body};
use tollgate_wire::{AuthScheme, StreamUsage};

use crate::attempt::failed::Failed;
use crate::ingress::Call;

/// Builds the request for one deployment.
pub(super) fn request(
    call: &Call,
    deployment: &Deployment,
    settings: &Settings,
) -> Result<UpstreamRequest, Failed> {
    let provider = &deployment.provider;
    let asks_for_usage = provider.quirks.usage_in_stream == StreamUsage::OnRequest
        && settings.always_include_stream_usage != Some(false);
    let patch = RequestPatch {
        model: &deployment.upstream_model,
        defaults: &deployment.defaults,
        extra: &deployment.extra_body,
        send_stream_usage: asks_for_usage,
        drop_fields: &deployment.drop_fields,
        quirks: &provider.quirks,
    };
    let body = upstream_body(&call.body, &call.request, &patch).map_err(|malformed| {
        Failed::of_client(Refusal::new(Reason::BodyMalformed, malformed.to_string()))
    })?;
    Ok(UpstreamRequest {
        url: provider.chat_url(
            &deployment.base_url,
            &deployment.upstream_model,
            deployment.api_version.as_deref(),
        ),
        auth: credential(&provider.auth, deployment.key.as_ref())?,
        headers: headers(deployment),
        body,
    })
}

/// The limits of each phase; the client's own wish can only shorten them.
pub(super) fn timeouts(call: &Call, deployment: &Deployment) -> PhaseTimeouts {
    let configured = &deployment.timeouts;
    let first_byte =
        if call.request.stream { configured.stream_first_byte } else { configured.first_byte };
    let wish = call.timeout.unwrap_or(Duration::MAX);
    // A flowing stream is never cut by a limit meant for whole answers: its total is the operator's
    // own or none.
    let total = if call.request.stream {
        configured.stream_total
    } else {
        Some(configured.total.min(wish))
    };
    PhaseTimeouts {
        connect: configured.connect.min(wish),
        first_byte: first_byte.min(wish),
        idle: configured.idle,
        total,
    }
}

fn credential(scheme: &AuthScheme, key: Option<&Secret>) -> Result<Credential, Failed> {
    Ok(match (scheme, key) {
        (AuthScheme::None, _) | (_, None) => Credential::None,
        (AuthScheme::Bearer, Some(key)) => Credential::Bearer(key.clone()),
        (AuthScheme::Header(name), Some(key)) => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                let message = format!("the provider's key header `{name}` is not a header name");
                Failed::of_client(Refusal::new(Reason::UpstreamCredentialsUnavailable, message))
            })?;
            Credential::Header { name, value: key.clone() }
        }
    })
}

/// The operator's headers for this deployment. Nothing of the client's own headers goes upstream.
fn headers(deployment: &Deployment) -> Vec<(HeaderName, HeaderValue)> {
    deployment
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let mut value = HeaderValue::from_str(value.expose()).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
        })
        .collect()
}
