//! Names and ids as the Messages API takes them, and the way back.
//!
//! A name that does not fit is rewritten by a rule that depends on nothing but the name, so that a
//! call and its result, and the same conversation a turn later, say the same.

use std::borrow::Cow;

use bytestring::ByteString;

use crate::conversation::{Conversation, ToolKind};

/// The tool that stands in for a JSON answer where the model keeps no schema by itself.
pub const JSON_TOOL: &str = "json_tool_call";

/// Longest tool name, in bytes (the API's rule `^[A-Za-z0-9_-]{1,128}$`).
const NAME_BYTES_MAX: usize = 128;

/// Bytes of a mark that keeps rewritten names apart: `_` and eight hexadecimal digits.
const MARK_BYTES: usize = 9;

/// A tool's name or a call's id in the characters and the length that the API takes.
pub(super) fn fitted(name: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(fits) {
        return Cow::Borrowed(name);
    }
    let plain = name.chars().map(|c| if fits(c) { c } else { '_' });
    let mut fitted: String = plain.take(NAME_BYTES_MAX - MARK_BYTES).collect();
    fitted.push_str(&format!("_{:08x}", mark(name)));
    Cow::Owned(fitted)
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
        let mut wording = Self { json_tool, ..Self::default() };
        for tool in &conversation.tools {
            if let Cow::Owned(fitted) = fitted(&tool.name) {
                wording.renamed.push((fitted.into(), tool.name.clone()));
            }
            if matches!(tool.kind, ToolKind::Custom { .. }) {
                wording.custom.push(tool.name.clone());
            }
        }
        wording
    }

    /// The client's name of a tool.
    pub(super) fn name(&self, theirs: &str) -> ByteString {
        let renamed = self.renamed.iter().find(|(fitted, _)| **fitted == *theirs);
        renamed.map_or_else(|| theirs.into(), |(_, ours)| ours.clone())
    }

    /// Whether the client's tool takes free text.
    pub(super) fn is_custom(&self, ours: &str) -> bool {
        self.custom.iter().any(|name| name == ours)
    }

    /// Whether the answer's text is what [`JSON_TOOL`] is called with.
    pub(super) const fn has_json_tool(&self) -> bool {
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
    pub(super) fn is_json_tool(&self, theirs: &str) -> bool {
        self.json_tool && theirs == JSON_TOOL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_kept_and_what_does_not_is_rewritten_alike_each_time() {
        for kept in ["look", "toolu_01-A", &"n".repeat(NAME_BYTES_MAX)] {
            assert_eq!(fitted(kept), kept);
        }
        for changed in ["", "a.b", "a:b", "naïve", &"n".repeat(NAME_BYTES_MAX + 1)] {
            let once = fitted(changed);
            assert_eq!(once, fitted(changed));
            assert_eq!(fitted(&once), once, "what was rewritten fits");
            assert_ne!(once, changed);
        }
        assert_ne!(fitted("a.b"), fitted("a:b"), "rewritten names stay apart");
    }
}
