//! Why an answer ended, in Converse's words.

use bytestring::ByteString;

use crate::conversation::FinishReason;
use crate::formats::openai_chat::ErrorBody;
use crate::json::Raw;

/// Why an answer ended.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    /// The reason; a model that broke its own output is taken to be done where it said something.
    pub(super) reason: FinishReason,
    /// The stop text that ended it, where the model tells.
    pub(super) stop_sequence: Option<ByteString>,
    /// What is wrong where the answer holds nothing.
    pub(super) failure: Option<ErrorBody>,
}

/// Reads a `stopReason` and what the model says of it in `additionalModelResponseFields`; `None`
/// when there is none. A reason that is not known ended the answer all the same.
pub(super) fn read_stop(reason: Option<Raw<'_>>, fields: Option<Raw<'_>>) -> Option<Stop> {
    let name = reason?.text()?;
    let field = |name| fields.and_then(|fields| fields.find(name)).and_then(Raw::text);
    let refused = field("stop_reason").is_some_and(|reason| reason == "refusal");
    let reason = match &*name {
        "stop_sequence" => FinishReason::StopSequence,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "guardrail_intervened" | "content_filtered" | "refusal" => FinishReason::Refused,
        _ if refused => FinishReason::Refused,
        _ => FinishReason::Stop,
    };
    let stop_sequence = field("stop_sequence").map(|text| ByteString::from(&*text));
    let broken = matches!(&*name, "malformed_model_output" | "malformed_tool_use");
    let failure = broken.then(|| malformed(&name));
    Some(Stop { reason, stop_sequence, failure })
}

fn malformed(name: &str) -> ErrorBody {
    let message = format!("the model's output could not be read: `{name}`");
    ErrorBody { message, kind: None, code: Some(name.to_owned()), param: None }
}
