//! Where a client put its key, in LiteLLM's order, and which credentials are no keys of ours.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use tollgate_config::Settings;
use tollgate_domain::{KeyHash, Secret, VirtualKey};
use tollgate_faults::{Reason, Refusal};
use tollgate_store::KeyRecord;

use crate::authenticate::unreachable;
use crate::gate::Gate;

/// The headers that may carry a key, first one wins. `authorization` needs a scheme, the others may
/// have one.
const KEY_HEADERS: [&str; 6] = [
    "x-litellm-api-key",
    "authorization",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
];

/// The texts that may be the key, in order; at least one. A client that brings a provider's
/// credential too has put one of them where the other could be.
///
/// When the operator named a header of their own, only that one counts.
pub(crate) fn presented<'a>(
    headers: &'a HeaderMap,
    only: Option<&str>,
) -> Result<Vec<&'a str>, Refusal> {
    if let Some(name) = only {
        return Ok(vec![bearer(text(headers, name)?.ok_or_else(|| missing(name))?)?]);
    }
    let (mut found, mut problem) = (Vec::new(), None);
    for name in KEY_HEADERS {
        match text(headers, name).and_then(|text| text.map(|text| read(name, text)).transpose()) {
            Ok(key) => found.extend(key),
            Err(refusal) => {
                problem.get_or_insert(refusal);
            }
        }
    }
    match problem {
        Some(problem) if found.is_empty() => Err(problem),
        None if found.is_empty() => Err(missing("authorization")),
        Some(_) | None => Ok(found),
    }
}

/// The key in one of the headers.
fn read<'a>(name: &str, text: &'a str) -> Result<&'a str, Refusal> {
    if name == "authorization" { bearer(text) } else { Ok(without_scheme(text)) }
}

/// Whether a header may carry a credential, so that it never goes on as a header of any other sort.
pub(crate) fn may_carry_one(name: &str) -> bool {
    KEY_HEADERS.contains(&name) || name == "proxy-authorization"
}

/// A credential for a provider that the client brought beside its key.
#[derive(Debug)]
pub(crate) struct Brought {
    /// The header that it came in.
    pub(crate) header: HeaderName,
    /// The credential without its scheme.
    pub(crate) value: Secret,
}

/// What of the headers that may carry a key is no key of ours: the client's own credentials for
/// providers.
///
/// # Errors
/// Refused when the store cannot be asked: a virtual key must not be taken for a provider's.
pub(crate) async fn brought(
    gate: &Gate,
    headers: &HeaderMap,
    settings: &Settings,
) -> Result<Vec<Brought>, Refusal> {
    let mut brought = Vec::new();
    // The first of them is LiteLLM's, whose keys are ours alone.
    let theirs = KEY_HEADERS.iter().skip(1).filter(|name| !settings.is_key_header(name));
    for name in theirs {
        let found = text(headers, name).ok().flatten().and_then(|text| read(name, text).ok());
        let Some(value) = found else { continue };
        if !is_ours(gate, value).await? {
            let (header, value) = (HeaderName::from_static(name), Secret::new(value));
            brought.push(Brought { header, value });
        }
    }
    Ok(brought)
}

async fn is_ours(gate: &Gate, text: &str) -> Result<bool, Refusal> {
    let hash = KeyHash::of(text);
    if gate.is_master(&hash) {
        return Ok(true);
    }
    if VirtualKey::check(text).is_err() {
        return Ok(false);
    }
    Ok(find(gate, &hash).await?.is_some())
}

/// The virtual key with this hash.
///
/// # Errors
/// Refused when the store cannot be asked.
pub(crate) async fn find(gate: &Gate, hash: &KeyHash) -> Result<Option<Arc<KeyRecord>>, Refusal> {
    gate.keys().find(hash).await.map_err(|problem| unreachable(&problem))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let value = value.to_str().map_err(|_| {
        Refusal::new(
            Reason::KeyMalformed,
            format!("the header `{name}` holds more than visible ASCII"),
        )
    })?;
    Ok(Some(value.trim()).filter(|value| !value.is_empty()))
}

fn bearer(value: &str) -> Result<&str, Refusal> {
    let (scheme, key) = value.split_once(' ').unwrap_or((value, ""));
    // LiteLLM takes a key under `Basic` as well, as it stands.
    let known = ["bearer", "basic"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
    if known && !key.trim().is_empty() {
        return Ok(key.trim());
    }
    Err(Refusal::new(Reason::KeyMalformed, "the key header does not read `Bearer <key>`"))
}

fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
        _ => value,
    }
}

fn missing(header: &str) -> Refusal {
    Refusal::new(
        Reason::KeyMissing,
        format!("no key was sent; expected one in the header `{header}`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented_in(pairs: &[(&'static str, &str)], only: Option<&str>) -> Result<String, Reason> {
        let headers: HeaderMap = pairs
            .iter()
            .map(|(name, value)| {
                (http::HeaderName::from_static(name), value.parse().expect("a header value"))
            })
            .collect();
        let found = presented(&headers, only).map_err(|refusal| refusal.reason)?;
        Ok(found.join(" "))
    }

    #[test]
    fn a_key_is_looked_for_in_every_header_that_may_carry_one_in_order() {
        type Case = (&'static [(&'static str, &'static str)], Result<&'static str, Reason>);
        let cases: [Case; 11] = [
            (&[("authorization", "Bearer sk-a")], Ok("sk-a")),
            (&[("authorization", "bearer  sk-a ")], Ok("sk-a")),
            (&[("x-api-key", "sk-b")], Ok("sk-b")),
            (&[("api-key", "sk-c")], Ok("sk-c")),
            (
                &[("authorization", "Bearer sk-a"), ("x-litellm-api-key", "Bearer sk-d")],
                Ok("sk-d sk-a"),
            ),
            (&[("authorization", ""), ("x-api-key", "sk-b")], Ok("sk-b")),
            (&[("authorization", "Digest x"), ("x-api-key", "sk-b")], Ok("sk-b")),
            (&[("authorization", "Basic sk-a")], Ok("sk-a")),
            (&[("authorization", "Digest sk-a")], Err(Reason::KeyMalformed)),
            (&[("authorization", "sk-a")], Err(Reason::KeyMalformed)),
            (&[], Err(Reason::KeyMissing)),
        ];
        for (headers, expected) in cases {
            assert_eq!(presented_in(headers, None), expected.map(str::to_owned), "{headers:?}");
        }
    }

    #[test]
    fn only_the_operators_own_header_counts_when_one_is_named() {
        let headers = [("x-corp-key", "Bearer sk-a"), ("authorization", "Bearer sk-b")];
        assert_eq!(presented_in(&headers, Some("x-corp-key")), Ok("sk-a".to_owned()));
        assert_eq!(presented_in(&headers[1..], Some("x-corp-key")), Err(Reason::KeyMissing));
    }
}
