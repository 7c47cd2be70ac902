//! Regular expressions of schemas, each compiled once in a check.
//!
//! They are matched in linear time. Those with what that cannot have, lookarounds and
//! backreferences, are not understood.

use std::collections::HashMap;

use regex_lite::{Regex, RegexBuilder};

/// Longest pattern that is compiled, in bytes.
const PATTERN_BYTES_MAX: usize = 1024;

/// Largest compiled pattern, in bytes.
const COMPILED_BYTES_MAX: usize = 16 * 1024;

/// Most patterns of one check.
const PATTERNS_MAX: usize = 64;

/// Deepest nesting in a pattern.
const NESTING_MAX: u32 = 32;

/// Longest text that a pattern is matched against, in bytes.
pub(super) const MATCHED_BYTES_MAX: usize = 8 * 1024;

/// The compiled patterns.
#[derive(Default)]
pub(super) struct Patterns<'s>(HashMap<&'s str, Option<Regex>>);

impl<'s> Patterns<'s> {
    /// Whether a text holds a match; `None` where that cannot be told.
    pub(super) fn matches(&mut self, pattern: &'s str, text: &str) -> Option<bool> {
        if text.len() > MATCHED_BYTES_MAX {
            return None;
        }
        let known = self.0.len();
        let compiled = self
            .0
            .entry(pattern)
            .or_insert_with(|| Some(pattern).filter(|_| known < PATTERNS_MAX).and_then(compile));
        compiled.as_ref().map(|regex| regex.is_match(text))
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return None;
    }
    let mut builder = RegexBuilder::new(pattern);
    builder.size_limit(COMPILED_BYTES_MAX).nest_limit(NESTING_MAX).build().ok()
}
