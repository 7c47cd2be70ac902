//! What a model does not take is found in the client's body, and nothing else is.

use bytes::Bytes;

use super::super::{ChatRequest, RequestPatch, upstream_body};
use super::HINTS;
use crate::capability::Capability;
use crate::provider::Quirks;

fn patch(model: &'static str) -> RequestPatch<'static> {
    RequestPatch {
        model,
        defaults: &[],
        extra: &[],
        send_stream_usage: false,
        drop_fields: &[],
        quirks: Quirks::none(),
        capability: Capability::of("openai", model),
        passes: &[],
    }
}

fn read(members: &str) -> (Bytes, ChatRequest) {
    let body = Bytes::from(format!(r#"{{"messages":[1],"model":"m"{members}}}"#));
    let request = ChatRequest::read(&body, None).expect("a request");
    (body, request)
}

#[test]
fn a_reasoning_model_takes_no_sampling_unless_it_does_not_reason() {
    for (model, members, unsupported) in [
        ("gpt-5", r#","temperature":0.2,"top_p":0.5,"seed":1"#, &["temperature", "top_p"][..]),
        ("gpt-5", r#","temperature":1,"top_p":1.0,"presence_penalty":0,"logprobs":false"#, &[]),
        ("gpt-5", r#","temperature":null,"stop":["x"],"stop":["y"]"#, &["stop"]),
        ("gpt-5", r#","stop":[]"#, &[]),
        ("gpt-5.1", r#","temperature":0.2,"top_logprobs":3"#, &[]),
        ("gpt-5.1", r#","temperature":0.2,"reasoning_effort":"low""#, &["temperature"]),
        ("gpt-5.1", r#","presence_penalty":1"#, &["presence_penalty"]),
        ("gpt-5.5", r#","temperature":0.2,"reasoning_effort":"none""#, &[]),
        ("o3", r#","stop":"x","logit_bias":{"1":2},"frequency_penalty":1"#, &["frequency_penalty"]),
        ("gpt-4o", r#","temperature":0.2,"stop":"x","presence_penalty":1"#, &[]),
    ] {
        let (_, request) = read(members);
        assert_eq!(patch(model).unsupported(&request), unsupported, "{model}: {members}");
    }
}

#[test]
fn what_the_deployment_has_decided_on_is_no_longer_unsupported() {
    let (_, request) = read(r#","temperature":0.2,"stop":"x""#);
    let names: [Box<str>; 1] = ["temperature".into()];
    let dropping = RequestPatch { drop_fields: &names, ..patch("gpt-5") };
    assert_eq!(dropping.unsupported(&request), ["stop"]);
    let passing = RequestPatch { passes: &names, ..patch("gpt-5") };
    assert_eq!(passing.unsupported(&request), ["stop"]);
    let quiet: [(Box<str>, Box<str>); 1] = [("reasoning_effort".into(), r#""none""#.into())];
    for settled in [
        RequestPatch { defaults: &quiet, ..patch("gpt-5.5") },
        RequestPatch { extra: &quiet, ..patch("gpt-5.5") },
    ] {
        assert_eq!(settled.unsupported(&request), ["stop"]);
    }
}

#[test]
fn what_a_provider_does_not_take_is_refused_unless_it_is_a_hint_or_asks_for_nothing() {
    let names = HINTS.iter().copied().chain(["n", "seed", "tools", "tool_choice", "logit_bias"]);
    let names = names.chain(["modalities", "response_format", "parallel_tool_calls", "logprobs"]);
    let quirks = Quirks { drop_fields: names.map(Into::into).collect(), ..Quirks::default() };
    let patch = RequestPatch { quirks: &quirks, ..patch("gpt-4o") };
    for (members, unsupported) in [
        (r#","n":2,"seed":0"#, &["n", "seed"][..]),
        (r#","n":1,"seed":null,"tools":[],"logit_bias":{},"logprobs":false"#, &[]),
        (r#","tool_choice":"auto","response_format":{"type":"text"},"modalities":["text"]"#, &[]),
        (r#","tool_choice":"none""#, &["tool_choice"]),
        (r#","response_format":{"type":"json_object"}"#, &["response_format"]),
        (r#","modalities":["text","audio"]"#, &["modalities"]),
        (r#","parallel_tool_calls":true"#, &[]),
        (r#","parallel_tool_calls":false"#, &["parallel_tool_calls"]),
        (r#","user":"u","metadata":{"a":"b"},"store":true,"service_tier":"flex""#, &[]),
        (r#","prediction":{"type":"content","content":"x"},"verbosity":"low""#, &[]),
    ] {
        let (body, request) = read(members);
        assert_eq!(patch.unsupported(&request), unsupported, "{members}");
        let out = upstream_body(&body, &request, &patch).expect("the body that was read");
        assert_eq!(out, r#"{"messages":[1],"model":"gpt-4o"}"#, "none is ever sent: {members}");
    }
    let (_, request) = read(r#","n":2,"user":"u""#);
    let own: [Box<str>; 1] = ["n".into()];
    let dropping = RequestPatch { drop_fields: &own, ..patch };
    assert_eq!(dropping.unsupported(&request), [""; 0]);
    assert_eq!(dropping.dropped(&request).collect::<Vec<_>>(), ["n", "user"]);
    let passing = RequestPatch { passes: &own, ..patch };
    assert_eq!(passing.unsupported(&request), [""; 0]);
    assert_eq!(passing.dropped(&request).collect::<Vec<_>>(), ["user"]);
}

#[test]
fn the_limit_is_renamed_and_what_asks_for_nothing_is_left_out() {
    for (model, sent, wanted) in [
        ("gpt-5", r#","max_tokens":5,"x":1"#, r#","x":1,"max_completion_tokens":5"#),
        ("gpt-5", r#","max_tokens":5,"max_completion_tokens":7"#, r#","max_completion_tokens":7"#),
        ("o3", r#","temperature":1.0,"seed":1,"logprobs":false"#, r#","seed":1"#),
        ("gpt-5-chat-latest", r#","max_tokens":5"#, r#","max_completion_tokens":5"#),
        ("gpt-4o", r#","max_tokens":5,"temperature":1"#, r#","max_tokens":5,"temperature":1"#),
    ] {
        let (body, request) = read(sent);
        let out = upstream_body(&body, &request, &patch(model)).expect("the body that was read");
        let wanted = format!(r#"{{"messages":[1],"model":"{model}"{wanted}}}"#);
        assert_eq!(out, wanted, "{sent}");
    }
}

#[test]
fn a_field_that_is_let_pass_goes_as_it_came() {
    let names: [Box<str>; 2] = ["temperature".into(), "max_tokens".into()];
    let passing = RequestPatch { passes: &names, ..patch("gpt-5") };
    let (body, request) = read(r#","temperature":1,"max_tokens":5"#);
    let out = upstream_body(&body, &request, &passing).expect("the body that was read");
    assert_eq!(out, r#"{"messages":[1],"model":"gpt-5","temperature":1,"max_tokens":5}"#);
}

#[test]
fn function_tools_and_reasoning_together_need_the_responses_api() {
    let function = r#","tools":[{"type":"custom"},{"type":"function","function":{"name":"f"}}]"#;
    let custom = r#","tools":[{"type":"custom","custom":{"name":"f"}}]"#;
    for (model, tools, effort, needs) in [
        ("gpt-5.4", function, "", false),
        ("gpt-5.4", function, r#","reasoning_effort":"low""#, true),
        ("gpt-5.4", r#","functions":[{"name":"f"}]"#, r#","reasoning_effort":"low""#, true),
        ("gpt-5.5", function, "", true),
        ("gpt-5.5", function, r#","reasoning_effort":"none""#, false),
        ("gpt-5.5", custom, "", false),
        ("gpt-5.5", "", "", false),
        ("gpt-5.2", function, r#","reasoning_effort":"high""#, false),
        ("gpt-5.5-pro", "", "", true),
    ] {
        let (_, request) = read(&format!("{tools}{effort}"));
        assert_eq!(patch(model).needs_responses(&request), needs, "{model} {tools} {effort}");
    }
}
