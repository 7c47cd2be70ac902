//! Findings: what is wrong with a configuration, where it stands, and what to do about it.

mod render;

use std::fmt;

use thiserror::Error;

use crate::yaml::Span;

/// The text of a configuration file and the name it is shown under.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The file's name in messages; nothing is read from it.
    pub name: &'a str,
    /// The file's text.
    pub text: &'a str,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// The configuration can be used, but part of it has no effect, or not the one it seems to
    /// have.
    Warning,
    /// Nothing is wrong: something is left out because the environment does not provide for it.
    Note,
}

/// One problem of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The kind of problem: lower snake case, one of a fixed list, for scripts and for tests.
    pub code: &'static str,
    /// What is wrong. It never holds a credential.
    pub message: String,
    /// The line of the offending text, from 1.
    pub line: usize,
    /// The column of the offending text in characters, from 1.
    pub column: usize,
    /// The offending text as a range of bytes within the source.
    pub span: Span,
    /// The next step, with the nearest names where a name is unknown.
    pub help: Option<String>,
    /// Where the same name stood first; becomes part of `help`.
    first: Option<Span>,
}

impl Finding {
    pub(crate) fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, span, message.into())
    }

    pub(crate) fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, span, message.into())
    }

    pub(crate) fn note(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, span, message.into())
    }

    fn new(severity: Severity, code: &'static str, span: Span, message: String) -> Self {
        Self { severity, code, message, line: 0, column: 0, span, help: None, first: None }
    }

    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Whether it says why an entry has no deployment.
    pub(crate) fn leaves_out(&self) -> bool {
        self.is_error() || self.code == code::CREDENTIAL_MISSING
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds "did you mean" when there is a near name.
    pub(crate) fn with_nearest(self, nearest: &[&str]) -> Self {
        match nearest {
            [] => self,
            names => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                self.with_help(format!("did you mean {}?", names.join(" or ")))
            }
        }
    }

    /// Says on which line the same name stood before.
    pub(crate) fn with_first(mut self, first: Span) -> Self {
        self.first = Some(first);
        self
    }

    fn order(&self) -> (usize, Severity, &str, &str) {
        (self.span.start, self.severity, self.code, &self.message)
    }

    /// Fills in line and column and holds the span within the text, on character boundaries.
    fn place(&mut self, text: &str, lines: &Lines) {
        let start = floor(text, self.span.start);
        let end = floor(text, self.span.end).max(start);
        self.span = start..end;
        (self.line, self.column) = lines.position(text, start);
        if let Some(first) = self.first.take() {
            let (line, _) = lines.position(text, floor(text, first.start));
            self.help = Some(format!("it is first given on line {line}"));
        }
    }
}

/// The problems of one configuration in the order of the file, warnings and notes among them. There
/// is always at least one error.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Places the findings in the source and sorts them; what was found twice is there once.
    pub(crate) fn placed(source: &Source<'_>, mut findings: Vec<Finding>) -> Self {
        let lines = Lines::of(source.text);
        for finding in &mut findings {
            finding.place(source.text, &lines);
        }
        findings.sort_by(|a, b| a.order().cmp(&b.order()));
        findings.dedup();
        Self(findings)
    }

    /// Whether there is an error among them.
    pub(crate) fn refuse(&self) -> bool {
        self.iter().any(Finding::is_error)
    }

    pub(crate) fn into_inner(self) -> Vec<Finding> {
        self.0
    }

    /// Every problem as it is shown to people, without colour.
    #[must_use]
    pub fn render(&self, source: &Source<'_>) -> String {
        let shown: Vec<String> = self.iter().map(|finding| finding.render(source)).collect();
        shown.join("\n\n")
    }
}

impl std::ops::Deref for Findings {
    type Target = [Finding];

    fn deref(&self) -> &[Finding] {
        &self.0
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.iter().filter(|finding| finding.is_error()).count();
        let s = if errors == 1 { "" } else { "s" };
        write!(f, "the configuration has {errors} error{s}")
    }
}

/// The byte offsets at which lines start.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let after_breaks =
            text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(after_breaks).collect())
    }

    /// Line and column of a byte offset, both from 1.
    fn position(&self, text: &str, at: usize) -> (usize, usize) {
        let line = self.0.partition_point(|start| *start <= at).max(1);
        let start = self.0.get(line - 1).copied().unwrap_or(0);
        let column = text.get(start..at).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }
}

/// The nearest character boundary at or before an offset, within the text.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The kinds of findings.
pub(crate) mod code {
    /// The text is not YAML.
    pub(crate) const YAML_SYNTAX: &str = "yaml_syntax";
    /// An alias that points nowhere.
    pub(crate) const YAML_ALIAS: &str = "yaml_alias";
    /// More than one document in the file.
    pub(crate) const YAML_DOCUMENTS: &str = "yaml_documents";
    /// A key that is not plain text.
    pub(crate) const YAML_KEY: &str = "yaml_key";
    /// A tag of someone else's.
    pub(crate) const YAML_TAG: &str = "yaml_tag";
    /// Too large or too deep.
    pub(crate) const YAML_LIMIT: &str = "yaml_limit";
    /// One name twice in a mapping.
    pub(crate) const DUPLICATE_KEY: &str = "duplicate_key";
    /// A list where text belongs, and the like.
    pub(crate) const WRONG_TYPE: &str = "wrong_type";
    /// A required field is missing or empty.
    pub(crate) const FIELD_MISSING: &str = "field_missing";
    /// A number outside its range, or a text outside its list.
    pub(crate) const OUT_OF_RANGE: &str = "out_of_range";
    /// A text that breaks the rules of what it names.
    pub(crate) const MALFORMED: &str = "malformed";
    /// A key that nobody knows.
    pub(crate) const KEY_UNKNOWN: &str = "key_unknown";
    /// A key of LiteLLM's that has no effect yet.
    pub(crate) const NO_EFFECT: &str = "no_effect";
    /// Two settings that contradict each other.
    pub(crate) const CONFLICT: &str = "conflict";
    /// A provider that is not in the catalog.
    pub(crate) const PROVIDER_UNKNOWN: &str = "provider_unknown";
    /// A provider that LiteLLM calls and we do not yet.
    pub(crate) const PROVIDER_UNSUPPORTED: &str = "provider_unsupported";
    /// A provider without a base URL.
    pub(crate) const BASE_URL_MISSING: &str = "base_url_missing";
    /// A deployment that is left out for want of a credential.
    pub(crate) const CREDENTIAL_MISSING: &str = "credential_missing";
    /// Every model is left out.
    pub(crate) const NOTHING_TO_CALL: &str = "nothing_to_call";
    /// An environment variable that is named and not set.
    pub(crate) const VARIABLE_UNSET: &str = "variable_unset";
    /// An alias or reference to a model that does not exist.
    pub(crate) const MODEL_UNKNOWN: &str = "model_unknown";
    /// One deployment id twice.
    pub(crate) const DUPLICATE_ID: &str = "duplicate_id";
    /// A wildcard that cannot be filled in.
    pub(crate) const WILDCARD: &str = "wildcard";
    /// A model to take the price of, which has none.
    pub(crate) const PRICE_UNKNOWN: &str = "price_unknown";
    /// Custom prices that do not price a whole call.
    pub(crate) const PRICE_PARTIAL: &str = "price_partial";
}

#[cfg(test)]
mod tests;
