//! Fetching what a client's request names by its address, from wherever that is, without becoming
//! the client's way into the operator's network.
//!
//! Nothing of the client's or the operator's goes along but the address. A host is connected to at
//! an address that was checked after the lookup, on every redirect again; no proxy is asked, since
//! it would look up names by itself. Hosts that the operator allows are not checked.

mod address;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION, USER_AGENT};
use http::uri::Authority;
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use thiserror::Error;
use tokio::sync::Semaphore;

use self::address::{Guard, is_public_literal};
use crate::dispatch::{ANSWER_HEAD_BYTES_MAX, ANSWER_HEADERS_MAX};
use crate::failure::chain;
use crate::request::{TOLLGATE, read_url};
use crate::tls::LazyTls;

/// Most redirects that are followed.
pub const REDIRECTS_MAX: usize = 3;

/// Most fetches at one time; others wait, within their limit.
pub const FETCHES_AT_ONCE_MAX: usize = 32;

/// What may be fetched.
#[derive(Debug, Clone, Copy)]
pub struct FetchRules<'a> {
    /// Hosts, in lower case and without a port, at whatever address they are.
    pub allowed_hosts: &'a [Box<str>],
    /// The largest body, in bytes.
    pub bytes_max: usize,
    /// How long it may take, all in all.
    pub total: Duration,
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its media type, such as `image/png`, without parameters.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Why something was not fetched. None of these repeats the address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FetchError {
    /// The address is none that is fetched from.
    #[error("the address is not fetched from: {0}")]
    Address(String),
    /// The host is none that is fetched from.
    #[error("its host is not at a public address")]
    NotPublic,
    /// There is no answer.
    #[error("its host cannot be reached")]
    Unreachable,
    /// It took too long.
    #[error("it took longer than {0:?}")]
    Late(Duration),
    /// The answer is none of success.
    #[error("its host answered with status {0}")]
    Status(u16),
    /// It was sent elsewhere too often.
    #[error("it is redirected more than {REDIRECTS_MAX} times")]
    Redirected,
    /// It is no picture and no PDF.
    #[error("it is neither a picture nor a PDF but `{0}`")]
    MediaType(String),
    /// It is too large.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
}

/// Fetches. Clones share the limit of fetches at one time.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    tls: Arc<LazyTls>,
    places: Arc<Semaphore>,
}

/// Where a fetch stands after an answer.
enum Step {
    Done(Fetched),
    Elsewhere(Uri),
}

impl Fetcher {
    pub(crate) fn new(tls: Arc<LazyTls>) -> Self {
        Self { tls, places: Arc::new(Semaphore::new(FETCHES_AT_ONCE_MAX)) }
    }

    /// # Errors
    /// [`FetchError`] with the reason.
    pub(crate) async fn fetch(
        &self,
        url: &str,
        rules: FetchRules<'_>,
    ) -> Result<Fetched, FetchError> {
        let fetching = async {
            let Ok(_place) = self.places.acquire().await else {
                return Err(FetchError::Unreachable);
            };
            let mut at = sound(url)?;
            for _ in 0..=REDIRECTS_MAX {
                match self.step(&at, rules).await? {
                    Step::Done(fetched) => return Ok(fetched),
                    Step::Elsewhere(next) => at = next,
                }
            }
            Err(FetchError::Redirected)
        };
        let late = FetchError::Late(rules.total);
        tokio::time::timeout(rules.total, fetching).await.unwrap_or(Err(late))
    }

    async fn step(&self, at: &Uri, rules: FetchRules<'_>) -> Result<Step, FetchError> {
        let answer = self.ask(at, rules).await?;
        if answer.status().is_redirection() {
            let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let Some(location) = location else {
                return Err(FetchError::Status(answer.status().as_u16()));
            };
            return Ok(Step::Elsewhere(sound(&joined(at, location))?));
        }
        if answer.status() != http::StatusCode::OK {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let media_type = media_type(&answer)?;
        let bytes = body(answer, rules.bytes_max).await?;
        Ok(Step::Done(Fetched { media_type, bytes }))
    }

    async fn ask(&self, at: &Uri, rules: FetchRules<'_>) -> Result<Response<Incoming>, FetchError> {
        let host = at.host().unwrap_or_default().to_ascii_lowercase();
        let allowed = rules.allowed_hosts.iter().any(|known| **known == *host);
        // A literal address is never looked up, so that it is checked here.
        if !allowed && is_public_literal(&host) == Some(false) {
            return Err(FetchError::NotPublic);
        }
        let mut tcp = HttpConnector::new_with_resolver(Guard::new(allowed));
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(rules.total));
        let tls = self.tls.config().await.map_err(|_| FetchError::Unreachable)?;
        let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .http1_max_buf_size(ANSWER_HEAD_BYTES_MAX)
            .http1_max_headers(ANSWER_HEADERS_MAX)
            .build(HttpsConnector::from((tcp, tls)));
        let mut request = Request::new(Empty::new());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = at.clone();
        request.headers_mut().insert(USER_AGENT, TOLLGATE);
        request.headers_mut().insert(ACCEPT, TAKEN);
        client.request(request).await.map_err(|error| {
            if chain(&error).contains(address::NOT_PUBLIC) {
                FetchError::NotPublic
            } else {
                FetchError::Unreachable
            }
        })
    }
}

/// An address that is fetched from: `http` or `https`, and no user in it.
fn sound(url: &str) -> Result<Uri, FetchError> {
    let url = url.split('#').next().unwrap_or_default();
    read_url(url.to_owned()).map_err(|error| FetchError::Address(error.to_string()))
}

/// Where a redirect leads (RFC 3986, 5.2, without dot segments, which servers resolve).
fn joined(at: &Uri, location: &str) -> String {
    let scheme = at.scheme_str().unwrap_or_default();
    let authority = at.authority().map(Authority::as_str).unwrap_or_default();
    if location.split(['/', '?', '#']).next().is_some_and(|start| start.contains(':')) {
        return location.to_owned();
    }
    if let Some(rest) = location.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    if location.starts_with('/') {
        return format!("{scheme}://{authority}{location}");
    }
    let folder = at.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{scheme}://{authority}{folder}/{location}")
}

fn media_type(answer: &Response<Incoming>) -> Result<String, FetchError> {
    let said = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let plain = said.and_then(|said| said.split(';').next()).unwrap_or_default();
    let plain = plain.trim().to_ascii_lowercase();
    if plain.starts_with("image/") || plain == "application/pdf" {
        Ok(plain)
    } else {
        Err(FetchError::MediaType(plain.chars().take(MEDIA_TYPE_SHOWN_MAX).collect()))
    }
}

async fn body(answer: Response<Incoming>, bytes_max: usize) -> Result<Bytes, FetchError> {
    let declared = answer.body().size_hint().lower();
    if declared > bytes_max as u64 {
        return Err(FetchError::TooLarge(bytes_max));
    }
    match Limited::new(answer.into_body(), bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(FetchError::TooLarge(bytes_max)),
        Err(_) => Err(FetchError::Unreachable),
    }
}

/// Most characters of a foreign media type that are repeated.
const MEDIA_TYPE_SHOWN_MAX: usize = 60;

/// What is asked for.
const TAKEN: http::HeaderValue = http::HeaderValue::from_static("image/*, application/pdf");

#[cfg(test)]
mod tests;
