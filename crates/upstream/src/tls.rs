//! Whom we trust: the TLS configuration, made once and not before the first `https` upstream is
//! called.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::sync::OnceCell;

/// Why the extra certificates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TlsError {
    /// The file cannot be read, or is not PEM.
    #[error("the CA file `{path}` cannot be read: {detail}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system or the reader said.
        detail: String,
    },
    /// The file has no certificate in it.
    #[error("the CA file `{path}` has no certificate in it")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A certificate of the file cannot be trusted for anything.
    #[error("the CA file `{path}` has a certificate that cannot be used: {detail}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the TLS library said.
        detail: String,
    },
}

/// The TLS configuration of a dispatcher. The system's roots cost milliseconds and memory, which a
/// gateway that only calls plain upstreams never spends.
#[derive(Debug)]
pub(crate) struct LazyTls {
    extra: Vec<CertificateDer<'static>>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl LazyTls {
    /// Reads the extra certificates now, so that a mistake in them shows at start.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, TlsError> {
        let extra = ca_file.map_or(Ok(Vec::new()), read_certificates)?;
        Ok(Self { extra, config: OnceCell::new() })
    }

    /// The configuration; made on a thread that may block, by the first who asks.
    pub(crate) async fn config(&self) -> io::Result<Arc<ClientConfig>> {
        let made = self.config.get_or_try_init(|| {
            let extra = self.extra.clone();
            async move {
                let made = tokio::task::spawn_blocking(move || client_config(&extra)).await;
                made.map_err(io::Error::other)?.map_err(io::Error::other)
            }
        });
        made.await.cloned()
    }
}

fn client_config(extra: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(extra))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The system's roots, or Mozilla's where the system has none (a container made from scratch), and
/// the extra ones.
fn roots(extra: &[CertificateDer<'static>]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    // Each of them was accepted by an empty store before.
    roots.add_parsable_certificates(extra.iter().cloned());
    roots
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |error: rustls::pki_types::pem::Error| TlsError::Unreadable {
        path: path.to_owned(),
        detail: error.to_string(),
    };
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if certificates.is_empty() {
        return Err(TlsError::Empty { path: path.to_owned() });
    }
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        store.add(certificate.clone()).map_err(|error| TlsError::Unusable {
            path: path.to_owned(),
            detail: error.to_string(),
        })?;
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("it can be written");
        file
    }

    const CA: &str = include_str!("../tests/fixtures/ca.pem");

    #[test]
    fn a_ca_file_that_cannot_be_used_is_refused_at_once() {
        let missing = LazyTls::new(Some(Path::new("/does/not/exist.pem")));
        assert!(matches!(missing, Err(TlsError::Unreadable { .. })), "{missing:?}");
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let cut = CA.replace("-----END CERTIFICATE-----", "");
        type Expected = fn(&TlsError) -> bool;
        let cases: [(&str, Expected); 4] = [
            ("", |e| matches!(e, TlsError::Empty { .. })),
            ("not PEM at all", |e| matches!(e, TlsError::Empty { .. })),
            (broken, |e| matches!(e, TlsError::Unusable { .. })),
            (&cut, |e| matches!(e, TlsError::Unreadable { .. })),
        ];
        for (text, expected) in cases {
            let file = file(text);
            let error = LazyTls::new(Some(file.path())).expect_err(text);
            assert!(expected(&error), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn the_configuration_is_made_late_and_once() {
        let file = file(CA);
        let tls = LazyTls::new(Some(file.path())).expect("a CA file");
        assert!(!tls.config.initialized());
        let first = tls.config().await.expect("a configuration");
        let second = tls.config().await.expect("a configuration");
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(first.alpn_protocols, [b"http/1.1".to_vec()]);
    }
}
