//! The URL of a call: an operator's base URL, however it was written, and a provider's path.

use std::fmt::Write as _;

use thiserror::Error;

use super::{ApiVersion, Provider};

/// How many segments at the end of a path are the operation (`chat/completions`). A base URL holds
/// all of them or none.
const OPERATION_SEGMENTS: usize = 2;

/// The segment of a path that stands for the model's name.
const MODEL_SEGMENT: &str = "{model}";

/// A variable that a base URL is made of and that is not set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the variable `{0}` is not set")]
pub struct UnsetVariable(pub String);

impl Provider {
    /// Where the provider is unless the deployment says otherwise, with the environment's variables
    /// in it; `None` where every deployment must say.
    ///
    /// # Errors
    /// [`UnsetVariable`] with the first variable that `variable` does not know.
    pub fn own_base_url(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, UnsetVariable> {
        let Some(mut rest) = self.base_url.as_deref() else { return Ok(None) };
        let mut url = String::with_capacity(rest.len());
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            let value = variable(name).ok_or_else(|| UnsetVariable(name.to_owned()))?;
            url.extend([before, &value]);
            rest = after;
        }
        url.push_str(rest);
        Ok(Some(url))
    }

    /// The URL of chat completions.
    ///
    /// `base` may end with a slash, with the beginning of the provider's path or with all of it:
    /// what is there is not repeated. A query that it holds is kept. `model` is percent-encoded
    /// where the path names it. `api_version` replaces the provider's default.
    #[must_use]
    pub fn chat_url(&self, base: &str, model: &str, api_version: Option<&str>) -> String {
        let base = Base::read(base);
        let Some(versions) = &self.api_version else {
            return base.join(&self.chat_path, model, None);
        };
        let wanted = api_version.unwrap_or(&versions.default);
        if let Some(path) = versions.unversioned_path(&base, wanted) {
            let sent = versions.sends(wanted).then_some((&*versions.query, wanted));
            return base.join(path, model, sent);
        }
        base.join(&self.chat_path, model, Some((&versions.query, wanted)))
    }
}

impl ApiVersion {
    /// The path of the surface without versions, where the wanted version or the base URL means it.
    fn unversioned_path(&self, base: &Base<'_>, wanted: &str) -> Option<&str> {
        let surface = self.unversioned.as_ref()?;
        let named = surface.versions.iter().any(|version| version == wanted);
        let pattern = segments(&surface.chat_path);
        let there = base.held(&pattern) >= pattern.len().saturating_sub(OPERATION_SEGMENTS).max(1);
        (named || there).then_some(&*surface.chat_path)
    }

    fn sends(&self, wanted: &str) -> bool {
        let sent = self.unversioned.iter().flat_map(|surface| &surface.sent);
        sent.into_iter().any(|version| version == wanted)
    }
}

/// A base URL in its parts.
struct Base<'a> {
    /// Scheme and host, and the path without slashes at its end.
    text: &'a str,
    path: Vec<&'a str>,
    query: Option<&'a str>,
}

impl<'a> Base<'a> {
    fn read(url: &'a str) -> Self {
        let (text, query) = match url.split_once('?') {
            Some((text, query)) => (text, Some(query).filter(|query| !query.is_empty())),
            None => (url, None),
        };
        let text = text.trim_end_matches('/');
        let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
        let path = after_scheme.split_once('/').map_or_else(Vec::new, |(_, path)| segments(path));
        Self { text, path, query }
    }

    /// How many leading segments of a path's pattern the base already ends with: all, or none of
    /// its operation.
    fn held(&self, pattern: &[&str]) -> usize {
        let before_operation = pattern.len().saturating_sub(OPERATION_SEGMENTS);
        let lengths = std::iter::once(pattern.len()).chain((1..=before_operation).rev());
        let mut fitting = lengths.filter(|length| self.ends_with(&pattern[..*length]));
        fitting.next().unwrap_or(0)
    }

    fn ends_with(&self, pattern: &[&str]) -> bool {
        let Some(start) = self.path.len().checked_sub(pattern.len()) else { return false };
        let pairs = self.path.iter().skip(start).zip(pattern);
        pairs.into_iter().all(|(segment, wanted)| *wanted == MODEL_SEGMENT || segment == wanted)
    }

    fn join(&self, path: &str, model: &str, version: Option<(&str, &str)>) -> String {
        let pattern = segments(path);
        let mut url = self.text.to_owned();
        for segment in pattern.iter().skip(self.held(&pattern)) {
            url.push('/');
            if *segment == MODEL_SEGMENT {
                push_encoded(&mut url, model);
            } else {
                url.push_str(segment);
            }
        }
        if let Some(query) = self.query {
            url.push('?');
            url.push_str(query);
        }
        if let Some((name, value)) = version.filter(|(name, _)| !self.names(name)) {
            url.push(if self.query.is_some() { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            push_encoded(&mut url, value);
        }
        url
    }

    /// Whether the base's own query holds a parameter of this name.
    fn names(&self, name: &str) -> bool {
        let parameters = self.query.into_iter().flat_map(|query| query.split('&'));
        parameters.map(|one| one.split_once('=').map_or(one, |(key, _)| key)).any(|key| key == name)
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, so that a name is one
/// segment and no more; the names `.` and `..`, which would be steps in the path, are encoded
/// whole.
fn push_encoded(url: &mut String, text: &str) {
    let dots = matches!(text, "." | "..");
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => {
                url.push(char::from(byte));
            }
            b'.' if !dots => url.push('.'),
            other => write!(url, "%{other:02X}").expect("a string takes any text"),
        }
    }
}
