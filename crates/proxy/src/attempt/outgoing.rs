//! The request as a deployment gets it: the client's own bytes where both speak the same format,
//! else a translation; spliced as the deployment wants it.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use tollgate_config::{Deployment, Settings, StructureMiss};
use tollgate_faults::{Reason, Refusal};
use tollgate_upstream::{PhaseTimeouts, UpstreamRequest};
use tollgate_wire::capability::NeedsResponses;
use tollgate_wire::conversation::Conversation;
use tollgate_wire::formats::openai_chat::RequestPatch;
use tollgate_wire::formats::translation::{Leniency, Target, Unsupported};
use tollgate_wire::json::JsonPath;
use tollgate_wire::translate::{
    BodyPatch, ClientFormat, NotSent, Pairing, Prepared, Unprepared, lacks_past, patched, prepare,
    spelled,
};
use tollgate_wire::{Calling, Endpoint, StreamUsage, WireFormat};

use crate::attempt::failed::Failed;
use crate::attempt::proof::{brought, credential};
use crate::continue_from;
use crate::gate::Gate;
use crate::headers;
use crate::ingress::{Call, unreadable};
use crate::memory::wants;

/// The ways out where a model does not take a field.
const UNSUPPORTED_FIX: &str = "leave it out, or have it dropped: `drop_params: true` in the \
    request, for the deployment or for all of them";

/// What the client is told of an output limit that was lowered to what a budget affords.
const OUTPUT_LIMIT: &str = "max_tokens";

/// A request on its way, how its answer is read, and what the client is to know about it.
pub(super) struct Outgoing {
    pub(super) request: UpstreamRequest,
    pub(super) pairing: Pairing,
    /// Whether it carries the client's own credential in place of the deployment's.
    pub(super) brings: bool,
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
    (call, fetched): (&Call, Option<&Conversation>),
    deployment: &Deployment,
    settings: &Settings,
) -> Result<Outgoing, Failed> {
    let endpoint = endpoint(gate, call, deployment)?;
    let wanted = Wanted::of(call, deployment);
    let quirks = &deployment.provider.quirks;
    let same = call.request.format.wire() == endpoint.format;
    let passes =
        same && !call.request.may_hold_own_seals() && !lacks_thoughts(gate, call, deployment)?;
    let Prepared { body, layout, defaults, dropped, adjusted, pairing } = if passes {
        passed(call, deployment, endpoint)
    } else {
        translated(gate, (call, fetched), (deployment, endpoint), &wanted)?
    };
    let pairing = if call.memory.is_some() { pairing.noting_thoughts() } else { pairing };
    let pairing = match settings.on_structure_miss {
        StructureMiss::Refuse => pairing,
        StructureMiss::Passthrough => pairing.unchecked(),
    };
    let edits = RequestPatch {
        model: &deployment.upstream_model,
        defaults: &defaults,
        extra: &deployment.extra_body,
        send_stream_usage: quirks.usage_in_stream == StreamUsage::OnRequest
            && settings.always_include_stream_usage != Some(false),
        drop_fields: &wanted.drop_fields,
        quirks,
        capability: deployment.capability,
        passes: &wanted.passes,
    };
    let patch = BodyPatch { edits, drops: wanted.drops, drop_paths: &deployment.drop_paths };
    let own = passes.then_some(&call.request);
    let (body, dropped_last) = patched(endpoint.format, (body, &layout), own, &patch)
        .map_err(|problem| not_sent(deployment, problem))?;
    let own = brought(call, deployment);
    let brings = own.is_some();
    let headers = headers::upstream(call, deployment, (endpoint, brings), settings);
    let request = UpstreamRequest {
        url: deployment.url(endpoint, call.request.asked.stream),
        auth: own.map_or_else(|| credential(deployment), Ok)?,
        body: wrapped(endpoint, body, call)?,
        headers,
    };
    let mut all = call.request.edits.dropped.clone();
    for name in dropped.into_iter().chain(dropped_last) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    let adjusted = adjusted.into_iter().chain(call.clamped.then(|| OUTPUT_LIMIT.into())).collect();
    Ok(Outgoing { request, pairing, brings, told: Told { dropped: all, adjusted } })
}

/// How the client and the operator want the request edited; where both say, the client.
struct Wanted<'a> {
    /// Whether what the model does not take is left out.
    drops: bool,
    /// What is sent whatever is known about the model.
    passes: Cow<'a, [Box<str>]>,
    /// Whole fields that the operator says are not sent.
    drop_fields: Vec<Box<str>>,
}

impl<'a> Wanted<'a> {
    fn of(call: &'a Call, deployment: &'a Deployment) -> Self {
        let edits = &call.request.edits;
        let allowed = &deployment.allowed_params;
        let fields = deployment.drop_paths.iter().filter_map(JsonPath::field);
        Self {
            drops: edits.drops.or(deployment.drop_params).unwrap_or(call.lenient),
            passes: match (allowed.is_empty(), edits.passes.is_empty()) {
                (_, true) => Cow::Borrowed(&**allowed),
                (true, false) => Cow::Borrowed(&*edits.passes),
                (false, false) => Cow::Owned([&**allowed, &*edits.passes].concat()),
            },
            drop_fields: fields.map(Into::into).collect(),
        }
    }
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

/// Whether a chat request would be refused as it came, for turns whose reasoning the client did not
/// keep: then its bytes do not pass.
fn lacks_thoughts(gate: &Gate, call: &Call, deployment: &Deployment) -> Result<bool, Failed> {
    if call.request.format != ClientFormat::OpenAiChat || !wants(deployment) {
        return Ok(false);
    }
    let conversation = call.conversation(gate.sealer()).map_err(Failed::of_client)?;
    Ok(lacks_past(conversation, &deployment.provider.quirks))
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

/// A translation. It takes over those of the deployment's parameters that it has a word for. What
/// the operator names to be dropped is gone before it, since the names are the client's.
fn translated(
    gate: &Gate,
    (call, fetched): (&Call, Option<&Conversation>),
    (deployment, endpoint): (&Deployment, &Endpoint),
    wanted: &Wanted<'_>,
) -> Result<Prepared, Failed> {
    let upstream = (endpoint.format, endpoint.envelope);
    if let Some(name) = &call.kept_elsewhere {
        return Err(Failed::of_client(continue_from::not_found(name)));
    }
    let target = Target {
        model: &deployment.upstream_model,
        capability: deployment.capability,
        quirks: &deployment.provider.quirks,
        leniency: Leniency {
            drops: wanted.drops,
            repairs: deployment.modify_params,
            passes: &wanted.passes,
        },
    };
    let broken = |problem| Failed::of_client(unreadable(problem));
    let cut = call.request.without(&deployment.drop_paths).map_err(broken)?;
    let rest;
    let (request, base, hit) = match (&cut, fetched) {
        (Some((request, hit)), Some(fetched)) => (request, fetched, &**hit),
        (Some((request, hit)), None) => {
            let sealer = gate.sealer().map(AsRef::as_ref);
            rest = request.conversation(sealer).map_err(broken)?;
            (request, &rest, &**hit)
        }
        (None, Some(fetched)) => (&call.request, fetched, &[][..]),
        (None, None) => {
            let whole = call.conversation(gate.sealer()).map_err(Failed::of_client)?;
            (&call.request, whole, &[][..])
        }
    };
    let recalled = call.memory.as_ref().and_then(|it| it.recall(base, deployment));
    let conversation = recalled.as_ref().unwrap_or(base);
    let prepared = prepare(request, conversation, upstream, &target, &deployment.defaults);
    let mut prepared = prepared.map_err(|problem| {
        Failed::of_client(match problem {
            Unprepared::Unreadable(problem) => unreadable(problem),
            Unprepared::Unsupported(unsupported) => unexpressed(&unsupported),
        })
    })?;
    prepared.dropped.extend(hit.iter().map(|path| path.as_written().into()));
    Ok(prepared)
}

/// The beta features that the client names in its headers.
pub(super) fn betas(call: &Call) -> Vec<&str> {
    let betas =
        call.headers.get(headers::BETAS).and_then(|value| value.to_str().ok()).unwrap_or_default();
    betas.split(',').map(str::trim).filter(|beta| !beta.is_empty()).collect()
}

/// The body as the endpoint's platform takes it. Versions and betas that the client names in
/// headers stand in the body there.
fn wrapped(endpoint: &Endpoint, body: Bytes, call: &Call) -> Result<Bytes, Failed> {
    endpoint.envelope.wrap(body, None, &betas(call)).map_err(|malformed| {
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
                .with_fix(UNSUPPORTED_FIX)
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
