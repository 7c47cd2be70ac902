//! The request as a deployment gets it: the client's own bytes where both speak the same format,
//! else a translation; spliced as the deployment wants it.

use std::time::Duration;

use bytes::Bytes;
use tollgate_config::{Deployment, Settings};
use tollgate_faults::{Reason, Refusal};
use tollgate_upstream::{PhaseTimeouts, UpstreamRequest};
use tollgate_wire::capability::NeedsResponses;
use tollgate_wire::formats::openai_chat::RequestPatch;
use tollgate_wire::formats::translation::{Leniency, Target, Unsupported};
use tollgate_wire::translate::{
    BodyPatch, NotSent, Pairing, Prepared, Unprepared, patched, prepare, spelled,
};
use tollgate_wire::{Calling, Endpoint, StreamUsage, WireFormat};

use crate::attempt::failed::Failed;
use crate::attempt::proof::credential;
use crate::continue_from;
use crate::gate::Gate;
use crate::headers;
use crate::ingress::{Call, unreadable};

/// The header in which clients name the beta features they use.
const BETAS: &str = "anthropic-beta";

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
    gate: &Gate,
    call: &Call,
    deployment: &Deployment,
    settings: &Settings,
) -> Result<Outgoing, Failed> {
    let endpoint = endpoint(gate, call, deployment)?;
    let drops = deployment.drop_params || call.lenient;
    let quirks = &deployment.provider.quirks;
    let capability = deployment.capability;
    let same = call.request.format.wire() == endpoint.format;
    let passes = same && !call.request.may_hold_own_seals();
    let Prepared { body, layout, defaults, dropped, adjusted, pairing } = if passes {
        passed(call, deployment, endpoint)
    } else {
        translated(gate, call, deployment, endpoint)?
    };
    let edits = RequestPatch {
        model: &deployment.upstream_model,
        defaults: &defaults,
        extra: &deployment.extra_body,
        send_stream_usage: quirks.usage_in_stream == StreamUsage::OnRequest
            && settings.always_include_stream_usage != Some(false),
        drop_fields: &deployment.drop_fields,
        quirks,
        capability,
        passes: &deployment.allowed_params,
    };
    let patch = BodyPatch { edits, drops };
    let own = passes.then_some(&call.request);
    let (body, dropped_last) = patched(endpoint.format, (body, &layout), own, &patch)
        .map_err(|problem| not_sent(deployment, problem))?;
    let headers = headers::upstream(call, deployment, settings);
    let request = UpstreamRequest {
        url: deployment.url(endpoint, call.request.asked.stream),
        auth: credential(deployment)?,
        body: wrapped(endpoint, body, call)?,
        headers,
    };
    let dropped = dropped.into_iter().chain(dropped_last).collect();
    Ok(Outgoing { request, pairing, told: Told { dropped, adjusted } })
}

/// Where the deployment is called. A model that its vendor serves by Responses alone, as the call
/// is, is called there, unless the base URL is somebody else's.
fn endpoint<'d>(
    gate: &Gate,
    call: &Call,
    deployment: &'d Deployment,
) -> Result<&'d Endpoint, Failed> {
    let client = call.request.format.wire();
    let usual =
        deployment.endpoint(client).ok_or_else(|| Failed::of_client(no_endpoint(deployment)))?;
    let free = deployment.calling == Calling::default() && usual.format == WireFormat::OpenAiChat;
    let needs = deployment.capability.needs_responses;
    if !free || needs == NeedsResponses::Never {
        return Ok(usual);
    }
    let conversation = call.conversation(gate.sealer()).map_err(Failed::of_client)?;
    let elsewhere = deployment.endpoint(WireFormat::OpenAiResponses);
    Ok(elsewhere.filter(|_| deployment.capability.needs_responses(conversation)).unwrap_or(usual))
}

/// The client's own bytes.
fn passed(call: &Call, deployment: &Deployment, endpoint: &Endpoint) -> Prepared {
    Prepared {
        body: call.request.body.clone(),
        layout: call.request.layout.clone(),
        defaults: spelled(endpoint.format, &deployment.defaults),
        dropped: Vec::new(),
        adjusted: Vec::new(),
        pairing: Pairing::passing(&call.request, endpoint.format, endpoint.envelope),
    }
}

/// A translation. It takes over those of the deployment's parameters that it has a word for.
fn translated(
    gate: &Gate,
    call: &Call,
    deployment: &Deployment,
    endpoint: &Endpoint,
) -> Result<Prepared, Failed> {
    let upstream = (endpoint.format, endpoint.envelope);
    if let Some(name) = &call.kept_elsewhere {
        return Err(Failed::of_client(continue_from::not_found(name)));
    }
    let conversation = call.conversation(gate.sealer()).map_err(Failed::of_client)?;
    let target = Target {
        model: &deployment.upstream_model,
        capability: deployment.capability,
        quirks: &deployment.provider.quirks,
        leniency: Leniency {
            drops: deployment.drop_params || call.lenient,
            repairs: deployment.modify_params,
            passes: &deployment.allowed_params,
        },
    };
    prepare(&call.request, conversation, upstream, &target, &deployment.defaults).map_err(
        |problem| {
            Failed::of_client(match problem {
                Unprepared::Unreadable(problem) => unreadable(problem),
                Unprepared::Unsupported(unsupported) => unexpressed(&unsupported),
            })
        },
    )
}

/// The body as the endpoint's platform takes it. Versions and betas that the client names in
/// headers stand in the body there.
fn wrapped(endpoint: &Endpoint, body: Bytes, call: &Call) -> Result<Bytes, Failed> {
    let betas = call.headers.get(BETAS).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let betas: Vec<&str> =
        betas.split(',').map(str::trim).filter(|beta| !beta.is_empty()).collect();
    endpoint.envelope.wrap(body, None, &betas).map_err(|malformed| {
        Failed::of_client(Refusal::new(Reason::BodyMalformed, malformed.to_string()))
    })
}

fn not_sent(deployment: &Deployment, problem: NotSent) -> Failed {
    Failed::of_client(match problem {
        NotSent::Malformed(malformed) => Refusal::new(Reason::BodyMalformed, malformed.to_string()),
        NotSent::Unsupported(field) => {
            let message = format!("`{}` does not support `{field}`", deployment.upstream_model);
            Refusal::new(Reason::ParameterUnsupported, message)
                .with_param(&*field)
                .with_fix("leave it out, or set `drop_params: true` for the deployment")
        }
    })
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
