//! The URL of a call: an operator's base URL, however it was written, and a provider's path.

use std::fmt::Write as _;

use thiserror::Error;

use super::{ApiVersion, Endpoint, Provider};

/// What stands for the model's name in a path.
const MODEL: &str = "model";

/// A variable that a base URL is made of and that is not set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the variable `{0}` is not set")]
pub struct UnsetVariable(pub String);

impl Provider {
    /// Where the provider is unless the deployment says otherwise, with the values of variables in
    /// it; `None` where every deployment must say. `variable` gives the value of a variable of the
    /// provider or of the environment.
    ///
    /// # Errors
    /// [`UnsetVariable`] with the first variable that `variable` does not know.
    pub fn own_base_url(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, UnsetVariable> {
        let fits = |when: &&super::BaseUrlWhen| {
            variable(&when.variable).is_some_and(|value| when.values.contains(&value))
        };
        let special = self.base_url_when.iter().find(fits).map(|when| when.url.as_str());
        let Some(mut rest) = special.or(self.base_url.as_deref()) else { return Ok(None) };
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

    /// The URL of an endpoint.
    ///
    /// The base may end with a slash, with the beginning of the endpoint's path or with all of it:
    /// what is there is not repeated. A query that it holds is kept. The model and the variables
    /// are percent-encoded where the path names them.
    #[must_use]
    pub fn url(&self, endpoint: &Endpoint, address: &Address<'_>) -> String {
        let base = Base::read(address.base);
        let operation = endpoint.format.operation_segments();
        let own_stream = endpoint.stream_path.as_deref().filter(|_| address.stream);
        let path = Path::read(own_stream.unwrap_or(&endpoint.path), operation);
        let Some(versions) = &self.api_version else {
            return base.join(&path, address, None);
        };
        let wanted = address.api_version.unwrap_or(&versions.default);
        if let Some(path) = endpoint.unversioned_path.as_deref() {
            let path = Path::read(path, operation);
            if versions.mean_unversioned(wanted, &base, &path) {
                let sent = versions.sends(wanted).then_some((&*versions.query, wanted));
                return base.join(&path, address, sent);
            }
        }
        base.join(&path, address, Some((&versions.query, wanted)))
    }
}

/// What a URL is made of, besides the provider's own data.
#[derive(Debug, Clone, Copy)]
pub struct Address<'a> {
    /// The deployment's base URL.
    pub base: &'a str,
    /// The provider's own name of the model.
    pub model: &'a str,
    /// Replaces the provider's default version.
    pub api_version: Option<&'a str>,
    /// Whether the answer is to be a stream.
    pub stream: bool,
    /// The values of the provider's variables.
    pub variables: &'a [(Box<str>, Box<str>)],
}

impl Address<'_> {
    /// The value of what stands in braces in a path.
    fn value(&self, name: &str) -> &str {
        let variable = || self.variables.iter().find(|(known, _)| **known == *name);
        if name == MODEL { self.model } else { variable().map_or("", |(_, value)| value) }
    }
}

impl ApiVersion {
    /// Whether the wanted version or the base URL means the surface without versions.
    fn mean_unversioned(&self, wanted: &str, base: &Base<'_>, path: &Path<'_>) -> bool {
        let Some(surface) = &self.unversioned else { return false };
        let named = surface.versions.iter().any(|version| version == wanted);
        named || base.held(path) >= path.before_operation().max(1)
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

    /// How many leading segments of a path the base already ends with: all, or none of its
    /// operation.
    fn held(&self, path: &Path<'_>) -> usize {
        let lengths =
            std::iter::once(path.segments.len()).chain((1..=path.before_operation()).rev());
        let mut fitting = lengths.filter(|length| self.ends_with(&path.segments[..*length]));
        fitting.next().unwrap_or(0)
    }

    fn ends_with(&self, pattern: &[&str]) -> bool {
        let Some(start) = self.path.len().checked_sub(pattern.len()) else { return false };
        let pairs = self.path.iter().skip(start).zip(pattern);
        pairs.into_iter().all(|(segment, wanted)| wanted.starts_with('{') || segment == wanted)
    }

    fn join(
        &self,
        path: &Path<'_>,
        address: &Address<'_>,
        version: Option<(&str, &str)>,
    ) -> String {
        let mut url = self.text.to_owned();
        for segment in path.segments.iter().skip(self.held(path)) {
            url.push('/');
            push_filled(&mut url, segment, address);
        }
        for query in self.query.into_iter().chain(path.query) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(query);
        }
        if let Some((name, value)) = version.filter(|(name, _)| !self.names(name)) {
            url.push(if url.contains('?') { '&' } else { '?' });
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

/// A path of an endpoint.
struct Path<'a> {
    segments: Vec<&'a str>,
    query: Option<&'a str>,
    operation: usize,
}

impl<'a> Path<'a> {
    fn read(path: &'a str, operation: usize) -> Self {
        let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
        Self { segments: segments(path), query, operation }
    }

    fn before_operation(&self) -> usize {
        self.segments.len().saturating_sub(self.operation)
    }
}

/// One segment of a path with the values of what stands in braces in it.
fn push_filled(url: &mut String, segment: &str, address: &Address<'_>) {
    let mut rest = segment;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        url.push_str(before);
        push_encoded(url, address.value(name));
        rest = after;
    }
    url.push_str(rest);
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
