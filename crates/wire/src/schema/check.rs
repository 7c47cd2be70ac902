//! One check of a value against a schema: where it is, what it may still cost, and what references
//! lead to.

use serde_json::{Map, Value};

use super::keyword::{KEYWORDS, OPEN_KEYWORDS};
use super::pattern::Patterns;
use super::{Breach, DEPTH_MAX, STEPS_MAX, Verdict};

/// A check under way.
pub(super) struct Check<'s> {
    root: &'s Value,
    steps_left: u32,
    depth: u32,
    /// The place in the value, as tokens of a JSON pointer.
    place: Vec<String>,
    pub(super) patterns: Patterns<'s>,
}

impl<'s> Check<'s> {
    pub(super) fn new(root: &'s Value) -> Self {
        let (place, patterns) = (Vec::new(), Patterns::default());
        Self { root, steps_left: STEPS_MAX, depth: 0, place, patterns }
    }

    pub(super) fn whole(mut self, value: &Value) -> Verdict {
        self.schema(self.root, value)
    }

    /// A value against a schema.
    pub(super) fn schema(&mut self, schema: &'s Value, value: &Value) -> Verdict {
        match schema {
            Value::Bool(true) => Verdict::Keeps,
            Value::Bool(false) => self.breach("false"),
            Value::Object(_) if self.depth >= DEPTH_MAX => Verdict::Open,
            Value::Object(members) => {
                self.depth += 1;
                let verdict = self.members(members, value);
                self.depth -= 1;
                verdict
            }
            _ => Verdict::Open,
        }
    }

    /// A part of the value at `token` below the present place.
    pub(super) fn below(&mut self, token: &str, schema: &'s Value, value: &Value) -> Verdict {
        self.place.push(token.replace('~', "~0").replace('/', "~1"));
        let verdict = self.schema(schema, value);
        self.place.pop();
        verdict
    }

    fn members(&mut self, schema: &'s Map<String, Value>, value: &Value) -> Verdict {
        let mut verdict = Verdict::Keeps;
        for (name, demand) in schema {
            if OPEN_KEYWORDS.contains(&&**name) {
                verdict = verdict.and(|| Verdict::Open);
                continue;
            }
            let Some((_, keyword)) = KEYWORDS.iter().find(|(known, _)| *known == name) else {
                continue;
            };
            if !self.spend(1) {
                return verdict.and(|| Verdict::Open);
            }
            verdict = verdict.and(|| keyword(self, schema, demand, value));
            if verdict.breaks() {
                return verdict;
            }
        }
        verdict
    }

    /// Takes steps; `false` where there are not so many left.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        let left = u32::try_from(steps).ok().and_then(|steps| self.steps_left.checked_sub(steps));
        self.steps_left = left.unwrap_or(0);
        left.is_some()
    }

    /// The present place breaks a keyword.
    pub(super) fn breach(&self, keyword: &str) -> Verdict {
        let at = self.place.iter().flat_map(|token| ["/", token]).collect();
        Verdict::Breaks(Breach { at, keyword: keyword.into() })
    }

    /// A demand that is kept or not.
    pub(super) fn demand(&self, kept: bool, keyword: &str) -> Verdict {
        if kept { Verdict::Keeps } else { self.breach(keyword) }
    }

    /// The schema that a reference within this one names.
    pub(super) fn referred(&self, reference: &str) -> Option<&'s Value> {
        let pointer = reference.strip_prefix('#')?;
        if pointer.contains('%') {
            return None;
        }
        self.root.pointer(pointer)
    }
}
