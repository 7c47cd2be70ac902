//! Requests: a refusal names the place, and what reads is written for every upstream or refused by
//! the name of a field.

use bytes::Bytes;
use tollgate_wire::Quirks;
use tollgate_wire::capability::{Capability, Efforts};
use tollgate_wire::conversation::{Conversation, Effort};
use tollgate_wire::formats::anthropic_messages::{self, Wording};
use tollgate_wire::formats::openai_chat::{ChatRequest, RequestPatch, RequestProblem};
use tollgate_wire::formats::translation::{Leniency, Target, Written};
use tollgate_wire::json::Object;

use super::formats::{Client, UPSTREAMS, Upstream};
use super::valid::assert_object;

/// A model that can do next to nothing, so that writers have most to leave out and to change.
const NARROW: Capability = Capability {
    thinking_disabled: false,
    thinking_budget: false,
    thinking_adaptive: true,
    thinking_between_tools: true,
    thinks_by_default: true,
    efforts: Efforts::ALL.with(Effort::High),
    effort_capped_without_thinking: true,
    forced_tool_with_thinking: false,
    forced_tool: false,
    native_structured_output: false,
    sampling: false,
    temperature_with_top_p: false,
    prefill: false,
    system_anywhere: false,
    output_tokens_max: Some(4096),
    ..Capability::UNKNOWN
};

const STRICT: Leniency<'_> = Leniency { drops: false, repairs: false, passes: &[] };
const DROPS: Leniency<'_> = Leniency { drops: true, ..STRICT };
const LENIENT: Leniency<'_> = Leniency { repairs: true, ..DROPS };

/// The targets that every conversation is written for.
fn targets() -> [Target<'static>; 5] {
    let target = |model, capability, leniency| Target {
        model,
        capability,
        leniency,
        quirks: Quirks::none(),
    };
    [
        target("upstream-model", &Capability::UNKNOWN, STRICT),
        target("upstream-model", &Capability::UNKNOWN, DROPS),
        target("gemini-3-pro-preview", &NARROW, LENIENT),
        target("gemini-2.5-flash", &NARROW, STRICT),
        target("o4-mini", &NARROW, DROPS),
    ]
}

/// The body of the targets `request_…`.
pub(crate) fn check(client: &Client, data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    if client.name == "openai_chat" {
        check_patch(&body);
    }
    if client.name == "anthropic_messages"
        && let Err(problem) = anthropic_messages::to_counted_conversation(&body, None)
    {
        names_its_place(&problem, &body);
    }
    match (client.read)(&body) {
        Err(problem) => names_its_place(&problem, &body),
        Ok(conversation) => {
            assert_eq!((client.read)(&body).as_ref(), Ok(&conversation), "reading is a function");
            check_conversation(client, &conversation);
        }
    }
}

/// What a client sent is written for every upstream.
pub(crate) fn check_conversation(client: &Client, conversation: &Conversation) {
    for upstream in &UPSTREAMS {
        for target in &targets() {
            let written = check_written(upstream, conversation, target);
            if let Some(written) = written.filter(|_| upstream.name == client.name) {
                check_read_back(upstream, client, &written, target);
            }
        }
    }
}

fn check_written(
    upstream: &Upstream,
    conversation: &Conversation,
    target: &Target<'_>,
) -> Option<Written> {
    let written = (upstream.write)(conversation, target);
    assert_eq!((upstream.write)(conversation, target), written, "writing is a function");
    // A client may send a field whose name is empty.
    let unnamed = conversation.unmapped.iter().any(|(name, _)| name.is_empty());
    let written = match written {
        Ok(written) => written,
        Err(unsupported) => {
            let named = !unsupported.field.is_empty();
            assert!(named || unnamed, "{}: {unsupported}", upstream.name);
            assert!(!unsupported.detail.is_empty(), "{}: {unsupported}", upstream.name);
            return None;
        }
    };
    assert_object(&written.body, upstream.name);
    let scanned = Object::scan(&written.body).map(|object| object.layout());
    assert!(scanned.is_err() || scanned == Ok(written.layout.clone()), "{}", upstream.name);
    for names in [&written.dropped, &written.adjusted] {
        let named = names.iter().all(|name| !name.is_empty());
        assert!(named || unnamed, "{}: {names:?}", upstream.name);
    }
    check_wording(conversation, target);
    Some(written)
}

/// What a client's own format is written for reads again, and is then written the same.
fn check_read_back(upstream: &Upstream, client: &Client, written: &Written, target: &Target<'_>) {
    let name = upstream.name;
    let text = String::from_utf8_lossy(&written.body);
    let again = match (client.read)(&written.body) {
        Ok(again) => again,
        // What stood at the deepest place that is read may stand one deeper now.
        Err(RequestProblem::Malformed(_)) => return,
        Err(problem) => panic!("{name} refuses what it wrote: {problem}: {text}"),
    };
    match (upstream.write)(&again, target) {
        // A repair makes room for what is missing, which is there the next time.
        Ok(_) if target.leniency.repairs => {}
        Ok(rewritten) => assert_eq!(String::from_utf8_lossy(&rewritten.body), text, "{name}"),
        Err(unsupported) => panic!("{name} does not write again: {unsupported}: {text}"),
    }
}

fn check_wording(conversation: &Conversation, target: &Target<'_>) {
    let json_tool = anthropic_messages::uses_json_tool(conversation, target);
    let wording = Wording::of(conversation, json_tool);
    assert_eq!(wording, Wording::of(conversation, json_tool));
}

/// The passthrough of the same format: what is sent is JSON and names the upstream's model.
fn check_patch(body: &Bytes) {
    let request = match ChatRequest::read(body, None) {
        Ok(request) => request,
        Err(problem) => return names_its_place(&problem, body),
    };
    let pair = |name: &str, json: &str| (Box::<str>::from(name), Box::<str>::from(json));
    let patch = RequestPatch {
        model: "upstream-model",
        defaults: &[pair("temperature", "0.5"), pair("\u{e9}\"", "[]")],
        extra: &[pair("user", "null")],
        send_stream_usage: true,
        drop_fields: &["seed".into()],
        quirks: &Quirks::default(),
        capability: &Capability::UNKNOWN,
        passes: &[],
    };
    let sent = upstream_body(body, &request, &patch);
    assert_object(&sent, "the patched request");
    let again = ChatRequest::read(&sent, None).expect("what is sent reads");
    assert_eq!(again.model.as_str(), "upstream-model");
}

fn upstream_body(body: &Bytes, request: &ChatRequest, patch: &RequestPatch<'_>) -> Bytes {
    tollgate_wire::formats::openai_chat::upstream_body(body, request, patch).expect("it was read")
}

/// A refusal says where: a field, or a place in the text.
pub(crate) fn names_its_place(problem: &RequestProblem, body: &[u8]) {
    match problem {
        RequestProblem::Malformed(malformed) => {
            assert!(malformed.offset <= body.len(), "{malformed}");
            assert!(malformed.line >= 1 && malformed.column >= 1, "{malformed}");
            assert!(!malformed.detail.is_empty());
        }
        RequestProblem::Missing { field } => assert!(!field.is_empty()),
        RequestProblem::WrongType { field, .. }
        | RequestProblem::OutOfRange { field, .. }
        | RequestProblem::NotAllowed { field } => assert!(!field.is_empty(), "{problem}"),
    }
}
