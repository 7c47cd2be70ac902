//! Whether a JSON value keeps a JSON schema, within bounds that no schema can pass.
//!
//! A value is said to break a schema only where that is certain. What is not looked into makes the
//! verdict [`Verdict::Open`]: a keyword of the list below, a pattern that is not understood or too
//! costly, a reference that leads out of the schema, and whatever lies beyond the limits.
//!
//! Not looked into: `unevaluatedProperties`, `unevaluatedItems`, `$dynamicRef`, `$recursiveRef`.
//! `format` and the other annotations demand nothing.

mod check;
mod compare;
mod keyword;
mod pattern;

use serde_json::Value;

use self::check::Check;
use crate::json::Object;

/// Longest schema that is looked into, in bytes.
pub const SCHEMA_BYTES_MAX: usize = 256 * 1024;

/// Most steps of one check: a keyword applied to a value, or a byte that a pattern looks at.
pub const STEPS_MAX: u32 = 500_000;

/// Deepest nesting of schemas within schemas that is followed, references included.
pub const DEPTH_MAX: u32 = 64;

/// A JSON schema that answers are held to.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// `None` where the schema is too long or no JSON, so that nothing is known of it.
    root: Option<Value>,
}

/// What a value is to a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It keeps it.
    Keeps,
    /// Nothing is known against it, but not all of the schema was looked into.
    Open,
    /// It breaks it.
    Breaks(Breach),
}

/// Where a value breaks a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The place in the value as a JSON pointer; empty for the whole.
    pub at: String,
    /// The keyword of the schema that is broken there; `false` for a schema that nothing keeps.
    pub keyword: Box<str>,
}

impl Schema {
    /// Reads a schema.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let short = Some(text).filter(|text| text.len() <= SCHEMA_BYTES_MAX);
        Self { root: short.and_then(|text| serde_json::from_str(text).ok()) }
    }

    /// Whether the JSON in `text` keeps the schema; `None` where `text` is no JSON.
    #[must_use]
    pub fn check(&self, text: &str) -> Option<Verdict> {
        match (serde_json::from_str::<Value>(text), &self.root) {
            (Ok(value), Some(root)) => Some(Check::new(root).whole(&value)),
            (Ok(_), None) => Some(Verdict::Open),
            // Numbers that the tree has no room for are JSON all the same.
            (Err(_), _) => is_json(text).then_some(Verdict::Open),
        }
    }
}

/// Whether a text is one JSON value.
fn is_json(text: &str) -> bool {
    let wrapped = format!(r#"{{"value":{text}}}"#);
    Object::scan(wrapped.as_bytes()).is_ok_and(|object| object.members().len() == 1)
}

impl Verdict {
    /// Both of two demands.
    fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Breaks(breach) => Self::Breaks(breach),
            Self::Keeps => other(),
            Self::Open => match other() {
                Self::Keeps => Self::Open,
                other => other,
            },
        }
    }

    const fn breaks(&self) -> bool {
        matches!(self, Self::Breaks(_))
    }
}

#[cfg(test)]
mod tests;
