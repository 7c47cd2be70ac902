//! Names and ids as chat completions take them, and the way back.
//!
//! What does not fit is rewritten by a rule that depends on nothing but the name, so that a call
//! and its result, and the same conversation a turn later, say the same.

use std::borrow::Cow;

use bytestring::ByteString;
use sha2::{Digest as _, Sha256};

use crate::conversation::{Answer, Conversation, PartBody};
use crate::delta::{Delta, PartKind};

/// Longest name of a function, in bytes (OpenAI API reference, chat completions).
const NAME_BYTES_MAX: usize = 64;

/// Longest id of a call, in bytes (OpenAI refuses longer ones).
const ID_BYTES_MAX: usize = 40;

/// Bytes of a mark that keeps rewritten names apart: `_` and eight hexadecimal digits.
const MARK_BYTES: usize = 9;

/// A tool's name in the characters and the length that a function may have.
pub(super) fn fitted_name(name: &str) -> Cow<'_, str> {
    fitted(name, NAME_BYTES_MAX)
}

/// A call's id in the length that it may have; ids may hold any characters.
pub(super) fn fitted_id(id: &str) -> Cow<'_, str> {
    if id.len() <= ID_BYTES_MAX { Cow::Borrowed(id) } else { fitted(id, ID_BYTES_MAX) }
}

fn fitted(name: &str, bytes_max: usize) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.len() <= bytes_max && name.chars().all(fits) {
        return Cow::Borrowed(name);
    }
    let plain = name.chars().map(|c| if fits(c) { c } else { '_' });
    let kept: String = plain.take(bytes_max - MARK_BYTES).collect();
    let mark = Sha256::digest(name.as_bytes());
    let mark: String = mark.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    Cow::Owned(format!("{kept}_{mark}"))
}

/// The client's names of tools that had to be rewritten for the upstream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolNames {
    /// Theirs, and the client's.
    rewritten: Vec<(Box<str>, ByteString)>,
}

impl ToolNames {
    /// The names in answers to this conversation.
    #[must_use]
    pub fn of(conversation: &Conversation) -> Self {
        let rewritten = conversation.tools.iter().filter_map(|tool| {
            let Cow::Owned(theirs) = fitted_name(&tool.name) else { return None };
            Some((theirs.into(), tool.name.clone()))
        });
        Self { rewritten: rewritten.collect() }
    }

    /// Gives the calls of an answer the client's names.
    pub fn restore_answer(&self, answer: &mut Answer) {
        for part in answer.choices.iter_mut().flat_map(|choice| &mut choice.parts) {
            if let PartBody::ToolCall(call) = &mut part.body {
                self.restore(&mut call.name);
            }
        }
    }

    /// Gives the call that a delta opens the client's name.
    pub fn restore_delta(&self, delta: &mut Delta) {
        if let Delta::Open { kind: PartKind::ToolCall { name, .. }, .. } = delta {
            self.restore(name);
        }
    }

    fn restore(&self, name: &mut ByteString) {
        let found = self.rewritten.iter().find(|(theirs, _)| **theirs == **name);
        if let Some((_, ours)) = found {
            name.clone_from(ours);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{from_conversation, to_answer, to_conversation};
    use super::*;
    use crate::capability::Capability;
    use crate::formats::translation::{AnswerIn, Leniency, Target};
    use crate::provider::Quirks;

    #[test]
    fn what_fits_is_kept_and_what_does_not_is_rewritten_alike_each_time() {
        for kept in ["look", "mcp__a-b__c", &"n".repeat(NAME_BYTES_MAX)] {
            assert_eq!(fitted_name(kept), kept);
        }
        for changed in ["a.b", "a:b", "na\u{ef}ve", &"n".repeat(NAME_BYTES_MAX + 1)] {
            let once = fitted_name(changed);
            assert_eq!(once, fitted_name(changed));
            assert_eq!(fitted_name(&once), once, "what was rewritten fits");
            assert!(once != changed && once.len() <= NAME_BYTES_MAX);
        }
        assert_ne!(fitted_name("a.b"), fitted_name("a:b"), "rewritten names stay apart");
        assert_eq!(fitted_id("functions.f:0"), "functions.f:0");
        assert_eq!(fitted_id(&"i".repeat(ID_BYTES_MAX + 1)).len(), ID_BYTES_MAX);
    }

    #[test]
    fn a_long_name_goes_out_short_and_comes_back_long() {
        let (long, id) = ("mcp__".repeat(20), "i".repeat(50));
        let call = json!({"id": id, "type": "function", "function": {"name": long}});
        let body = json!({"model": "m", "tools": [{"type": "function", "function": {"name": long}}],
            "tool_choice": {"type": "function", "function": {"name": long}},
            "messages": [{"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": id, "content": "1"}]});
        let asked = to_conversation(&body.to_string().into(), None).expect("a request");
        let target = Target {
            model: "m",
            capability: &Capability::UNKNOWN,
            quirks: Quirks::none(),
            leniency: Leniency::default(),
        };
        let written = from_conversation(&asked, &target).expect("written");
        let sent: Value = serde_json::from_slice(&written.body).expect("JSON");
        let short = fitted_name(&long).into_owned();
        let called = &sent["messages"][0]["tool_calls"][0];
        for name in [&sent["tools"][0], &sent["tool_choice"], called] {
            assert_eq!(name["function"]["name"], short);
        }
        assert_eq!(called["id"], sent["messages"][1]["tool_call_id"]);
        assert_eq!(called["id"].as_str().map(str::len), Some(ID_BYTES_MAX));

        let names = ToolNames::of(&asked);
        let said = json!({"choices": [{"index": 0, "finish_reason": "tool_calls", "message":
            {"tool_calls": [{"id": "a", "type": "function", "function": {"name": short}}]}}]});
        let AnswerIn::Answer(mut answer) = to_answer(said.to_string().as_bytes()).expect("JSON")
        else {
            panic!("an answer");
        };
        names.restore_answer(&mut answer);
        let PartBody::ToolCall(call) = &answer.choices[0].parts[0].body else { panic!("a call") };
        assert_eq!(call.name, *long);
        let kind = PartKind::ToolCall { id: "a".into(), name: short.into(), custom: false };
        let mut delta = Delta::Open { choice: 0, part: 0, kind };
        names.restore_delta(&mut delta);
        let kind = PartKind::ToolCall { id: "a".into(), name: (*long).into(), custom: false };
        assert_eq!(delta, Delta::Open { choice: 0, part: 0, kind });
    }
}
