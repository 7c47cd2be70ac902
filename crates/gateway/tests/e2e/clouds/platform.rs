//! A platform: models that answer in the form that the path names, and a token service beside them
//! that looks at what vouches for the caller.

use std::sync::{Arc, OnceLock};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tollgate_simulator::{CallRecord, Replay, Script, Simulator};
use tollgate_testkit::aws_events;

use crate::matrix::scene::Scene;
use crate::matrix::sse::events;
use crate::matrix::upstream::speaking;
use crate::matrix::world::{is_stream, told};
use crate::stage::simulator;

/// The models of a platform.
pub(super) async fn models() -> Simulator {
    simulator(Script::default().answering(answer)).await
}

/// Says [`Scene::Text`] in the form that the path names.
pub(super) fn answer(path: &str, body: &[u8]) -> Replay {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let operation = path.split('?').next().unwrap_or_default();
    let operation = operation.rsplit(['/', ':']).next().unwrap_or_default();
    let format = match operation {
        "converse" | "converse-stream" => "bedrock_converse",
        "generateContent" | "streamGenerateContent" => "gemini",
        "invoke" | "rawPredict" | "streamRawPredict" => "anthropic_messages",
        "invoke-with-response-stream" => return in_chunks(),
        "responses" => "openai_responses",
        _ => "openai_chat",
    };
    told(
        speaking(format),
        Scene::Text,
        (if is_stream(path, &body) { ":stream" } else { "" }, &body),
    )
}

/// The events of Claude, each in a chunk of an event stream (bedrock.md §3 and §6).
fn in_chunks() -> Replay {
    let stream = speaking("anthropic_messages").stream(Scene::Text).records.concat();
    let chunks = events(&stream).expect("text").into_iter().map(|event| {
        let bytes = BASE64_STANDARD.encode(event.data);
        aws_events::event("chunk", &json!({"bytes": bytes, "p": "abcd"}).to_string())
    });
    Replay::new("application/vnd.amazon.eventstream", chunks)
}

/// A token service on the loopback.
pub(super) struct Authority {
    pub(super) simulator: Simulator,
}

/// What a token service makes of a request: its own address, the path and the form.
type Judge = fn(&str, &str, &Form) -> Result<Granted, &'static str>;

/// What it grants: the media type and the text, in which `{n}` stands for the count of grants.
pub(super) type Granted = (&'static str, String);

impl Authority {
    /// Starts one that answers as the judge says, and refuses with the judge's code.
    pub(super) async fn start(judge: Judge) -> Self {
        let own = Arc::new(OnceLock::<String>::new());
        let (known, count) = (Arc::clone(&own), Arc::new(std::sync::atomic::AtomicU64::new(0)));
        let answer = move |path: &str, body: &[u8]| {
            let form = Form::read(body);
            match judge(known.get().map_or("", String::as_str), path, &form) {
                Ok((media_type, text)) => {
                    let number = 1 + count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let text = text.replace("{n}", &number.to_string());
                    Replay::new(media_type, [text.into()])
                }
                Err(code) => {
                    let body = Bytes::from(json!({"error": code}).to_string());
                    Replay::new("application/json", [body]).with_status(StatusCode::UNAUTHORIZED)
                }
            }
        };
        let simulator = simulator(Script::default().answering(answer)).await;
        own.set(format!("http://{}", simulator.addr())).expect("it is set once");
        Self { simulator }
    }

    /// `http://ADDRESS:PORT`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.simulator.addr())
    }

    /// What it was asked.
    pub(super) fn asked(&self) -> Vec<CallRecord> {
        self.simulator.calls().kept()
    }
}

/// The fields of a form.
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (decoded(name), decoded(value))).collect())
    }

    /// The value of a field; empty where there is none.
    pub(super) fn field(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Whether these fields have these values.
    pub(super) fn says(&self, wanted: &[(&str, &str)]) -> bool {
        wanted.iter().all(|(name, value)| self.field(name) == *value)
    }
}

/// A part of a form without its escapes.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().replace('+', " ").into_bytes();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
        bytes.extend(rest.replace('+', " ").bytes());
    }
    String::from_utf8(bytes).expect("text")
}
