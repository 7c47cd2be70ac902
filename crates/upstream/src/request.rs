//! A request as the caller describes it, made into one that can be sent.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::uri::{Authority, Scheme, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::Full;
use tollgate_domain::{Identity, Secret};

use crate::auth::encode;
use crate::error::DispatchError;

/// One `POST` to an upstream, with a JSON body unless a header says otherwise.
#[derive(Debug, Clone)]
pub struct UpstreamRequest {
    /// The whole URL, `http` or `https`, with the query if there is one.
    pub url: String,
    /// How we say who we are.
    pub auth: Credential,
    /// Further headers, in order. They win over our `content-type` and `user-agent`, the credential
    /// wins over them, and those that frame the message are refused.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body, sent as it is.
    pub body: Bytes,
}

/// How a request says on whose behalf it comes. The value is marked sensitive, so no log prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Not at all.
    None,
    /// `authorization: Bearer …`.
    Bearer(Secret),
    /// A header of its own, such as `api-key`.
    Header {
        /// The header.
        name: HeaderName,
        /// Its whole value.
        value: Secret,
    },
    /// A parameter of the query, such as `key`.
    Query {
        /// The parameter.
        name: String,
        /// Its value, not yet encoded.
        value: Secret,
    },
    /// `authorization: Bearer …` with a token of Azure or Google. An `api-key` header is left out.
    Identity(Arc<Identity>),
    /// A signature of AWS over the whole request.
    SigV4 {
        /// Whose; an [`Identity::Aws`].
        identity: Arc<Identity>,
        /// The service, such as `bedrock`.
        service: String,
        /// The region of the endpoint.
        region: String,
    },
}

impl UpstreamRequest {
    /// The request as it is sent.
    pub(crate) fn into_http(self) -> Result<Request<Full<Bytes>>, DispatchError> {
        let uri = read_url(with_query(self.url, &self.auth))?;
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 4);
        for (name, value) in self.headers {
            if FRAMING.contains(&name) {
                let detail = "it belongs to the connection";
                return Err(DispatchError::BadHeader { name: name.to_string(), detail });
            }
            headers.append(name, value);
        }
        headers.entry(CONTENT_TYPE).or_insert(JSON);
        headers.entry(USER_AGENT).or_insert(TOLLGATE);
        if let Some((name, value)) = credential_header(&self.auth)? {
            headers.insert(name, value);
        }
        let mut request = Request::new(Full::new(self.body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// The URL with the credential that goes into its query.
fn with_query(mut url: String, credential: &Credential) -> String {
    if let Credential::Query { name, value } = credential {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&format!("{}={}", encode(name), encode(value.expose())));
    }
    url
}

/// A URL that can be called: `http` or `https`, a host, and no user.
pub(crate) fn read_url(url: String) -> Result<Uri, DispatchError> {
    let bad = |detail: String| DispatchError::BadUrl { detail };
    let uri = Uri::from_maybe_shared(Bytes::from(url)).map_err(|error| bad(error.to_string()))?;
    match uri.scheme() {
        Some(scheme) if [Scheme::HTTP, Scheme::HTTPS].contains(scheme) => {}
        Some(scheme) => return Err(bad(format!("its scheme is `{scheme}`, not http or https"))),
        None => return Err(bad("it does not begin with http:// or https://".to_owned())),
    }
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            Err(bad("it holds a user or password, which would not be sent".to_owned()))
        }
        Some(authority) if authority.host().is_empty() => Err(bad("it names no host".to_owned())),
        Some(authority) if !has_sound_port(authority) => {
            Err(bad("its port is not within 1 to 65535".to_owned()))
        }
        Some(_) => Ok(uri),
        None => Err(bad("it names no host".to_owned())),
    }
}

/// `http` takes a port that is too large for none, which would send the request to the wrong one.
fn has_sound_port(authority: &Authority) -> bool {
    match authority.as_str().rsplit_once(':') {
        Some((host, port)) if host == authority.host() && !port.is_empty() => {
            port.parse::<u16>().is_ok_and(|port| port > 0)
        }
        _ => true,
    }
}

fn credential_header(
    credential: &Credential,
) -> Result<Option<(HeaderName, HeaderValue)>, DispatchError> {
    let (name, value) = match credential {
        Credential::None
        | Credential::Query { .. }
        | Credential::Identity(_)
        | Credential::SigV4 { .. } => return Ok(None),
        Credential::Bearer(key) => (AUTHORIZATION, format!("Bearer {}", key.expose())),
        Credential::Header { name, value } => (name.clone(), value.expose().to_owned()),
    };
    match HeaderValue::from_maybe_shared(Bytes::from(value)) {
        Ok(mut value) => {
            value.set_sensitive(true);
            Ok(Some((name, value)))
        }
        Err(_) => Err(DispatchError::BadHeader {
            name: name.to_string(),
            detail: "the key has a line break or another control character in it",
        }),
    }
}

/// An upstream as `host:port`, the port always said.
pub(crate) struct HostPort<'a>(pub(crate) &'a Uri);

impl fmt::Display for HostPort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let implied = if self.0.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        write!(f, "{}:{}", self.0.host().unwrap_or_default(), self.0.port_u16().unwrap_or(implied))
    }
}

/// Headers that describe the message or the connection, not the request; hyper writes them.
const FRAMING: [HeaderName; 8] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
];

const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(crate) const TOLLGATE: HeaderValue =
    HeaderValue::from_static(concat!("tollgate/", env!("CARGO_PKG_VERSION")));

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str) -> UpstreamRequest {
        let (url, body) = (url.to_owned(), Bytes::from_static(b"{}"));
        UpstreamRequest { url, auth: Credential::None, headers: Vec::new(), body }
    }

    fn headers(request: UpstreamRequest) -> Vec<String> {
        let request = request.into_http().expect("a request");
        let line = |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {value:?}");
        let mut lines: Vec<String> = request.headers().iter().map(line).collect();
        lines.sort();
        lines
    }

    #[test]
    fn only_http_urls_with_a_host_and_without_a_user_can_be_called() {
        for (url, reason) in [
            ("", "empty string"),
            ("/v1/chat", "does not begin with http://"),
            ("api.test/v1", "invalid"),
            ("api.test", "does not begin with http://"),
            ("ftp://api.test/", "its scheme is `ftp`"),
            ("http://user:hunter2@api.test/", "holds a user or password"),
            ("http://", ""),
            ("http://:80/", ""),
            ("http://api.test:99999/", "port"),
            ("http://api.test:0/", "port"),
            ("http://api test/", "invalid"),
            ("http://api.test/\n", "invalid"),
        ] {
            match request(url).into_http() {
                Err(DispatchError::BadUrl { detail }) => {
                    assert!(detail.contains(reason), "{url}: {detail}");
                    assert!(!detail.contains("hunter2"), "{detail}");
                }
                other => panic!("{url}: {other:?}"),
            }
        }
        for url in ["http://localhost:1", "https://api.test/v1?x=y", "HTTP://[::1]:8080/a"] {
            assert!(request(url).into_http().is_ok(), "{url}");
        }
    }

    #[test]
    fn a_request_says_what_it_is_and_takes_no_compression() {
        let ours = format!("user-agent: \"tollgate/{}\"", env!("CARGO_PKG_VERSION"));
        let content_type = "content-type: \"application/json\"".to_owned();
        assert_eq!(headers(request("http://a.test/")), [content_type, ours]);
    }

    #[test]
    fn the_callers_headers_win_over_ours_and_the_credential_over_the_callers() {
        let header = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let headers = headers(UpstreamRequest {
            auth: Credential::Bearer(Secret::new("sk-1")),
            headers: vec![
                header("user-agent", "theirs"),
                header("authorization", "Bearer of-the-client"),
                header("x-many", "1"),
                header("x-many", "2"),
            ],
            ..request("http://a.test/")
        });
        let expected = [
            "authorization: Sensitive",
            "content-type: \"application/json\"",
            "user-agent: \"theirs\"",
            "x-many: \"1\"",
            "x-many: \"2\"",
        ];
        assert_eq!(headers, expected);
    }

    #[test]
    fn a_credential_can_have_a_header_of_its_own() {
        let name = HeaderName::from_static("api-key");
        let auth = Credential::Header { name: name.clone(), value: Secret::new("k1") };
        let sent = UpstreamRequest { auth, ..request("http://a.test/") }.into_http();
        let sent = sent.expect("a request");
        let value = sent.headers().get(name).expect("the credential");
        assert_eq!((value.as_bytes(), value.is_sensitive()), (b"k1".as_slice(), true));
    }

    #[test]
    fn a_credential_in_the_query_is_encoded_and_joins_what_is_there() {
        for (url, sent) in [
            ("http://a.test/x", "http://a.test/x?key=a%26b"),
            ("http://a.test/x?alt=sse", "http://a.test/x?alt=sse&key=a%26b"),
        ] {
            let auth = Credential::Query { name: "key".to_owned(), value: Secret::new("a&b") };
            let request = UpstreamRequest { auth, ..request(url) }.into_http();
            assert_eq!(request.expect("a request").uri(), sent);
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_repeating_it() {
        let auth = Credential::Bearer(Secret::new("sk-hunter2\n"));
        let error = UpstreamRequest { auth, ..request("http://a.test/") }.into_http();
        let error = error.expect_err("a line break").to_string();
        assert!(error.contains("`authorization`") && !error.contains("hunter2"), "{error}");
        for name in FRAMING {
            let headers = vec![(name.clone(), HeaderValue::from_static("5"))];
            let refused = UpstreamRequest { headers, ..request("http://a.test/") }.into_http();
            assert!(matches!(refused, Err(DispatchError::BadHeader { .. })), "{name}");
        }
    }

    #[test]
    fn a_host_is_named_with_its_port() {
        for (url, named) in [
            ("http://a.test/x", "a.test:80"),
            ("https://a.test/x", "a.test:443"),
            ("https://a.test:8443", "a.test:8443"),
            ("http://[::1]/", "[::1]:80"),
        ] {
            assert_eq!(HostPort(&Uri::from_static(url)).to_string(), named);
        }
    }
}
