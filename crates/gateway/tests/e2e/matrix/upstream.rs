//! The formats that upstreams speak: what they must have been sent, and what they answer.

mod anthropic_messages;
mod bedrock_converse;
mod cohere;
mod gemini;
mod ollama;
mod openai_chat;
mod openai_responses;

use bytes::Bytes;
use serde_json::Value;
use tollgate_simulator::{CallRecord, Replay};
use tollgate_testkit::config_text::UPSTREAM_KEY;

use super::check::{Verdict, holds, same};
use super::scene::{Scene, Usage};

/// A format that an upstream speaks.
pub(crate) trait Upstream: Sync {
    /// The format.
    fn name(&self) -> &'static str;

    /// The model as the configuration names it: a provider of this format and its own name.
    fn model(&self) -> &'static str;

    /// What stands behind the address in `api_base`.
    fn base_path(&self) -> &'static str {
        ""
    }

    /// The path of a call, with its query.
    fn path(&self, stream: bool) -> String;

    /// The header that carries the credential, and what stands before the credential in it.
    fn key(&self) -> (&'static str, &'static str) {
        ("authorization", "Bearer ")
    }

    /// Checks what the upstream was sent.
    ///
    /// # Errors
    /// Where it is not what the scene says in this format.
    fn received(&self, body: &Value, scene: Scene, stream: bool) -> Verdict;

    /// A buffered answer.
    fn answer(&self, scene: Scene) -> Value;

    /// A stream.
    fn stream(&self, scene: Scene) -> Stream;

    /// A record that reports an error inside a stream, with this message.
    fn failure(&self, message: &str) -> Bytes;

    /// The media type of a stream.
    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }

    /// Which parts of a usage the format can tell.
    fn reports(&self) -> Reports {
        Reports { cached: true, reasoning: true }
    }
}

/// Which parts of a usage a format can tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reports {
    pub(crate) cached: bool,
    pub(crate) reasoning: bool,
}

/// The records of a stream.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) records: Vec<Bytes>,
    /// How many records hold the beginning up to the first text, or the first call, that a client
    /// sees.
    pub(crate) visible: usize,
    /// How many records there are before the one that says that the answer is complete.
    pub(crate) complete: usize,
}

impl Stream {
    pub(crate) fn push(&mut self, record: impl Into<Bytes>) {
        self.records.push(record.into());
    }

    /// Notes that the records so far hold something that a client sees.
    pub(crate) fn seen(&mut self) {
        if self.visible == 0 {
            self.visible = self.records.len();
        }
    }

    /// Notes that the next record says that the answer is complete.
    pub(crate) fn completes(&mut self) {
        self.complete = self.records.len();
    }
}

impl dyn Upstream {
    /// A buffered answer, ready to be sent.
    pub(crate) fn whole(&self, scene: Scene) -> Replay {
        Replay::new("application/json", [self.answer(scene).to_string().into()])
    }

    /// The first records of a stream, then perhaps another one, ready to be sent.
    pub(crate) fn records(&self, first: &[Bytes], last: Option<Bytes>) -> Replay {
        Replay::new(self.stream_type(), first.iter().cloned().chain(last))
    }

    /// Its own name of the model, as its answers tell it; empty where the format has no place
    /// for one.
    pub(crate) fn own_model(&self) -> String {
        let answer = self.answer(Scene::Text);
        let told = answer["model"].as_str().or_else(|| answer["modelVersion"].as_str());
        told.unwrap_or_default().to_owned()
    }

    /// The usage that a client can learn of.
    pub(crate) fn usage(&self, scene: Scene) -> Usage {
        let (usage, reports) = (scene.usage(), self.reports());
        Usage {
            cached: if reports.cached { usage.cached } else { 0 },
            reasoning: if reports.reasoning { usage.reasoning } else { 0 },
            ..usage
        }
    }

    /// Checks what arrived, its head included. No header may hold the client's own key.
    pub(crate) fn arrived(
        &self,
        call: &CallRecord,
        client_key: &str,
        scene: Scene,
        stream: bool,
    ) -> Verdict {
        let sent = || format!("{} was sent {}", call.path, String::from_utf8_lossy(&call.body));
        let head = || {
            same("the path", call.path.as_str(), self.path(stream))?;
            same("the method", call.method.as_str(), "POST")?;
            let (name, before) = self.key();
            let key = format!("{before}{UPSTREAM_KEY}");
            same(name, call.header(name), Some(key.as_str()))?;
            same("content-type", call.header("content-type"), Some("application/json"))?;
            let leaks = call.headers.iter().find(|(_, value)| value.contains(client_key));
            holds(leaks.is_none(), || format!("the client's key is in {leaks:?}"))
        };
        let body = || {
            let body = serde_json::from_slice(&call.body).map_err(|error| error.to_string())?;
            self.received(&body, scene, stream)
        };
        head().and_then(|()| body()).map_err(|why| format!("upstream: {why}\n    {}", sent()))
    }
}

/// Every format that upstreams speak.
pub(crate) static UPSTREAMS: [&dyn Upstream; 7] = [
    &openai_chat::OpenAiChat,
    &openai_responses::OpenAiResponses,
    &anthropic_messages::AnthropicMessages,
    &gemini::Gemini,
    &bedrock_converse::BedrockConverse,
    &cohere::Cohere,
    &ollama::Ollama,
];

/// The upstream that speaks this format.
pub(crate) fn speaking(format: &str) -> &'static dyn Upstream {
    let found = UPSTREAMS.into_iter().find(|upstream| upstream.name() == format);
    found.unwrap_or_else(|| panic!("no upstream speaks {format}"))
}

/// A server-sent event without a name.
fn unnamed(data: &Value) -> Bytes {
    format!("data: {data}\n\n").into()
}

/// A server-sent event that is named after its data's type.
fn named(data: &Value) -> Bytes {
    let name = data["type"].as_str().unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n").into()
}
