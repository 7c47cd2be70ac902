//! Names and ids as the Messages API takes them, and the way back.
//!
//! A name that does not fit is rewritten by a rule that depends on nothing but the name, so that a
//! call and its result, and the same conversation a turn later, say the same.

use std::borrow::Cow;

use bytestring::ByteString;

use crate::conversation::{Conversation, ToolKind};

/// The tool that stands in for a JSON answer where the model keeps no schema by itself.
pub const JSON_TOOL: &str = "json_tool_call";

/// Bytes of a mark that keeps rewritten names apart: `_` and eight hexadecimal digits.
const MARK_BYTES: usize = 9;

/// What begins a rewritten name where names begin with a letter.
const FIRST_LETTER: &str = "t_";

/// What an API takes as a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::formats) struct NameRule {
    /// Longest name, in bytes.
    pub(in crate::formats) bytes_max: usize,
    /// Whether a name holds no `-` and begins with a letter.
    pub(in crate::formats) plain: bool,
}

impl NameRule {
    /// The Messages API's rule, `^[A-Za-z0-9_-]{1,128}$`.
    pub(super) const MESSAGES: Self = Self { bytes_max: 128, plain: false };

    /// A tool's name or a call's id in the characters and the length that the API takes.
    pub(in crate::formats) fn fit(self, name: &str) -> Cow<'_, str> {
        let begins_well = !self.plain || name.starts_with(|c: char| c.is_ascii_alphabetic());
        let short = !name.is_empty() && name.len() <= self.bytes_max;
        if short && begins_well && name.chars().all(|c| self.takes(c)) {
            return Cow::Borrowed(name);
        }
        let mut fitted = if begins_well { String::new() } else { FIRST_LETTER.to_owned() };
        let room = self.bytes_max.saturating_sub(MARK_BYTES + fitted.len());
        fitted.extend(name.chars().map(|c| if self.takes(c) { c } else { '_' }).take(room));
        fitted.push_str(&format!("_{:08x}", mark(name)));
        Cow::Owned(fitted)
    }

    const fn takes(self, c: char) -> bool {
        c.is_ascii_alphanumeric() || c == '_' || c == '-' && !self.plain
    }
}

/// A tool's name or a call's id as the Messages API takes it.
pub(super) fn fitted(name: &str) -> Cow<'_, str> {
    NameRule::MESSAGES.fit(name)
}

/// FNV-1a over the name, folded to 32 bits: enough to keep the names of one conversation apart.
fn mark(name: &str) -> u32 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32) as u32 ^ hash as u32
}

/// How an answer's tool calls read in the client's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording {
    /// Whether a call of [`JSON_TOOL`] is the answer's text.
    json_tool: bool,
    /// Names that were rewritten: theirs, and the client's.
    renamed: Vec<(Box<str>, ByteString)>,
    /// The client's names of tools that take free text.
    custom: Vec<ByteString>,
}

impl Wording {
    /// The wording of answers to this conversation. `json_tool` says whether its request was
    /// written with [`JSON_TOOL`]: see [`uses_json_tool`](super::uses_json_tool).
    #[must_use]
    pub fn of(conversation: &Conversation, json_tool: bool) -> Self {
        Self::under(NameRule::MESSAGES, conversation, json_tool)
    }

    /// The same for an API with another rule for names.
    pub(in crate::formats) fn under(
        rule: NameRule,
        conversation: &Conversation,
        json_tool: bool,
    ) -> Self {
        let mut wording = Self { json_tool, ..Self::default() };
        for tool in &conversation.tools {
            if let Cow::Owned(fitted) = rule.fit(&tool.name) {
                wording.renamed.push((fitted.into(), tool.name.clone()));
            }
            if matches!(tool.kind, ToolKind::Custom { .. }) {
                wording.custom.push(tool.name.clone());
            }
        }
        wording
    }

    /// The client's name of a tool.
    pub(in crate::formats) fn name(&self, theirs: &str) -> ByteString {
        let renamed = self.renamed.iter().find(|(fitted, _)| **fitted == *theirs);
        renamed.map_or_else(|| theirs.into(), |(_, ours)| ours.clone())
    }

    /// Whether the client's tool takes free text.
    pub(in crate::formats) fn is_custom(&self, ours: &str) -> bool {
        self.custom.iter().any(|name| name == ours)
    }

    /// Whether the answer's text is what [`JSON_TOOL`] is called with.
    pub(in crate::formats) const fn has_json_tool(&self) -> bool {
        self.json_tool
    }

    /// The wording of answers to requests that were written with [`JSON_TOOL`].
    #[cfg(test)]
    pub(super) fn of_json_tool() -> Self {
        Self { json_tool: true, ..Self::default() }
    }

    /// The wording of answers to a client with this one tool, whose name does not fit.
    #[cfg(test)]
    pub(super) fn renaming(name: &str, custom: bool) -> Self {
        let name = ByteString::from(name);
        let renamed = vec![(fitted(&name).into(), name.clone())];
        let custom = if custom { vec![name] } else { Vec::new() };
        Self { json_tool: false, renamed, custom }
    }

    /// Whether a call of this tool is the answer's text.
    pub(in crate::formats) fn is_json_tool(&self, theirs: &str) -> bool {
        self.json_tool && theirs == JSON_TOOL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_kept_and_what_does_not_is_rewritten_alike_each_time() {
        for kept in ["look", "toolu_01-A", &"n".repeat(128)] {
            assert_eq!(fitted(kept), kept);
        }
        for changed in ["", "a.b", "a:b", "naïve", &"n".repeat(129)] {
            let once = fitted(changed);
            assert_eq!(once, fitted(changed));
            assert_eq!(fitted(&once), once, "what was rewritten fits");
            assert_ne!(once, changed);
        }
        assert_ne!(fitted("a.b"), fitted("a:b"), "rewritten names stay apart");
    }

    #[test]
    fn a_stricter_rule_rewrites_more() {
        let rule = NameRule { bytes_max: 64, plain: true };
        assert_eq!(rule.fit("look_2"), "look_2");
        for changed in ["", "2_look", "a-b", "_a", &"n".repeat(65)] {
            let once = rule.fit(changed).into_owned();
            assert!(once.starts_with(|c: char| c.is_ascii_alphabetic()), "{once}");
            assert!(once.len() <= 64, "{once}");
            assert_eq!(rule.fit(&once), once, "what was rewritten fits");
        }
    }
}
