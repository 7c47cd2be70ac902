//! Golden fixtures: one test walks `fixtures/`, one folder for each wire format, one in it for each
//! case.
//!
//! A case holds what arrived (`request.json`, `answer.json`, `answer.sse` or `error.json`), what is
//! read from it (`expected.json`), what goes on (`to.upstream.json`, `to.client.json`,
//! `to.client.sse`, and `to.client_usage.sse` for a client that asked for usage) and where it comes
//! from (`origin.toml`, which the test of the table reads). A request may be sent by a
//! `patch.json`. `UPDATE_EXPECT=1` writes what the code makes of a new case, to be read before it
//! is kept.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use expect_test::expect_file;
use serde::Deserialize;
use serde_json::{Value, json};
use tollgate_domain::Usage;
use tollgate_wire::capability::Capability;
use tollgate_wire::formats::openai_chat::{
    AnswerRead, ChatRequest, ErrorBody, ObserverOptions, Relay, RequestPatch, StreamFacts,
    StreamObserver, read_answer, read_error, upstream_body, with_model,
};
use tollgate_wire::{Catalog, RECORD_BYTES_MAX, SseFrame, SseFramer};

/// The model name that every client of a fixture asked for.
const CLIENT_MODEL: &str = "client-model";
/// In how many places a stream is split: each takes the time to read all of it.
const SPLITS_MAX: usize = 300;

/// How a request of a fixture goes upstream: to a provider of the catalog, or by the given edits.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Patch {
    model: String,
    provider: Option<String>,
    send_stream_usage: bool,
    defaults: serde_json::Map<String, Value>,
    extra: serde_json::Map<String, Value>,
}

#[test]
fn every_fixture_reads_and_writes_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/openai_chat");
    let mut cases: Vec<PathBuf> = fs::read_dir(root)
        .expect("the fixtures")
        .map(|entry| entry.expect("a case").path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 20, "the fixtures are there");
    for case in cases {
        let kinds = ["request.json", "answer.json", "answer.sse", "error.json"];
        let given: Vec<&str> = kinds.into_iter().filter(|name| case.join(name).exists()).collect();
        match given.as_slice() {
            ["request.json"] => check_request(&case),
            ["answer.json"] => check_answer(&case),
            ["answer.sse"] => check_stream(&case),
            ["error.json"] => check_error(&case),
            other => panic!("{}: one of {kinds:?}, not {other:?}", case.display()),
        }
    }
}

fn check_request(case: &Path) {
    let body = read(case, "request.json");
    let request = match ChatRequest::read(&body, None) {
        Ok(request) => request,
        Err(problem) => return expect(case, &json!({ "refused": problem.to_string() })),
    };
    expect(
        case,
        &json!({
            "model": request.model.as_str(),
            "stream": request.stream,
            "include_usage": request.include_usage,
            "output_tokens_max": request.output_tokens_max,
            "choices": request.choices,
            "prompt_bytes": request.prompt_bytes,
            "user": request.user,
        }),
    );
    let patch: Patch = serde_json::from_slice(&read(case, "patch.json")).expect("a patch");
    let sent = send(&body, &request, &patch);
    serde_json::from_slice::<Value>(&sent).expect("what is sent is JSON");
    expect_bytes(case, "to.upstream.json", &sent);
}

fn send(body: &Bytes, request: &ChatRequest, patch: &Patch) -> Bytes {
    let catalog = Catalog::embedded().expect("the catalog");
    let provider = patch.provider.as_ref().map(|name| catalog.find(name).expect("a provider"));
    let quirks = provider.map(|provider| provider.quirks.clone()).unwrap_or_default();
    let fields = |map: &serde_json::Map<String, Value>| -> Vec<(Box<str>, Box<str>)> {
        map.iter().map(|(name, value)| (name.as_str().into(), value.to_string().into())).collect()
    };
    let patch = RequestPatch {
        model: &patch.model,
        defaults: &fields(&patch.defaults),
        extra: &fields(&patch.extra),
        send_stream_usage: patch.send_stream_usage,
        drop_fields: &[],
        quirks: &quirks,
        capability: &Capability::UNKNOWN,
        passes: &[],
    };
    upstream_body(body, request, &patch).expect("the body that was read")
}

fn check_answer(case: &Path) {
    let body = read(case, "answer.json");
    match read_answer(&body).expect("a JSON object") {
        AnswerRead::Error(error) => expect(case, &json!({ "error": error_json(&error) })),
        AnswerRead::Answer(facts) => {
            expect(
                case,
                &json!({
                    "usage_milli": usage_json(facts.usage.as_ref()),
                    "output_bytes": facts.output_bytes,
                    "finished": facts.finished,
                    "usage_anomalies": facts.usage_anomalies,
                }),
            );
            expect_bytes(case, "to.client.json", &with_model(body, CLIENT_MODEL));
        }
    }
}

fn check_error(case: &Path) {
    let error = read_error(&read(case, "error.json"));
    expect(case, &error.map_or(Value::Null, |error| error_json(&error)));
}

fn check_stream(case: &Path) {
    let stream = read(case, "answer.sse");
    for (forward_usage, name) in [(false, "to.client.sse"), (true, "to.client_usage.sse")] {
        let whole = watch([stream.as_ref()], forward_usage);
        expect_bytes(case, name, &whole.sent);
        expect(case, &stream_json(&whole));
        assert_eq!(watch(stream.chunks(1), forward_usage), whole, "{}", case.display());
        // Every byte on its own is above; two pieces differ from that in little.
        for at in (0..stream.len()).step_by(5.max(stream.len() / SPLITS_MAX)) {
            let (head, tail) = stream.split_at(at);
            assert_eq!(watch([head, tail], forward_usage), whole, "{} at {at}", case.display());
        }
    }
}

/// What came of watching a stream.
#[derive(Debug, PartialEq)]
struct Watched {
    sent: Vec<u8>,
    failed: Option<ErrorBody>,
    facts: StreamFacts,
}

fn watch<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, forward_usage: bool) -> Watched {
    let client_model = CLIENT_MODEL.to_owned();
    let options = ObserverOptions { client_model, forward_usage, rename: true };
    let mut observer = StreamObserver::new(options);
    let mut sent = Vec::new();
    for frame in frames(chunks) {
        match observer.frame(frame) {
            Relay::Forward(bytes) => sent.extend_from_slice(&bytes),
            Relay::Withhold => {}
            Relay::Failed(error) => {
                return Watched { sent, failed: Some(error), facts: observer.close() };
            }
        }
    }
    Watched { sent, failed: None, facts: observer.close() }
}

fn frames<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<SseFrame> {
    let mut framer = SseFramer::new(RECORD_BYTES_MAX);
    let mut frames = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        while let Some(frame) = framer.next_frame().expect("short records") {
            frames.push(frame);
        }
    }
    frames.extend(framer.finish());
    frames
}

fn stream_json(watched: &Watched) -> Value {
    let facts = &watched.facts;
    json!({
        "usage_milli": usage_json(facts.usage.as_ref()),
        "visible": facts.visible,
        "done": facts.done,
        "finish_seen": facts.finish_seen,
        "ended_cleanly": facts.ended_cleanly(),
        "output_deltas": facts.output_deltas,
        "output_bytes": facts.output_bytes,
        "malformed_frames": facts.malformed_frames,
        "usage_anomalies": facts.usage_anomalies,
        "failed": watched.failed.as_ref().map(error_json),
    })
}

/// Quantities in thousandths, by kind.
fn usage_json(usage: Option<&Usage>) -> Value {
    let Some(usage) = usage else { return Value::Null };
    usage
        .known()
        .map(|(kind, quantity)| (kind.as_str().to_owned(), json!(quantity.milli())))
        .collect()
}

fn error_json(error: &ErrorBody) -> Value {
    json!({
        "message": error.message,
        "type": error.kind,
        "code": error.code,
        "param": error.param,
    })
}

fn read(case: &Path, name: &str) -> Bytes {
    let path = case.join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}

fn expect(case: &Path, value: &Value) {
    let text = serde_json::to_string_pretty(value).expect("JSON") + "\n";
    expect_file![case.join("expected.json")].assert_eq(&text);
}

fn expect_bytes(case: &Path, name: &str, bytes: &[u8]) {
    expect_file![case.join(name)].assert_eq(std::str::from_utf8(bytes).expect("UTF-8"));
}
