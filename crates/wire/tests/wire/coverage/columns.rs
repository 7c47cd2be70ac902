//! The columns of the table: what a request asks, what an answer says, what an error means. A
//! fixture counts for a column because of what is read from it, not because of its name.

use tollgate_domain::UsageKind;
use tollgate_wire::conversation::{
    Answer, Conversation, FinishReason, Message, Part, PartBody, ReasoningMode, ResponseFormat,
    Role,
};
use tollgate_wire::delta::{Delta, PartKind};

/// What requests ask and answers say.
pub(crate) const COLUMNS: [&str; 10] = [
    "plain",
    "turns with system",
    "tools",
    "parallel tools",
    "images",
    "documents",
    "structured",
    "reasoning",
    "cached",
    "refusal",
];

/// What errors mean (the categories of the unified error taxonomy of the providers' documentation).
pub(crate) const ERRORS: [&str; 14] = [
    "authentication",
    "permission",
    "model_not_found",
    "invalid_request",
    "request_too_large",
    "context_window_exceeded",
    "content_policy",
    "rate_limited",
    "quota_exhausted",
    "overloaded",
    "timeout",
    "connection",
    "upstream_internal",
    "bad_upstream_response",
];

/// The columns that a request belongs to.
pub(crate) fn of_request(request: &Conversation) -> Vec<&'static str> {
    let parts = || request.messages.iter().flat_map(|message| &message.parts);
    let has = |test: fn(&PartBody) -> bool| parts().any(|part| test(&part.body));
    let texts = parts().all(|part| matches!(part.body, PartBody::Text { .. }));
    let count = |role| request.messages.iter().filter(|message| message.role == role).count();
    let told = count(Role::System) + count(Role::Developer) > 0;
    let calls = request.messages.iter().map(|message| answered_calls(request, message)).max();
    let calls = calls.filter(|_| !request.tools.is_empty()).unwrap_or_default();
    let structured = matches!(request.response_format, ResponseFormat::JsonSchema { .. });
    let thinks =
        matches!(request.reasoning.mode, Some(ReasoningMode::Budget(_) | ReasoningMode::Adaptive))
            || request.reasoning.effort.is_some_and(|effort| effort.name() != "none");
    let plain = texts && request.tools.is_empty() && !structured && !thinks;
    chosen([
        ("plain", plain),
        ("turns with system", told && count(Role::User) > 1 && count(Role::Assistant) > 0),
        ("tools", calls > 0),
        ("parallel tools", calls > 1),
        ("images", has(|body| matches!(body, PartBody::Image { .. }))),
        ("documents", has(|body| matches!(body, PartBody::Document { .. }))),
        ("structured", structured),
        ("reasoning", thinks),
        ("refusal", has(|body| matches!(body, PartBody::Refusal { .. }))),
    ])
}

/// How many calls of a message have their results in a later one.
fn answered_calls(request: &Conversation, message: &Message) -> usize {
    let answers = |id: &str| {
        let mut parts = request.messages.iter().flat_map(|message| &message.parts);
        parts.any(|part| matches!(&part.body, PartBody::ToolResult(result) if result.call == *id))
    };
    let answered = |part: &&Part| match &part.body {
        PartBody::ToolCall(call) => answers(&call.id),
        _ => false,
    };
    message.parts.iter().filter(answered).count()
}

/// What an answer says, whole or streamed.
#[derive(Debug, Default)]
pub(crate) struct Said {
    texts: Vec<String>,
    calls: usize,
    images: bool,
    reasoning: bool,
    refused: bool,
    stopped: bool,
    cached: bool,
    /// Whether it ended with an error.
    pub(crate) failed: bool,
}

impl Said {
    /// What a whole answer says.
    pub(crate) fn of_answer(answer: &Answer) -> Self {
        let mut said = Self { cached: cached(answer.usage.as_ref()), ..Self::default() };
        for choice in &answer.choices {
            choice.finish.iter().for_each(|finish| said.finish(*finish));
            for part in &choice.parts {
                match &part.body {
                    PartBody::Text { text, .. } => said.texts.push(text.to_string()),
                    PartBody::Refusal { .. } => said.refused = true,
                    PartBody::Reasoning(_) => said.reasoning = true,
                    PartBody::ToolCall(_) => said.calls += 1,
                    PartBody::Image { .. } => said.images = true,
                    PartBody::Document { .. }
                    | PartBody::Audio { .. }
                    | PartBody::ToolResult(_) => {}
                }
            }
        }
        said
    }

    /// What a streamed answer says.
    pub(crate) fn of_deltas(deltas: &[Delta]) -> Self {
        let mut said = Self::default();
        let mut texts = Vec::new();
        for delta in deltas {
            match delta {
                Delta::Open { part, kind: PartKind::Text, .. } => {
                    texts.push(*part);
                    said.texts.push(String::new());
                }
                Delta::Open { kind: PartKind::Refusal, .. } => said.refused = true,
                Delta::Open { kind: PartKind::ToolCall { .. }, .. } => said.calls += 1,
                Delta::Open { .. } => said.reasoning = true,
                Delta::More { part, text } => {
                    let at = texts.iter().position(|open| open == part);
                    at.into_iter().for_each(|at| said.texts[at].push_str(text));
                }
                Delta::Finish { reason, .. } => said.finish(*reason),
                Delta::Usage(usage) => said.cached = cached(Some(usage)),
                Delta::Failed(_) => said.failed = true,
                Delta::Begin { .. }
                | Delta::Seal { .. }
                | Delta::Cite { .. }
                | Delta::Close { .. }
                | Delta::End => {}
            }
        }
        said
    }

    fn finish(&mut self, reason: FinishReason) {
        self.refused |= reason == FinishReason::Refused;
        self.stopped |= matches!(reason, FinishReason::Stop | FinishReason::StopSequence);
    }

    /// The columns that the answer belongs to.
    pub(crate) fn columns(&self) -> Vec<&'static str> {
        if self.failed {
            return Vec::new();
        }
        let json = |text: &String| {
            text.starts_with('{') && serde_json::from_str::<serde_json::Value>(text).is_ok()
        };
        let texts = self.stopped && self.calls == 0 && !self.refused && !self.texts.is_empty();
        let structured = texts && self.texts.iter().all(json);
        chosen([
            ("plain", texts && !self.images && !self.reasoning && !structured),
            ("tools", self.calls > 0),
            ("parallel tools", self.calls > 1),
            ("images", self.images),
            ("structured", structured),
            ("reasoning", self.reasoning),
            ("cached", self.cached),
            ("refusal", self.refused),
        ])
    }
}

fn cached(usage: Option<&tollgate_domain::Usage>) -> bool {
    let mut known = usage.into_iter().flat_map(tollgate_domain::Usage::known);
    known.any(|(kind, quantity)| kind == UsageKind::CachedRead && quantity.milli() > 0)
}

fn chosen<const N: usize>(columns: [(&'static str, bool); N]) -> Vec<&'static str> {
    columns.into_iter().filter(|(_, belongs)| *belongs).map(|(column, _)| column).collect()
}
