//! Why an answer ended, in the API's words.

use crate::conversation::FinishReason;
use crate::json::Raw;

/// Reads a `stop_reason`; `None` when there is none yet. A reason that is not known ended the
/// answer all the same.
pub(super) fn read_reason(reason: Option<Raw<'_>>) -> Option<FinishReason> {
    Some(match &*reason?.text()? {
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "stop_sequence" => FinishReason::StopSequence,
        "tool_use" => FinishReason::ToolCalls,
        "pause_turn" | "compaction" => FinishReason::Paused,
        "refusal" => FinishReason::Refused,
        _ => FinishReason::Stop,
    })
}

/// The `stop_reason` of an answer. Some providers end a turn of tool calls as if the model were
/// done, after which a client would not run them.
pub(super) const fn reason_name(reason: FinishReason, calls_tools: bool) -> &'static str {
    match reason {
        FinishReason::Stop if calls_tools => "tool_use",
        FinishReason::Stop => "end_turn",
        FinishReason::StopSequence => "stop_sequence",
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::Refused => "refusal",
        FinishReason::Paused => "pause_turn",
    }
}

/// The explanation of a refusal, where the provider gives one.
pub(super) fn explanation(details: Option<Raw<'_>>) -> Option<String> {
    let text = details?.find("explanation")?.text()?;
    Some(text.into_owned()).filter(|text| !text.is_empty())
}
