//! Why an answer ended, in both directions (Gemini API reference, `FinishReason`).

use crate::conversation::FinishReason;

/// What a candidate holds, which decides what its reason means.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    /// Anything at all.
    pub(super) something: bool,
    /// A function call.
    pub(super) call: bool,
}

/// What a reason means; `None` when the model failed and there is nothing to make an answer of.
pub(super) fn read(reason: &str, held: Held) -> Option<FinishReason> {
    let ended = if held.call { FinishReason::ToolCalls } else { FinishReason::Stop };
    match reason {
        "STOP" => Some(ended),
        "MAX_TOKENS" | "CONTINUATION" => Some(FinishReason::Length),
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "MODEL_ARMOR"
        | "ESCALATION" => Some(FinishReason::Refused),
        _ if held.something => Some(ended),
        "OTHER" | "IMAGE_OTHER" => Some(FinishReason::Refused),
        // A malformed or unexpected call, or a reason that is not known yet, and no output.
        _ => None,
    }
}

/// The reason that tells a client of this format the same.
pub(super) const fn write(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop
        | FinishReason::StopSequence
        | FinishReason::ToolCalls
        | FinishReason::Paused => "STOP",
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::Refused => "SAFETY",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_means_what_the_candidate_makes_of_it() {
        let nothing = Held::default();
        let text = Held { something: true, call: false };
        let call = Held { something: true, call: true };
        for (reason, held, expected) in [
            ("STOP", text, Some(FinishReason::Stop)),
            ("STOP", nothing, Some(FinishReason::Stop)),
            ("STOP", call, Some(FinishReason::ToolCalls)),
            ("MAX_TOKENS", call, Some(FinishReason::Length)),
            ("SPII", text, Some(FinishReason::Refused)),
            ("OTHER", text, Some(FinishReason::Stop)),
            ("OTHER", nothing, Some(FinishReason::Refused)),
            ("MALFORMED_FUNCTION_CALL", text, Some(FinishReason::Stop)),
            ("MALFORMED_FUNCTION_CALL", nothing, None),
            ("NEW_REASON", nothing, None),
            ("NEW_REASON", call, Some(FinishReason::ToolCalls)),
        ] {
            assert_eq!(read(reason, held), expected, "{reason} {held:?}");
        }
    }
}
