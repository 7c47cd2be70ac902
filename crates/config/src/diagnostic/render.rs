//! How a finding is shown: the way a compiler shows one, and never a credential.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{Finding, Severity, Source};

impl Finding {
    /// The finding with its line of the source and its help, without colour. What looks like a
    /// credential in that line is shown as asterisks.
    #[must_use]
    pub fn render(&self, source: &Source<'_>) -> String {
        let line = self.line_range(source.text);
        let shown = masked(source.text.get(line.clone()).unwrap_or_default());
        let start = self.span.start.clamp(line.start, line.end) - line.start;
        let end = self.span.end.clamp(line.start, line.end) - line.start;
        let snippet = Snippet::source(shown)
            .line_start(self.line.max(1))
            .path(source.name)
            .annotation(AnnotationKind::Primary.span(start..end.max(start)));
        let mut group = self.level().primary_title(&self.message).id(self.code).element(snippet);
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        Renderer::plain().render(&[group])
    }

    fn level(&self) -> Level<'static> {
        match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        }
    }

    /// The line in which the offending text begins, without its line break.
    fn line_range(&self, text: &str) -> Range<usize> {
        let at = super::floor(text, self.span.start);
        let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        start..end
    }
}

/// The line with everything that looks like a credential replaced by asterisks, byte for byte, so
/// that positions stay: values of keys that name one, what stands before the `@` of a URL, and
/// words that begin as keys do. A reference to the environment is no secret and stays.
fn masked(line: &str) -> String {
    let mut bytes = line.as_bytes().to_vec();
    for secret in named(line).into_iter().chain(user_parts(line)).chain(keys(line)) {
        if let Some(part) = bytes.get_mut(secret) {
            part.fill(b'*');
        }
    }
    // Whole characters were replaced, so this is text again.
    String::from_utf8(bytes).unwrap_or_default()
}

/// The value of the first key whose name is that of a credential, to the end of the line.
fn named(line: &str) -> Option<Range<usize>> {
    let lower = line.to_ascii_lowercase();
    let start = SECRET_NAMES.iter().filter_map(|name| value_after(&lower, name)).min()?;
    let value = line.get(start..)?.trim_start_matches(['"', '\'']);
    (!value.starts_with("os.environ/")).then_some(start..line.len())
}

/// Where the value begins that follows the last part of a key, if the line has such a key.
fn value_after(line: &str, name: &str) -> Option<usize> {
    line.match_indices(name).filter(|(at, _)| !line[..*at].ends_with("per_")).find_map(|(at, _)| {
        let after = &line[at + name.len()..];
        let rest = after.trim_start_matches(['"', '\'', ' ', '\t']).strip_prefix(':')?;
        let value = rest.trim_start();
        (!value.is_empty()).then_some(line.len() - value.len())
    })
}

/// What stands between `://` and the `@` of the same word.
fn user_parts(line: &str) -> impl Iterator<Item = Range<usize>> {
    line.match_indices("://").filter_map(move |(at, mark)| {
        let start = at + mark.len();
        let word = line[start..].split(char::is_whitespace).next()?;
        word.rfind('@').map(|end| start..start + end)
    })
}

/// Words that begin as keys do.
fn keys(line: &str) -> impl Iterator<Item = Range<usize>> {
    line.match_indices("sk-").map(move |(at, _)| {
        let length = line[at..].find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c));
        at..length.map_or(line.len(), |length| at + length)
    })
}

/// What the names of keys end in whose values are credentials or hold one.
const SECRET_NAMES: [&str; 11] = [
    "key",
    "token",
    "secret",
    "password",
    "passwd",
    "authorization",
    "credentials",
    "cookie",
    "database_url",
    "redis_url",
    "license",
];
