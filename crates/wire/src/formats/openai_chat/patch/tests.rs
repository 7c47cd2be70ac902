//! What goes upstream, byte for byte.

use bytes::Bytes;

use super::{RequestPatch, upstream_body};
use crate::capability::Capability;
use crate::formats::openai_chat::ChatRequest;
use crate::provider::{OutputLimit, Quirks};

fn plain() -> RequestPatch<'static> {
    RequestPatch {
        model: "m",
        defaults: &[],
        extra: &[],
        send_stream_usage: false,
        drop_fields: &[],
        quirks: Quirks::none(),
        capability: &Capability::UNKNOWN,
        passes: &[],
    }
}

/// The upstream body for a client's body of these members and some messages.
fn upstream(members: &str, patch: &RequestPatch<'_>) -> String {
    let body = Bytes::from(format!(r#"{{"messages":[1]{members}}}"#));
    let request = ChatRequest::read(&body, None).expect("a request");
    let out = upstream_body(&body, &request, patch).expect("the body that was read");
    let out = String::from_utf8(out.to_vec()).expect("UTF-8");
    let inner = out.strip_prefix(r#"{"messages":[1]"#).and_then(|rest| rest.strip_suffix('}'));
    inner.expect("the messages come first").to_owned()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(Box<str>, Box<str>)> {
    pairs.iter().map(|(name, raw)| ((*name).into(), (*raw).into())).collect()
}

#[test]
fn without_edits_the_clients_own_bytes_go_upstream() {
    let body = Bytes::from_static(b" {\"model\" : \"\\u006d\",\n \"x\":1e-7, \"messages\":[1]} ");
    let request = ChatRequest::read(&body, None).expect("a request");
    let out = upstream_body(&body, &request, &plain()).expect("the body that was read");
    assert_eq!(out.as_ptr(), body.as_ptr(), "not even copied");
}

#[test]
fn the_model_is_replaced_where_it_stands() {
    let patch = RequestPatch { model: "vendor/\"x\"", ..plain() };
    let out = upstream(r#", "model" : "a", "metadata":{"k":"v"},"user":"u","new":1.50"#, &patch);
    let wanted = r#", "model" : "vendor/\"x\"", "metadata":{"k":"v"},"user":"u","new":1.50"#;
    assert_eq!(out, wanted);
}

#[test]
fn the_model_is_added_where_only_the_path_named_it() {
    let body = Bytes::from_static(b"{\"messages\":[1]}");
    let request = ChatRequest::read(&body, Some("a")).expect("a request");
    let out = upstream_body(&body, &request, &plain()).expect("the body that was read");
    assert_eq!(out, "{\"messages\":[1],\"model\":\"m\"}");
}

#[test]
fn no_earlier_duplicate_of_a_decided_field_goes_upstream() {
    let members = r#","model":"a","n":9,"x":1,"mod\u0065l":"m","n":1,"x":2"#;
    assert_eq!(upstream(members, &plain()), r#","x":1,"mod\u0065l":"m","n":1,"x":2"#);
}

#[test]
fn what_concerns_the_gateway_alone_is_removed() {
    let members = r#","model":"m","timeout":5,"metadata":{"tags":["a"]},"input_cost_per_token":0,
        "t\u0061gs":["a"],"top_k":3,"litellm_metadata":{},"fallbacks":["b"]"#;
    assert_eq!(upstream(members, &plain()), r#","model":"m","metadata":{"tags":["a"]},"top_k":3"#);
}

#[test]
fn a_default_is_set_only_where_the_client_sent_none() {
    let defaults = pairs(&[("temperature", "0.5"), ("top_p", "0.9"), ("seed", "7")]);
    let patch = RequestPatch { defaults: &defaults, ..plain() };
    let out = upstream(r#","model":"m","temperature":0,"seed":null"#, &patch);
    assert_eq!(out, r#","model":"m","temperature":0,"seed":7,"top_p":0.9"#);
}

#[test]
fn a_default_limit_does_not_join_the_clients_other_spelling() {
    let defaults = pairs(&[("max_tokens", "100")]);
    let patch = RequestPatch { defaults: &defaults, ..plain() };
    let sent = r#","model":"m","max_completion_tokens":5"#;
    assert_eq!(upstream(sent, &patch), sent);
    assert_eq!(upstream(r#","model":"m""#, &patch), r#","model":"m","max_tokens":100"#);
}

#[test]
fn an_extra_field_is_always_set_and_survives_every_rule() {
    let extra = pairs(&[("priority", "3"), ("temperature", "1")]);
    let drop: [Box<str>; 1] = ["temperature".into()];
    let patch = RequestPatch { extra: &extra, drop_fields: &drop, ..plain() };
    let out = upstream(r#","temperature":0,"model":"m","priority":9"#, &patch);
    assert_eq!(out, r#","model":"m","priority":3,"temperature":1"#);
}

#[test]
fn usage_is_asked_for_only_in_a_stream_whose_client_did_not() {
    let patch = RequestPatch { send_stream_usage: true, ..plain() };
    let cases = [
        (r#","model":"m""#, r#","model":"m""#),
        (
            r#","stream":true,"model":"m""#,
            r#","stream":true,"model":"m","stream_options":{"include_usage":true}"#,
        ),
        (
            r#","stream":true,"stream_options":null,"model":"m""#,
            r#","stream":true,"stream_options":{"include_usage":true},"model":"m""#,
        ),
        (
            r#","stream":true,"model":"m","stream_options": { "include_obfuscation" : false }"#,
            r#","stream":true,"model":"m","stream_options": { "include_obfuscation" : false,"include_usage":true }"#,
        ),
        (
            r#","stream":true,"model":"m","stream_options":{"include_usage":false,"a":1}"#,
            r#","stream":true,"model":"m","stream_options":{"include_usage":true,"a":1}"#,
        ),
        (
            r#","stream":true,"model":"m","stream_options":{"include_usage":true}"#,
            r#","stream":true,"model":"m","stream_options":{"include_usage":true}"#,
        ),
    ];
    for (sent, wanted) in cases {
        assert_eq!(upstream(sent, &patch), wanted, "{sent}");
    }
    let sent = r#","stream":true,"model":"m""#;
    assert_eq!(upstream(sent, &plain()), sent);
}

#[test]
fn quirks_apply_to_defaults_and_before_the_deployments_own_fields() {
    let quirks = Quirks { output_limit: OutputLimit::MaxTokens, ..Quirks::default() };
    let defaults = pairs(&[("max_completion_tokens", "5")]);
    let patch = RequestPatch { quirks: &quirks, defaults: &defaults, ..plain() };
    assert_eq!(upstream(r#","model":"m""#, &patch), r#","model":"m","max_tokens":5"#);
    let extra = pairs(&[("max_completion_tokens", "7")]);
    let patch = RequestPatch { extra: &extra, defaults: &[], ..patch };
    let out = upstream(r#","model":"m","max_completion_tokens":5"#, &patch);
    assert_eq!(out, r#","model":"m","max_tokens":5,"max_completion_tokens":7"#);
}

#[test]
fn what_is_dropped_can_be_told() {
    let drop: [Box<str>; 2] = ["logit_bias".into(), "user".into()];
    let patch = RequestPatch { drop_fields: &drop, ..plain() };
    let body = Bytes::from_static(b"{\"messages\":[1],\"model\":\"m\",\"user\":\"u\"}");
    let request = ChatRequest::read(&body, None).expect("a request");
    assert_eq!(patch.dropped(&request).collect::<Vec<_>>(), ["user"]);
    let out = upstream_body(&body, &request, &patch).expect("the body that was read");
    assert_eq!(out, "{\"messages\":[1],\"model\":\"m\"}");
}

#[test]
fn another_body_than_the_one_read_is_scanned_for_itself() {
    let read = Bytes::from_static(b"{\"messages\":[1],\"model\":\"m\"}");
    let request = ChatRequest::read(&read, None).expect("a request");
    let other = Bytes::from_static(b"{\"model\":\"a\",\"x\":1}");
    let out = upstream_body(&other, &request, &plain()).expect("JSON");
    assert_eq!(out, "{\"model\":\"m\",\"x\":1}");
    assert!(upstream_body(&Bytes::from_static(b"{"), &request, &plain()).is_err());
}
