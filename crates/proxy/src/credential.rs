//! Where a client put its key, in LiteLLM's order.

use http::HeaderMap;
use tollgate_faults::{Reason, Refusal};

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

/// The text of the key a client presented.
///
/// When the operator named a header of their own, only that one counts.
pub(crate) fn presented<'a>(
    headers: &'a HeaderMap,
    only: Option<&str>,
) -> Result<&'a str, Refusal> {
    if let Some(name) = only {
        return bearer(text(headers, name)?.ok_or_else(|| missing(name))?);
    }
    for name in KEY_HEADERS {
        let Some(value) = text(headers, name)? else { continue };
        return if name == "authorization" { bearer(value) } else { Ok(without_scheme(value)) };
    }
    Err(missing("authorization"))
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
        presented(&headers, only).map(str::to_owned).map_err(|refusal| refusal.reason)
    }

    #[test]
    fn a_key_is_read_from_the_first_header_that_carries_one() {
        type Case = (&'static [(&'static str, &'static str)], Result<&'static str, Reason>);
        let cases: [Case; 10] = [
            (&[("authorization", "Bearer sk-a")], Ok("sk-a")),
            (&[("authorization", "bearer  sk-a ")], Ok("sk-a")),
            (&[("x-api-key", "sk-b")], Ok("sk-b")),
            (&[("api-key", "sk-c")], Ok("sk-c")),
            (&[("authorization", "Bearer sk-a"), ("x-litellm-api-key", "Bearer sk-d")], Ok("sk-d")),
            (&[("authorization", ""), ("x-api-key", "sk-b")], Ok("sk-b")),
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
