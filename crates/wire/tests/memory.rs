//! How much memory a translation takes at most: of a large prompt there is the body as it came and
//! the body as it goes upstream, and no third copy, however often it is read, written and edited.
//!
//! It is a binary of its own because the counting allocator counts all that a binary does.

use allocation_counter::measure;
use bytes::Bytes;
use tollgate_wire::WireFormat;
use tollgate_wire::capability::Capability;
use tollgate_wire::formats::anthropic_messages::Envelope;
use tollgate_wire::formats::openai_chat::RequestPatch;
use tollgate_wire::formats::translation::{Leniency, Target};
use tollgate_wire::provider::{OutputLimit, Quirks};
use tollgate_wire::translate::{
    BodyPatch, ClientFormat, ClientRequest, PathSays, Prepared, Unprepared, patched, prepare,
};

/// Pictures in a prompt.
const IMAGES: usize = 4;
/// Base64 of one of them in a prompt of a megabyte, in bytes.
const IMAGE_BYTES: usize = 256 * 1024;
/// The same in a prompt that is large enough to tell a copy from what is beside it.
const SMALLER_IMAGE_BYTES: usize = 32 * 1024;
/// What they are made of.
const IMAGE_PIECE: &str = "iVBORw0KGgoAAAAN";
/// The most that is held at once beside the body that is sent: one part in so many of it.
const BESIDE: u64 = 8;

const CLIENTS: [ClientFormat; 4] = [
    ClientFormat::OpenAiChat,
    ClientFormat::OpenAiResponses,
    ClientFormat::AnthropicMessages,
    ClientFormat::Gemini,
];

const UPSTREAMS: [WireFormat; 7] = [
    WireFormat::OpenAiChat,
    WireFormat::OpenAiResponses,
    WireFormat::AnthropicMessages,
    WireFormat::Gemini,
    WireFormat::BedrockConverse,
    WireFormat::Cohere,
    WireFormat::Ollama,
];

/// A prompt of pictures, each of so many bytes of base64.
fn prompt(format: ClientFormat, image_bytes: usize) -> Bytes {
    let data = IMAGE_PIECE.repeat(image_bytes / IMAGE_PIECE.len());
    let url = format!(r#""data:image/png;base64,{data}""#);
    let (open, part, close) = match format {
        ClientFormat::OpenAiChat => (
            r#"{"model":"m","max_tokens":64,"messages":[{"role":"user","content":["#,
            format!(r#"{{"type":"image_url","image_url":{{"url":{url}}}}}"#),
            r#"]}],"temperature":0.5}"#,
        ),
        ClientFormat::OpenAiResponses => (
            r#"{"model":"m","max_output_tokens":64,"input":[{"role":"user","content":["#,
            format!(r#"{{"type":"input_image","image_url":{url}}}"#),
            r#"]}],"temperature":0.5}"#,
        ),
        ClientFormat::AnthropicMessages => {
            let source = format!(r#"{{"type":"base64","media_type":"image/png","data":"{data}"}}"#);
            (
                r#"{"model":"m","max_tokens":64,"messages":[{"role":"user","content":["#,
                format!(r#"{{"type":"image","source":{source}}}"#),
                r#"]}],"temperature":0.5}"#,
            )
        }
        ClientFormat::Gemini => (
            r#"{"contents":[{"role":"user","parts":["#,
            format!(r#"{{"inlineData":{{"mimeType":"image/png","data":"{data}"}}}}"#),
            r#"]}],"generationConfig":{"maxOutputTokens":64,"temperature":0.5}}"#,
        ),
    };
    Bytes::from([open, &vec![part; IMAGES].join(","), close].concat().into_bytes())
}

/// Reads a client's body, translates it, and edits it as a deployment does that has edits for it.
fn sent(client: ClientFormat, upstream: WireFormat, body: &Bytes) -> Bytes {
    let model = (client == ClientFormat::Gemini).then_some("m");
    let path = PathSays { model, ..PathSays::default() };
    let request = ClientRequest::read(client, body, path).expect("a request");
    let conversation = request.conversation(None).expect("a conversation");
    let quirks = Quirks { output_limit: OutputLimit::MaxTokens, ..Quirks::default() };
    let target = Target {
        model: "upstream-model",
        capability: &Capability::UNKNOWN,
        quirks: &quirks,
        leniency: Leniency { drops: true, ..Leniency::default() },
    };
    let defaults = [("top_p".into(), "0.9".into()), ("own_default".into(), "1".into())];
    let prepared =
        prepare(&request, &conversation, (upstream, Envelope::Plain), &target, &defaults)
            .map_err(|problem: Unprepared| problem.to_string());
    let Prepared { body, layout, defaults, .. } = prepared.expect("a target that sees");
    let edits = RequestPatch {
        model: "upstream-model",
        defaults: &defaults,
        extra: &[("own".into(), r#"{"a":[1,2,3]}"#.into())],
        send_stream_usage: true,
        drop_fields: &["temperature".into()],
        quirks: &quirks,
        capability: &Capability::UNKNOWN,
        passes: &[],
    };
    let patch = BodyPatch { edits, drops: true, drop_paths: &[] };
    patched(upstream, (body, &layout), None, &patch).expect("a body").0
}

/// What is held at once is the body that is sent, and little beside it.
fn check(client: ClientFormat, upstream: WireFormat, image_bytes: usize) {
    let body = prompt(client, image_bytes);
    let mut out = Bytes::new();
    let taken = measure(|| out = sent(client, upstream, &body)).bytes_max;
    let (pair, written) = (format!("{client:?} to {upstream:?}"), out.len() as u64);
    assert!(out.len() > IMAGES * image_bytes, "{pair}: the pictures are gone: {written}");
    let most = written + written / BESIDE;
    assert!(taken <= most, "{pair}: {taken} bytes at once for {written} that are sent");
}

#[test]
fn a_megabyte_of_images_is_translated_without_a_third_copy() {
    check(ClientFormat::AnthropicMessages, WireFormat::OpenAiChat, IMAGE_BYTES);
}

#[test]
fn no_pair_of_formats_makes_a_third_copy() {
    for client in CLIENTS {
        for upstream in UPSTREAMS.into_iter().filter(|upstream| client.wire() != *upstream) {
            check(client, upstream, SMALLER_IMAGE_BYTES);
        }
    }
}

#[test]
fn passing_a_large_prompt_on_with_edits_takes_one_copy() {
    let body = prompt(ClientFormat::AnthropicMessages, IMAGE_BYTES);
    let taken = measure(|| {
        let client = ClientFormat::AnthropicMessages;
        let request = ClientRequest::read(client, &body, PathSays::default()).expect("a request");
        let edits = RequestPatch {
            model: "upstream-model",
            defaults: &[],
            extra: &[],
            send_stream_usage: true,
            drop_fields: &[],
            quirks: Quirks::none(),
            capability: &Capability::UNKNOWN,
            passes: &[],
        };
        let patch = BodyPatch { edits, drops: true, drop_paths: &[] };
        let own = (request.body.clone(), &request.layout);
        let sent = patched(client.wire(), own, Some(&request), &patch).expect("a body").0;
        assert!(sent.len() > body.len());
    });
    let most = body.len() as u64 + body.len() as u64 / BESIDE;
    assert!(taken.bytes_max <= most, "{} bytes at once for {}", taken.bytes_max, body.len());
}
