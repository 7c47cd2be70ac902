//! Proxies between us and the upstreams, in the manner of `HTTP_PROXY`, `HTTPS_PROXY` and
//! `NO_PROXY`.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use thiserror::Error;
use tollgate_domain::Secret;

/// Which upstreams are reached through which proxy. Its `Debug` shows no credentials.
///
/// An `http` upstream is asked for through the proxy; to an `https` one the proxy opens a tunnel,
/// so that it sees only the host. The connection to the proxy itself is plain HTTP.
#[derive(Clone)]
pub struct ProxySettings(Arc<Matcher>);

/// Why a proxy cannot be used. The URL is not repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProxyError {
    /// It is not a URL such as `http://proxy:3128` or `http://user:password@proxy:3128`.
    #[error("the proxy for `{0}` upstreams is not a URL such as `http://proxy:3128`")]
    NotAUrl(&'static str),
    /// Its scheme is another than `http`.
    #[error(
        "the proxy for `{upstreams}` upstreams has the scheme `{scheme}`; only `http` is supported"
    )]
    Scheme {
        /// The scheme of the upstreams.
        upstreams: &'static str,
        /// The scheme of the proxy.
        scheme: String,
    },
}

impl ProxySettings {
    /// The proxy for `http` upstreams, that for `https` upstreams, and the hosts that are reached
    /// without: names (which include their subdomains), addresses and networks such as
    /// `10.0.0.0/8`, separated by commas, or `*`.
    ///
    /// # Errors
    /// [`ProxyError`] for the first proxy that cannot be used.
    pub fn new(
        http: Option<&Secret>,
        https: Option<&Secret>,
        no_proxy: &str,
    ) -> Result<Self, ProxyError> {
        check("http", http)?;
        check("https", https)?;
        let mut builder = Matcher::builder().no(no_proxy);
        if let Some(http) = http {
            builder = builder.http(http.expose());
        }
        if let Some(https) = https {
            builder = builder.https(https.expose());
        }
        Ok(Self(Arc::new(builder.build())))
    }

    /// The proxy through which this upstream is reached, if any.
    pub(crate) fn intercept(&self, upstream: &Uri) -> Option<Intercept> {
        self.0.intercept(upstream)
    }
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The matcher passes over what it cannot read; we ask it to find out.
fn check(upstreams: &'static str, proxy: Option<&Secret>) -> Result<(), ProxyError> {
    let Some(proxy) = proxy else { return Ok(()) };
    let probe = Matcher::builder().all(proxy.expose()).build();
    let found = probe.intercept(&Uri::from_static("http://upstream.invalid/"));
    let found = found.ok_or(ProxyError::NotAUrl(upstreams))?;
    match found.uri().scheme_str() {
        Some("http") => Ok(()),
        scheme => {
            Err(ProxyError::Scheme { upstreams, scheme: scheme.unwrap_or_default().to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Option<Secret> {
        Some(Secret::new(text))
    }

    fn settings(http: &str, https: &str, no: &str) -> Result<ProxySettings, ProxyError> {
        ProxySettings::new(secret(http).as_ref(), secret(https).as_ref(), no)
    }

    #[test]
    fn the_scheme_of_the_upstream_decides_the_proxy() {
        let settings = settings("http://plain:1", "secure:2", "inside.test, 10.0.0.0/8");
        let settings = settings.expect("settings");
        let via = |upstream: &'static str| {
            let found = settings.intercept(&Uri::from_static(upstream));
            found.map(|proxy| proxy.uri().authority().map(ToString::to_string).unwrap_or_default())
        };
        assert_eq!(via("http://a.test/v1").as_deref(), Some("plain:1"));
        assert_eq!(via("https://a.test/v1").as_deref(), Some("secure:2"));
        for direct in ["http://inside.test/", "https://x.inside.test/", "http://10.1.2.3/"] {
            assert_eq!(via(direct), None, "{direct}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_refused_without_repeating_it() {
        for (proxy, reason) in [
            ("http://", "not a URL"),
            ("a b", "not a URL"),
            ("socks5://user:hunter2@proxy:1", "`socks5`"),
            ("https://user:hunter2@proxy:1", "`https`"),
        ] {
            let error = settings(proxy, "http://ok:1", "*").expect_err(proxy).to_string();
            assert!(error.contains(reason) && error.contains("`http` upstreams"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let settings = settings("http://user:hunter2@proxy:1", "http://b:2", "").expect("settings");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
