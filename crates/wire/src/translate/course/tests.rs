//! Streams between formats: any split of the bytes gives the same, and a cut is never an end.

use bytes::{Bytes, BytesMut};

use super::*;
use crate::formats::anthropic_messages::Envelope;
use crate::frame::aws_events;
use crate::translate::{ClientFormat, ClientRequest, PathSays};

const CHAT: &[&str] = &[
    r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"He"}}]}"#,
    r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"llo"}}]}"#,
    r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    r#"{"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
    "[DONE]",
];

fn request(format: ClientFormat) -> ClientRequest {
    let body = match format {
        ClientFormat::OpenAiResponses => r#"{"model":"m","stream":true,"input":"hi"}"#,
        ClientFormat::Gemini => r#"{"contents":[{"parts":[{"text":"hi"}]}]}"#,
        ClientFormat::OpenAiChat | ClientFormat::AnthropicMessages => {
            r#"{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#
        }
    };
    let path = PathSays { model: Some("m"), stream: true, array: false };
    ClientRequest::read(format, &Bytes::from_static(body.as_bytes()), path).expect("a request")
}

fn course(client: ClientFormat, upstream: WireFormat, envelope: Envelope) -> Course {
    let pairing = Pairing::passing(&request(client), upstream, envelope);
    let translated = client.wire() != upstream;
    let pairing = if translated { pairing.translating() } else { pairing };
    let (model, id) = ("m".to_owned(), "call".to_owned());
    Course::new(pairing, Reply { model, id, created: 1, include_usage: true, seal: None })
}

fn sse(events: &[&str]) -> Vec<u8> {
    events.iter().flat_map(|data| format!("data: {data}\n\n").into_bytes()).collect()
}

/// What a client gets of a stream that comes in pieces of this size, and whether it ended well.
fn run(mut course: Course, stream: &[u8], size: usize) -> (Vec<u8>, bool) {
    let mut out = BytesMut::new();
    for piece in stream.chunks(size) {
        course.take(&Bytes::copy_from_slice(piece), &mut out).expect("a sound stream");
    }
    course.finish(&mut out).expect("a sound end");
    (out.to_vec(), course.facts().ended_cleanly())
}

#[test]
fn any_split_of_a_stream_gives_every_client_the_same_bytes() {
    let stream = sse(CHAT);
    for client in [
        ClientFormat::OpenAiChat,
        ClientFormat::OpenAiResponses,
        ClientFormat::AnthropicMessages,
        ClientFormat::Gemini,
    ] {
        let with =
            |size| run(course(client, WireFormat::OpenAiChat, Envelope::Plain), &stream, size);
        let whole = with(stream.len());
        assert!(whole.1, "{client:?} ends well");
        for size in [1, 2, 7, 61] {
            assert_eq!(with(size), whole, "{client:?} in pieces of {size}");
        }
    }
}

#[test]
fn a_stream_that_is_cut_ends_for_no_client() {
    let marks = [
        (ClientFormat::OpenAiChat, "[DONE]"),
        (ClientFormat::OpenAiResponses, "response.completed"),
        (ClientFormat::AnthropicMessages, "message_stop"),
        (ClientFormat::Gemini, "finishReason"),
    ];
    for (client, mark) in marks {
        let cut = sse(&CHAT[..2]);
        let one = course(client, WireFormat::OpenAiChat, Envelope::Plain);
        let (out, clean) = run(one, &cut, 5);
        assert!(!clean, "{client:?}");
        assert!(!String::from_utf8_lossy(&out).contains(mark), "{client:?}");
    }
}

#[test]
fn the_facts_of_a_translated_stream_are_those_of_its_answer() {
    let client = ClientFormat::AnthropicMessages;
    let mut course = course(client, WireFormat::OpenAiChat, Envelope::Plain);
    let mut out = BytesMut::new();
    course.take(&Bytes::from(sse(CHAT)), &mut out).expect("a sound stream");
    let facts = course.facts();
    assert_eq!((facts.output_bytes, facts.output_deltas, facts.visible), (5, 2, true));
    assert!(facts.usage.is_some() && facts.done);
}

#[test]
fn events_that_a_platform_wraps_reach_a_client_of_their_format_as_its_own() {
    let wrapped = |json: &str| {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.encode(json);
        let headers = [(":message-type", "event"), (":event-type", "chunk")];
        let payload = format!(r#"{{"bytes":"{bytes}"}}"#);
        aws_events::message(&headers, payload.as_bytes()).expect("a message")
    };
    let start = r#"{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":1}}}"#;
    let stop = r#"{"type":"message_stop"}"#;
    let stream = [wrapped(start), wrapped(stop)].concat();
    let client = ClientFormat::AnthropicMessages;
    let one = course(client, WireFormat::AnthropicMessages, Envelope::BedrockInvoke);
    let (out, _) = run(one, &stream, 3);
    let wanted =
        format!("event: message_start\ndata: {start}\n\nevent: message_stop\ndata: {stop}\n\n");
    assert_eq!(String::from_utf8_lossy(&out), wanted);
}

#[test]
fn an_error_in_the_stream_is_told_and_nothing_of_it_passes() {
    let mut course = course(ClientFormat::Gemini, WireFormat::OpenAiChat, Envelope::Plain);
    let mut out = BytesMut::new();
    let stream = sse(&[r#"{"error":{"message":"no","type":"server_error"}}"#]);
    let fault = course.take(&Bytes::from(stream), &mut out).expect_err("an error");
    assert!(matches!(fault, Fault::Told(error) if error.message == "no"));
    assert!(out.is_empty());
}
