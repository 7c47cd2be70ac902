//! AWS Signature Version 4 of a whole request (bedrock.md §2).

use aws_lc_rs::{digest, hmac};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use tollgate_domain::Timestamp;

use super::AwsKeys;
use super::errand::encode;

/// Where a signature is good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// Signs a request for this moment. Only what says who, where and what is signed: proxies may add
/// to the rest.
pub(crate) fn sign(
    request: &mut Request<Full<Bytes>>,
    body: &[u8],
    keys: &AwsKeys,
    scope: Scope<'_>,
    now: Timestamp,
) -> Result<(), &'static str> {
    let time = basic_time(now).ok_or("the clock is out of range")?;
    let date = time.get(..8).ok_or("the clock is out of range")?;
    put(request, DATE, &time)?;
    request.headers_mut().remove(AUTHORIZATION);
    request.headers_mut().remove(TOKEN);
    if let Some(token) = &keys.session_token {
        put(request, TOKEN, token.expose())?;
    }
    let host = request.uri().authority().ok_or("the URL names no host")?.as_str().to_owned();
    put(request, HOST, implied_port_off(request, &host))?;

    let names = [CONTENT_TYPE, HOST, DATE, TOKEN];
    let signed: Vec<&str> =
        names.iter().filter(|n| request.headers().contains_key(*n)).map(|n| n.as_str()).collect();
    let signed = signed.join(";");
    let canonical = canonical(request, &names, &signed, body)?;
    let scope_text = format!("{date}/{}/{}/aws4_request", scope.region, scope.service);
    let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope_text}\n{hash}");
    let mut key = format!("AWS4{}", keys.secret_access_key.expose()).into_bytes();
    for step in [date, scope.region, scope.service, "aws4_request", &to_sign] {
        key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), step.as_bytes()).as_ref().into();
    }
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope_text}, SignedHeaders={signed}, Signature={}",
        keys.access_key_id,
        hex(&key)
    );
    put(request, AUTHORIZATION, &authorization)
}

fn canonical(
    request: &Request<Full<Bytes>>,
    names: &[HeaderName],
    signed: &str,
    body: &[u8],
) -> Result<String, &'static str> {
    let mut headers = String::new();
    for name in names {
        if let Some(value) = request.headers().get(name) {
            let value = value.to_str().map_err(|_| "a signed header is not ASCII")?;
            let words: Vec<&str> = value.split_whitespace().collect();
            headers.push_str(&format!("{name}:{}\n", words.join(" ")));
        }
    }
    let uri = request.uri();
    // The path as it is sent is encoded once more, except for its slashes.
    let path = uri.path().split('/').map(encode).collect::<Vec<_>>().join("/");
    let path = if path.is_empty() { "/".to_owned() } else { path };
    let mut query: Vec<String> = uri.query().unwrap_or_default().split('&').map(pair).collect();
    query.retain(|pair| !pair.is_empty());
    query.sort();
    let hash = hex(digest::digest(&digest::SHA256, body).as_ref());
    let (method, query) = (request.method(), query.join("&"));
    Ok(format!("{method}\n{path}\n{query}\n{headers}\n{signed}\n{hash}"))
}

/// A pair of the query, already encoded, with its `=`.
fn pair(written: &str) -> String {
    if written.is_empty() || written.contains('=') {
        return written.to_owned();
    }
    format!("{written}=")
}

/// `host` as hyper sends it: without the port that the scheme implies.
fn implied_port_off<'a>(request: &Request<Full<Bytes>>, host: &'a str) -> &'a str {
    let implied = if request.uri().scheme_str() == Some("https") { ":443" } else { ":80" };
    host.strip_suffix(implied).unwrap_or(host)
}

fn put(
    request: &mut Request<Full<Bytes>>,
    name: HeaderName,
    value: &str,
) -> Result<(), &'static str> {
    let mut sent =
        HeaderValue::from_str(value).map_err(|_| "a credential has a control character in it")?;
    sent.set_sensitive(name == AUTHORIZATION || name == TOKEN);
    request.headers_mut().insert(name, sent);
    Ok(())
}

/// `20260502T100000Z`.
fn basic_time(now: Timestamp) -> Option<String> {
    let whole = Timestamp::from_micros(now.micros().div_euclid(1_000_000).checked_mul(1_000_000)?);
    let time: String = whole.to_string().chars().filter(|c| !"-:".contains(*c)).collect();
    (time.len() == 16).then_some(time)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

#[cfg(test)]
mod tests;
