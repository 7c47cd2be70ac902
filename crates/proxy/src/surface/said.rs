//! What is said about the routes of the data path: for whoever describes the API. Bodies are told
//! as far as every call needs them; the formats have more fields, and all of them pass.

use tollgate_faults::Dialect;

/// What is said about a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Says {
    /// What it belongs to.
    pub family: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Whose error bodies it answers with.
    pub dialect: Dialect,
    /// The fields of its body that are told; empty where it has none.
    pub body: &'static [Told],
    /// The media types that it answers with.
    pub media: &'static [&'static str],
    /// Whether it calls a provider.
    pub calls: bool,
    /// Statuses beside 200 that are no refusals, and what they say.
    pub also: &'static [(u16, &'static str)],
}

/// A field of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// Whether the call has to have it.
    pub required: bool,
    /// What it means, in one sentence.
    pub about: &'static str,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Text.
    Text,
    /// True or false.
    Flag,
    /// A whole number, zero or more.
    Count,
    /// A list.
    List,
    /// Text, or a list.
    TextOrList,
    /// An object.
    Object,
}

const fn must(name: &'static str, holds: Holds, about: &'static str) -> Told {
    Told { name, holds, required: true, about }
}

const fn may(name: &'static str, holds: Holds, about: &'static str) -> Told {
    Told { name, holds, required: false, about }
}

const MODEL: Told = must("model", Holds::Text, "The model group");
const MESSAGES: Told = must("messages", Holds::List, "The conversation so far");
const STREAM: Told = may("stream", Holds::Flag, "Whether the answer comes as events");
const CONTENTS: &str = "The conversation so far";

const JSON: &[&str] = &["application/json"];
const JSON_OR_EVENTS: &[&str] = &["application/json", "text/event-stream"];

/// What calls of a provider have in common.
const CALL: Says = Says {
    family: "chat completions",
    about: "",
    dialect: Dialect::OpenAi,
    body: &[],
    media: JSON_OR_EVENTS,
    calls: true,
    also: &[],
};
/// What questions about the gateway have in common.
const QUESTION: Says = Says {
    family: "models",
    about: "",
    dialect: Dialect::OpenAi,
    body: &[],
    media: JSON,
    calls: false,
    also: &[],
};

pub(super) const CHAT: Says =
    Says { about: "Chat, as OpenAI has it", body: &[MODEL, MESSAGES, STREAM], ..CALL };
pub(super) const CHAT_BY_PATH: Says =
    Says { about: "Chat with the model named in the path", body: &[MESSAGES, STREAM], ..CALL };
pub(super) const RESPONSES: Says = Says {
    family: "responses",
    about: "An answer, as OpenAI's Responses API has it",
    body: &[MODEL, must("input", Holds::TextOrList, "What is asked, or the items so far"), STREAM],
    ..CALL
};
pub(super) const SOCKET: Says = Says {
    family: "responses",
    about: "Tells clients that ask for a WebSocket to go on over HTTP",
    ..QUESTION
};
pub(super) const ONE_RESPONSE: Says =
    Says { family: "responses", about: "An answer that is kept", ..QUESTION };
pub(super) const FORGET: Says =
    Says { family: "responses", about: "Delete an answer that is kept", ..QUESTION };
pub(super) const ITEMS: Says =
    Says { family: "responses", about: "What an answer that is kept was asked", ..QUESTION };
pub(super) const MESSAGES_API: Says = Says {
    family: "messages",
    about: "An answer, as Anthropic's Messages API has it",
    dialect: Dialect::Anthropic,
    body: &[MODEL, MESSAGES, must("max_tokens", Holds::Count, "Most tokens of the answer"), STREAM],
    ..CALL
};
pub(super) const COUNT_TOKENS: Says = Says {
    family: "messages",
    about: "How many tokens a prompt has",
    dialect: Dialect::Anthropic,
    body: &[MODEL, MESSAGES],
    media: JSON,
    ..CALL
};
pub(super) const TOKEN_COUNTER: Says = Says {
    family: "utilities",
    about: "How many tokens a text or a prompt has, by any model's tokenizer",
    body: &[
        MODEL,
        may("prompt", Holds::Text, "A text by itself"),
        may("messages", Holds::List, CONTENTS),
        may("contents", Holds::List, "The same, as Gemini has it"),
    ],
    ..QUESTION
};
pub(super) const SHOWN: Says = Says {
    family: "utilities",
    about: "The request that a provider would get for a body, without its secrets",
    body: &[
        must("call_type", Holds::Text, "The route that the body is for, such as `completion`"),
        must("request_body", Holds::Object, "The body"),
    ],
    ..QUESTION
};
pub(super) const GEMINI: Says = Says {
    family: "generate content",
    about: "A call, as Google's Gemini API has it: `{model}:generateContent`, \
        `{model}:streamGenerateContent` or `{model}:countTokens`",
    dialect: Dialect::Gemini,
    body: &[must("contents", Holds::List, CONTENTS)],
    ..CALL
};
pub(super) const GEMINI_MODELS: Says = Says {
    family: "generate content",
    about: "The models of the key, as Google lists them",
    dialect: Dialect::Gemini,
    ..QUESTION
};
pub(super) const MODELS: Says = Says { about: "The models of the key", ..QUESTION };
pub(super) const ONE_MODEL: Says = Says { about: "One of the models of the key", ..QUESTION };
pub(super) const ALIVE: Says =
    Says { family: "health", about: "Whether the process serves", ..QUESTION };
pub(super) const READY: Says = Says {
    family: "health",
    about: "Whether calls can be served",
    also: &[(503, "They cannot, and why")],
    ..QUESTION
};
pub(super) const METRICS: Says = Says {
    family: "health",
    about: "Counters and gauges for Prometheus",
    media: &["application/openmetrics-text"],
    ..QUESTION
};
pub(super) const ERRORS: Says = Says {
    family: "description",
    about: "Every reason that a call can be refused for",
    media: &["text/html"],
    ..QUESTION
};
pub(super) const ARTICLE: Says = Says {
    about: "What a reason means and what to do about it",
    also: &[(404, "There is no such reason")],
    ..ERRORS
};
