//! A gateway before one scripted upstream for each format, for clients that others wrote: each
//! upstream answers in its own format by what it is asked.

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_simulator::{CallRecord, Replay, Script, Simulator};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::{GatewayProcess, Home};

use super::cell::in_pieces;
use super::config;
use super::scene::Scene;
use super::upstream::{UPSTREAMS, Upstream};
use crate::stage::{Key, Stage, binary, simulator};

/// Says which scene a request is answered with, by the upstream's format and the request's body.
pub(crate) trait Teller: Fn(&str, &Value) -> Scene + Clone + Send + Sync + 'static {}

impl<T: Fn(&str, &Value) -> Scene + Clone + Send + Sync + 'static> Teller for T {}

/// A gateway with a model group for each format, named after it.
pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) key: Key,
    simulators: Vec<Simulator>,
}

impl World {
    /// Starts it.
    pub(crate) async fn new(teller: impl Teller) -> Self {
        Self::configured(teller, |config| config).await
    }

    /// Starts it with more in its configuration.
    pub(crate) async fn configured(
        teller: impl Teller,
        more: impl FnOnce(ConfigText) -> ConfigText,
    ) -> Self {
        let mut simulators = Vec::new();
        for upstream in UPSTREAMS {
            let teller = teller.clone();
            let answer = move |path: &str, body: &[u8]| answer(upstream, &teller, path, body);
            simulators.push(simulator(Script::default().answering(answer)).await);
        }
        let home = Home::new(&more(config(&simulators)).build());
        let gateway = GatewayProcess::start(binary(), &home).await;
        let unused = simulator(Script::default()).await;
        let stage = Stage { simulator: unused, home, gateway, database: None };
        let key = stage.plain_key().await;
        Self { stage, key, simulators }
    }

    /// The upstreams, each with what it was sent.
    pub(crate) fn sent(&self) -> impl Iterator<Item = (&'static dyn Upstream, Vec<CallRecord>)> {
        let kept = self.simulators.iter().map(|simulator| simulator.calls().kept());
        UPSTREAMS.into_iter().zip(kept)
    }
}

fn answer(
    upstream: &'static dyn Upstream,
    teller: &impl Teller,
    path: &str,
    body: &[u8],
) -> Replay {
    if is_count(path) {
        let counted = json!({"input_tokens": COUNTED, "totalTokens": COUNTED}).to_string();
        return Replay::new("application/json", [counted.into()]);
    }
    let body = serde_json::from_slice(body).unwrap_or_default();
    told(upstream, teller(upstream.name(), &body), (path, &body))
}

/// A scene as this upstream tells it to who asks so.
pub(crate) fn told(
    upstream: &'static dyn Upstream,
    scene: Scene,
    (path, body): (&str, &Value),
) -> Replay {
    if is_stream(path, body) {
        let stream = Bytes::from(upstream.stream(scene).records.concat());
        return upstream.records(&in_pieces(&stream), None);
    }
    upstream.whole(scene)
}

/// Whether a request asks for a count of its tokens alone.
pub(crate) fn is_count(path: &str) -> bool {
    path.contains("count_tokens") || path.contains("countTokens")
}

/// Whether a request asks for a stream.
pub(crate) fn is_stream(path: &str, body: &Value) -> bool {
    body["stream"] == true || path.contains(":stream") || path.ends_with("-stream")
}

/// The results of tools that a request in this format tells of, oldest first.
pub(crate) fn results<'b>(format: &str, body: &'b Value) -> Vec<&'b Value> {
    let is_result = |value: &Value| match format {
        "openai_responses" => value["type"] == "function_call_output",
        "anthropic_messages" => value["type"] == "tool_result",
        "gemini" => value["functionResponse"].is_object(),
        "bedrock_converse" => value["toolResult"].is_object(),
        _ => value["role"] == "tool",
    };
    let turns = ["input", "contents", "messages"].map(|member| &body[member]);
    let turns = turns.into_iter().filter_map(Value::as_array).flatten();
    let blocks = |turn: &'b Value| {
        let inner = ["content", "parts"].map(|member| &turn[member]);
        inner.into_iter().filter_map(Value::as_array).flatten()
    };
    turns
        .flat_map(|turn| std::iter::once(turn).chain(blocks(turn)))
        .filter(|value| is_result(value))
        .collect()
}

/// What the upstreams count where they are asked to.
pub(crate) const COUNTED: u64 = 7;
