//! Where and why a text is not the JSON that was expected.

use thiserror::Error;

use super::grammar::Fault;

/// A body that cannot be read as JSON, with the place of the first fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{detail} at line {line}, column {column}")]
pub struct Malformed {
    /// What is wrong, without the place and without any of the caller's text beyond one character.
    pub detail: String,
    /// Line of the fault, from 1.
    pub line: usize,
    /// Column of the fault in characters, from 1.
    pub column: usize,
    /// Offset of the fault in bytes, from 0.
    pub offset: usize,
}

impl Malformed {
    /// A fault at a byte offset of `body`; an offset past the end is taken as the end.
    pub(crate) fn at(body: &[u8], offset: usize, detail: impl Into<String>) -> Self {
        let before = body.get(..offset).unwrap_or(body);
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let characters = before[line_start..].iter().filter(|byte| !is_continuation(**byte));
        Self {
            detail: detail.into(),
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: characters.count() + 1,
            offset: before.len(),
        }
    }

    pub(super) fn from_fault(text: &str, fault: Fault) -> Self {
        let detail = match fault {
            Fault::Expected { what, at } => format!("expected {what}, found {}", found(text, at)),
            Fault::Broken { what, .. } => what.to_owned(),
        };
        Self::at(text.as_bytes(), fault.at(), detail)
    }
}

/// The second and later bytes of a UTF-8 character.
const fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

fn found(text: &str, at: usize) -> String {
    match text.get(at..).and_then(|rest| rest.chars().next()) {
        None => "the end".to_owned(),
        Some(character) if character.is_control() => format!("U+{:04X}", u32::from(character)),
        Some(character) => format!("`{character}`"),
    }
}
