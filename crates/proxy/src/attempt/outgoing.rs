//! The request as a deployment gets it: the client's own bytes where both speak the same format,
//! else a translation; spliced as the deployment wants it.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderName;
use tollgate_config::{Deployment, Settings};
use tollgate_domain::Secret;
use tollgate_faults::{Reason, Refusal};
use tollgate_upstream::{Credential, PhaseTimeouts, UpstreamRequest};
use tollgate_wire::capability::Capability;
use tollgate_wire::formats::anthropic_messages::{Wording, uses_json_tool};
use tollgate_wire::formats::translation::{Leniency, Target, Unsupported};
use tollgate_wire::translate::{BodyPatch, Pairing, patched, spelled, take_over, write_request};
use tollgate_wire::{AuthScheme, StreamUsage, WireFormat};

use crate::attempt::failed::Failed;
use crate::headers;
use crate::ingress::Call;

/// A request on its way, how its answer is read, and what the client is to know about it.
pub(super) struct Outgoing {
    pub(super) request: UpstreamRequest,
    pub(super) pairing: Pairing,
    pub(super) told: Told,
}

/// What became of parameters that the target does not take as they are.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Left out.
    pub(crate) dropped: Vec<Box<str>>,
    /// Changed to what the target understands.
    pub(crate) adjusted: Vec<Box<str>>,
}

/// Builds the request for one deployment.
pub(super) fn request(
    call: &Call,
    deployment: &Deployment,
    settings: &Settings,
) -> Result<Outgoing, Failed> {
    let client = call.request.format;
    let Some(endpoint) = deployment.endpoint(client.wire()) else {
        return Err(Failed::of_client(no_endpoint(deployment)));
    };
    let upstream = endpoint.format;
    let prepared = if client.wire() == upstream {
        Prepared::passed(call, deployment)
    } else {
        Prepared::translated(call, deployment, upstream)?
    };
    let Prepared { body, defaults, wording, mut told } = prepared;
    let quirks = &deployment.provider.quirks;
    let patch = BodyPatch {
        model: &deployment.upstream_model,
        defaults: &defaults,
        extra: &deployment.extra_body,
        send_stream_usage: quirks.usage_in_stream == StreamUsage::OnRequest
            && settings.always_include_stream_usage != Some(false),
        drop_fields: &deployment.drop_fields,
        quirks,
    };
    let own = (client.wire() == upstream).then_some(&call.request);
    let (body, dropped) = patched(upstream, &body, own, &patch).map_err(|malformed| {
        Failed::of_client(Refusal::new(Reason::BodyMalformed, malformed.to_string()))
    })?;
    told.dropped.extend(dropped);
    let request = UpstreamRequest {
        url: deployment.url(endpoint, call.request.asked.stream),
        auth: credential(&deployment.provider.auth, deployment.key.as_ref())?,
        headers: headers::upstream(call, deployment, settings),
        body,
    };
    Ok(Outgoing {
        request,
        pairing: Pairing { client, upstream, wording, aws_framing: false },
        told,
    })
}

/// A body in the upstream's format, and what is known about it.
struct Prepared {
    body: Bytes,
    /// The deployment's parameters that are still to be set.
    defaults: Vec<(Box<str>, Box<str>)>,
    wording: Wording,
    told: Told,
}

impl Prepared {
    /// The client's own bytes.
    fn passed(call: &Call, deployment: &Deployment) -> Self {
        Self {
            body: call.request.body.clone(),
            defaults: spelled(call.request.format.wire(), &deployment.defaults),
            wording: Wording::default(),
            told: Told::default(),
        }
    }

    /// A translation. It takes over those of the deployment's parameters that it has a word for.
    fn translated(
        call: &Call,
        deployment: &Deployment,
        upstream: WireFormat,
    ) -> Result<Self, Failed> {
        let mut conversation = call.conversation().map_err(Failed::of_client)?.clone();
        let defaults = take_over(&mut conversation, &deployment.defaults);
        let model = &deployment.upstream_model;
        let target = Target {
            model,
            capability: Capability::of(deployment.provider.name.as_str(), model),
            leniency: Leniency {
                drops: deployment.drop_params || call.lenient,
                repairs: deployment.modify_params,
                passes: &deployment.allowed_params,
            },
        };
        let written = write_request(upstream, &conversation, &target)
            .map_err(|unsupported| Failed::of_client(unexpressed(&unsupported)))?;
        let json_tool =
            upstream == WireFormat::AnthropicMessages && uses_json_tool(&conversation, &target);
        Ok(Self {
            body: written.body,
            defaults,
            wording: Wording::of(&conversation, json_tool),
            told: Told { dropped: written.dropped, adjusted: written.adjusted },
        })
    }
}

/// A deployment that no format of its provider fits.
fn no_endpoint(deployment: &Deployment) -> Refusal {
    let message = format!(
        "{} has no API for `{}` at this base URL",
        deployment.provider.name, deployment.upstream_model
    );
    Refusal::new(Reason::AllDeploymentsFailing, message)
}

/// What the target cannot express.
fn unexpressed(unsupported: &Unsupported) -> Refusal {
    let reason = if unsupported.thinking_with_forced_tool {
        Reason::ThinkingConflictsWithForcedToolChoice
    } else {
        Reason::ParameterUnsupported
    };
    Refusal::new(reason, unsupported.to_string()).with_param(&*unsupported.field)
}

/// The limits of each phase; the client's own wish can only shorten them.
pub(super) fn timeouts(call: &Call, deployment: &Deployment) -> PhaseTimeouts {
    let configured = &deployment.timeouts;
    let stream = call.request.asked.stream;
    let first_byte = if stream { configured.stream_first_byte } else { configured.first_byte };
    let wish = call.timeout.unwrap_or(Duration::MAX);
    // A flowing stream is never cut by a limit meant for whole answers: its total is the operator's
    // own or none.
    let total = if stream { configured.stream_total } else { Some(configured.total.min(wish)) };
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
