//! Why an answer ended (Cohere API reference, chat, `ChatFinishReason`).

use super::error::ended_with;
use crate::conversation::FinishReason;
use crate::formats::openai_chat::ErrorBody;

/// How an answer ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// As an answer.
    Finished(FinishReason),
    /// With the provider's failure.
    Failed(ErrorBody),
}

/// What a `finish_reason` means. `calls` says whether the answer calls tools, `told` is what the
/// provider says about a failure.
pub(super) fn read(reason: &str, calls: bool, told: Option<&str>) -> Ending {
    Ending::Finished(match reason {
        "STOP_SEQUENCE" => FinishReason::StopSequence,
        "MAX_TOKENS" => FinishReason::Length,
        "TOOL_CALL" => FinishReason::ToolCalls,
        "ERROR_TOXIC" => FinishReason::Refused,
        failed if failed == "TIMEOUT" || failed.starts_with("ERROR") => {
            return Ending::Failed(ended_with(failed, told));
        }
        // `COMPLETE`, and whatever is new: the model was done.
        _ if calls => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    })
}
