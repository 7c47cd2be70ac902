//! One small exchange with a token or metadata service.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use tollgate_domain::Secret;

use super::grant::json;
use crate::connect::{CONNECT_LIMIT, Connector};
use crate::failure::chain;

/// Runs errands. Plain `http` is for services on this machine and goes past every proxy.
#[derive(Clone)]
pub(crate) struct Courier {
    pub(crate) client: Client<Connector, Full<Bytes>>,
    pub(crate) direct: Client<Connector, Full<Bytes>>,
}

/// What is asked.
pub(crate) struct Errand {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) limit: Duration,
}

/// What was answered.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Errand {
    pub(crate) fn get(url: impl Into<String>) -> Self {
        let (url, headers) = (url.into(), HeaderMap::new());
        Self { method: Method::GET, url, headers, body: Bytes::new(), limit: ERRAND_LIMIT }
    }

    /// A `POST` of a form.
    pub(crate) fn form(url: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let mut errand = Self::get(url);
        errand.method = Method::POST;
        errand.body = Bytes::from(form(fields));
        errand.headers.insert(header::CONTENT_TYPE, FORM);
        errand
    }

    /// Adds a header. Its value may be a credential and is marked so.
    pub(crate) fn with(mut self, name: HeaderName, value: &Secret) -> Result<Self, String> {
        let sent = HeaderValue::from_str(value.expose());
        let mut value = sent.map_err(|_| format!("`{name}` has a control character in it"))?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    pub(crate) fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The request as it is sent.
    pub(crate) fn request(self) -> Result<Request<Full<Bytes>>, String> {
        let uri: Uri = self.url.parse().map_err(|_| "the URL cannot be used".to_owned())?;
        check(&uri)?;
        let mut request = Request::new(Full::new(self.body));
        (*request.method_mut(), *request.uri_mut()) = (self.method, uri);
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}

impl Courier {
    /// The answer of any status.
    pub(crate) async fn ask(&self, errand: Errand) -> Result<Reply, String> {
        let limit = errand.limit;
        self.send(errand.request()?, limit).await
    }

    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<Reply, String> {
        let plain = request.uri().scheme() == Some(&Scheme::HTTP);
        let host = request.uri().host().unwrap_or_default().to_owned();
        let client = if plain { &self.direct } else { &self.client };
        let exchange = CONNECT_LIMIT.scope(limit, async {
            let answer = client.request(request).await;
            let answer = answer.map_err(|error| format!("`{host}`: {}", chain(&error)))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), REPLY_BYTES_MAX).collect().await;
            let body = body.map_err(|error| format!("`{host}`: {}", chain(&*error)))?;
            Ok(Reply { status, body: body.to_bytes() })
        });
        let outcome = tokio::time::timeout(limit, exchange).await;
        outcome.unwrap_or_else(|_| Err(format!("`{host}` did not answer within {limit:?}")))
    }

    /// The answer as JSON, if it is a success.
    pub(crate) async fn fetch(&self, errand: Errand) -> Result<serde_json::Value, String> {
        json(&self.ask(errand).await?.success()?)
    }
}

impl Reply {
    pub(crate) fn success(self) -> Result<Bytes, String> {
        match self.status {
            200..=299 => Ok(self.body),
            status => Err(match refusal_code(&self.body) {
                Some(code) => format!("the service answered {status} `{code}`"),
                None => format!("the service answered {status}"),
            }),
        }
    }
}

/// The code of a refusal. Only the code is repeated: the words of a service may hold what it was
/// sent.
fn refusal_code(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let code = match json(body) {
        Ok(body) => {
            let words = body.get("error_description").and_then(|words| words.as_str());
            let aad = words.and_then(|words| words.split(':').next());
            let error = body.get("error");
            let status = error.and_then(|error| error.get("status")).and_then(|s| s.as_str());
            let code = error.and_then(|error| error.as_str()).or(status);
            aad.filter(|code| code.starts_with("AADSTS")).or(code)?.to_owned()
        }
        Err(_) => super::sts::element(text, "Code")?.to_owned(),
    };
    let is_code = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (code.len() <= CODE_BYTES_MAX && code.chars().all(is_code)).then_some(code)
}

/// Credentials travel in the clear only where they do not leave the machine.
fn check(uri: &Uri) -> Result<(), String> {
    let host = uri.host().ok_or("the URL names no host")?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("the URL holds a user or password".to_owned());
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_near(host) => Ok(()),
        Some("http") => Err(format!("plain http is not used for `{host}`; write https")),
        _ => Err("the URL does not begin with https://".to_owned()),
    }
}

/// Whether a host is this machine, or a metadata service of its platform.
fn is_near(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => {
            ip.is_loopback()
                || ip.is_unicast_link_local()
                || METADATA_V6.contains(&&*ip.to_string())
        }
        Err(_) => matches!(host, "localhost" | "metadata.google.internal"),
    }
}

/// A form, or a query.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| format!("{}={}", encode(name), encode(value));
    fields.iter().map(field).collect::<Vec<_>>().join("&")
}

/// Everything but the unreserved characters of RFC 3986, encoded.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// How long one exchange may take.
const ERRAND_LIMIT: Duration = Duration::from_secs(10);

/// How long a metadata service may take to show that it is there.
pub(crate) const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// The largest answer of a token service: 1 MiB.
const REPLY_BYTES_MAX: usize = 1024 * 1024;

/// The longest code of a refusal that is repeated.
const CODE_BYTES_MAX: usize = 64;

/// The metadata service of AWS and the endpoint of EKS Pod Identity.
const METADATA_V6: [&str; 2] = ["fd00:ec2::254", "fd00:ec2::23"];

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_travel_in_the_clear_only_to_this_machine_and_its_platform() {
        for (url, allowed) in [
            ("https://login.microsoftonline.com/x", true),
            ("http://127.0.0.1:80/", true),
            ("http://[::1]:80/", true),
            ("http://localhost/", true),
            ("http://169.254.169.254/latest", true),
            ("http://[fd00:ec2::254]/latest", true),
            ("http://metadata.google.internal/", true),
            ("http://login.microsoftonline.com/x", false),
            ("http://10.0.0.1/", false),
            ("http://127.0.0.1.evil.test/", false),
            ("https://user:pw@a.test/", false),
            ("ftp://127.0.0.1/", false),
        ] {
            assert_eq!(check(&Uri::from_static(url)).is_ok(), allowed, "{url}");
        }
    }

    #[test]
    fn only_the_code_of_a_refusal_is_repeated() {
        for (body, code) in [
            (
                r#"{"error":"invalid_client","error_description":"AADSTS7000215: s3"}"#,
                "AADSTS7000215",
            ),
            (r#"{"error":"invalid_grant","error_description":"hunter2"}"#, "invalid_grant"),
            (
                r#"{"error":{"status":"PERMISSION_DENIED","message":"hunter2"}}"#,
                "PERMISSION_DENIED",
            ),
            ("<Error><Code>AccessDenied</Code><Message>hunter2</Message></Error>", "AccessDenied"),
            (r#"{"error":"hunter2 is no secret"}"#, ""),
            ("hunter2", ""),
        ] {
            assert_eq!(refusal_code(body.as_bytes()).unwrap_or_default(), code, "{body}");
        }
    }
}
