//! Finish reasons, in OpenAI's words and in those of servers that speak this format.

use crate::conversation::FinishReason;

/// What a `finish_reason` means; an empty one is none. `calls` says whether the choice calls tools:
/// some servers say `stop` then, or nothing.
pub(super) fn read(reason: Option<&str>, calls: bool) -> Option<FinishReason> {
    let read = match reason.filter(|reason| !reason.is_empty()) {
        None => return None,
        // Mistral says `model_length`, Z.AI `model_context_window_exceeded`.
        Some("length" | "max_tokens" | "model_length" | "model_context_window_exceeded") => {
            FinishReason::Length
        }
        Some("tool_calls" | "function_call" | "tool_use") => FinishReason::ToolCalls,
        // Z.AI says `sensitive`.
        Some("content_filter" | "sensitive" | "refusal") => FinishReason::Refused,
        Some("stop_sequence") => FinishReason::StopSequence,
        // `stop`, Together's `eos`, and whatever is new: the model was done.
        Some(_) => FinishReason::Stop,
    };
    Some(if calls && read == FinishReason::Stop { FinishReason::ToolCalls } else { read })
}

/// Whether a reason says that the provider failed (`network_error` is Z.AI's).
pub(super) fn is_failure(reason: &str) -> bool {
    matches!(reason, "error" | "network_error")
}

/// The reason in OpenAI's words.
pub(super) const fn write(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::StopSequence | FinishReason::Paused => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::Refused => "content_filter",
    }
}
