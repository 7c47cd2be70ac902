//! Why an answer ended.

use crate::conversation::FinishReason;

/// What a `done_reason` means; `None` when the server only loaded or unloaded the model. Older
/// servers give no reason. `calls` says whether the answer calls tools.
pub(super) fn read(reason: &str, calls: bool) -> Option<FinishReason> {
    Some(match reason {
        "load" | "unload" => return None,
        "length" => FinishReason::Length,
        // `stop`, none, and whatever is new: the model was done.
        _ if calls => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    })
}
