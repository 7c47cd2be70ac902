//! Which parameters of OpenAI's chats a model takes: each is tried on a request that is made and
//! not sent.

use serde_json::{Value, json};
use tollgate_config::{Deployment, Settings};
use tollgate_faults::Refusal;
use tollgate_wire::translate::{ClientFormat, ClientRequest, PathSays};

use super::outgoing::{self, Told};
use crate::gate::Gate;
use crate::ingress::{Call, unreadable};

/// The parameters, in the order in which they are told.
const PARAMETERS: [&str; 25] = [
    "audio",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "modalities",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "service_tier",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
];

impl Gate {
    /// The parameters of OpenAI's chats that the first deployment of a model takes; `None` where
    /// nothing serves the model.
    ///
    /// # Errors
    /// What a client would be told of a chat without any of them.
    pub fn parameters(&self, model: &str) -> Option<Result<Vec<&'static str>, Refusal>> {
        let snapshot = self.snapshot();
        let resolved = snapshot.resolve(model)?;
        let first = resolved.deployments.first()?;
        let tried = |name: Option<&str>| tried(self, (model, name), first, &snapshot.settings);
        if let Err(refusal) = tried(None) {
            return Some(Err(refusal));
        }
        let takes = |name: &&str| {
            let told = tried(Some(*name));
            told.is_ok_and(|told| !told.dropped.iter().any(|dropped| **dropped == **name))
        };
        Some(Ok(PARAMETERS.into_iter().filter(takes).collect()))
    }
}

/// What becomes of a chat with a parameter.
fn tried(
    gate: &Gate,
    (model, name): (&str, Option<&str>),
    deployment: &Deployment,
    settings: &Settings,
) -> Result<Told, Refusal> {
    let body = chat(model, name).to_string().into();
    let path = PathSays { model: None, stream: false, array: false };
    let request = ClientRequest::read(ClientFormat::OpenAiChat, &body, path).map_err(unreadable)?;
    // Nothing is left out tacitly.
    let mut call = Call::own(gate, request);
    call.lenient = false;
    let outgoing = outgoing::request(gate, (&call, None), deployment, settings);
    outgoing.map(|outgoing| outgoing.told).map_err(|failed| failed.refusal)
}

/// A chat with a parameter, and with what that one needs beside it.
fn chat(model: &str, name: Option<&str>) -> Value {
    let mut chat = json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] });
    let Some(name) = name else { return chat };
    let needed = match name {
        "parallel_tool_calls" | "tool_choice" => Some("tools"),
        "stream_options" => Some("stream"),
        "top_logprobs" => Some("logprobs"),
        "audio" => Some("modalities"),
        _ => None,
    };
    for name in needed.into_iter().chain([name]) {
        chat[name] = value(name);
    }
    chat
}

/// A value that a model takes if it takes the parameter at all.
fn value(name: &str) -> Value {
    match name {
        "audio" => json!({ "format": "wav", "voice": "alloy" }),
        "logit_bias" => json!({ "0": 1 }),
        "logprobs" | "stream" => json!(true),
        "max_completion_tokens" | "max_tokens" => json!(4_096),
        "modalities" => json!(["text"]),
        "n" => json!(1),
        "parallel_tool_calls" => json!(true),
        "prediction" => json!({ "type": "content", "content": "hi" }),
        "reasoning_effort" => json!("low"),
        "response_format" => json!({ "type": "json_object" }),
        "seed" => json!(1),
        "service_tier" | "tool_choice" => json!("auto"),
        "stop" => json!(["end"]),
        "stream_options" => json!({ "include_usage": true }),
        "tools" => {
            let parameters = json!({ "type": "object", "properties": {} });
            let function = json!({ "name": "now", "parameters": parameters });
            json!([{ "type": "function", "function": function }])
        }
        "top_logprobs" => json!(1),
        "user" => json!("somebody"),
        "verbosity" => json!("low"),
        // Penalties, the temperature and `top_p`.
        _ => json!(0.5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_makes_a_chat_that_can_be_read() {
        for name in PARAMETERS {
            let body = chat("m", Some(name)).to_string().into();
            let path = PathSays { model: None, stream: false, array: false };
            let request = ClientRequest::read(ClientFormat::OpenAiChat, &body, path);
            assert!(request.is_ok_and(|request| request.conversation(None).is_ok()), "{name}");
        }
        assert!(PARAMETERS.is_sorted());
    }
}
