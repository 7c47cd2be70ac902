//! Sealing: each secret is encrypted by itself before it is written, and bound to its place.
//!
//! XChaCha20-Poly1305 with a nonce drawn for each value; the additional data is the table, the row
//! and the field, so that nobody who writes the database can move one secret to where another
//! stands. The key is made of a text that the operator keeps outside the database.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde_json::json;
use thiserror::Error;
use tollgate_domain::{KeyHash, Random, Secret};

use crate::{Db, StoreError};

/// The setting that holds what tells whether two keys are the same.
pub(crate) const CHECK_SETTING: &str = "vault_check";
/// Length of a nonce, in bytes.
const NONCE_BYTES: usize = 24;
/// What a sealed text begins with.
const PREFIX: &str = "x1:";

/// Seals secrets and opens them again. Cloning shares the key.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
    check: String,
    random: Arc<dyn Random>,
}

/// Where a sealed value stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    pub(crate) row: &'a str,
    pub(crate) field: &'a str,
}

/// A sealed value that this key does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// It is not a sealed text.
    #[error("it is not a sealed value")]
    Malformed,
    /// It was sealed with another key, at another place, or was changed.
    #[error("it was sealed with another key, or was changed")]
    Refused,
}

/// Whether a key is the one that the database's secrets are sealed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultFit {
    /// Nothing is sealed there yet.
    Unused,
    /// It is.
    Same,
    /// It is another one: what it would seal, the other gateways could not read.
    Other,
}

impl Vault {
    /// A vault whose key is made of this text.
    #[must_use]
    pub fn new(key: &Secret, random: Arc<dyn Random>) -> Self {
        let hash = KeyHash::of(key.expose());
        let cipher = XChaCha20Poly1305::new(&hash.derive("vault seal").into());
        let check = URL_SAFE_NO_PAD.encode(&hash.derive("vault check")[..16]);
        Self { cipher, check, random }
    }

    /// Whether the database's secrets are sealed with this key.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn fit(&self, db: &Db) -> Result<VaultFit, StoreError> {
        Ok(match db.setting(CHECK_SETTING).await? {
            None => VaultFit::Unused,
            Some(check) if check == self.check => VaultFit::Same,
            Some(_) => VaultFit::Other,
        })
    }

    /// A text that is the same for the same key, from which the key cannot be told.
    pub(crate) fn check(&self) -> &str {
        &self.check
    }

    pub(crate) fn seal(&self, place: Place<'_>, secret: &Secret) -> String {
        let mut nonce = [0; NONCE_BYTES];
        self.random.fill(&mut nonce);
        let aad = place.bound();
        let payload = Payload { msg: secret.expose().as_bytes(), aad: aad.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        // The cipher takes up to 256 GiB; a request body has at most a megabyte.
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed.expect("a secret is far shorter than the cipher's limit"));
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(crate) fn open(&self, place: Place<'_>, sealed: &str) -> Result<Secret, SealError> {
        let text = sealed.strip_prefix(PREFIX).ok_or(SealError::Malformed)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::Malformed)?;
        let (nonce, msg) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Malformed)?;
        let aad = place.bound();
        let opened = self
            .cipher
            .decrypt(&XNonce::from(*nonce), Payload { msg, aad: aad.as_bytes() })
            .map_err(|_| SealError::Refused)?;
        String::from_utf8(opened).map(Secret::new).map_err(|_| SealError::Malformed)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Place<'_> {
    /// The additional data: no two places give the same text.
    fn bound(&self) -> String {
        json!([self.table, self.row, self.field]).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Randomness that repeats from test to test, never within one.
    struct Counting(AtomicU64);

    impl Random for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            let count = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            buffer.fill(0);
            buffer[..8].copy_from_slice(&count);
        }

        fn draw(&self) -> u64 {
            self.0.fetch_add(1, Ordering::Relaxed)
        }
    }

    fn vault(key: &str) -> Vault {
        Vault::new(&Secret::new(key), Arc::new(Counting(0.into())))
    }

    const HERE: Place<'_> = Place { table: "deployments", row: "a", field: "api_key" };

    #[test]
    fn a_secret_opens_with_its_key_at_its_place_and_nowhere_else() {
        let secret = Secret::new("\"sk-upstream\"");
        let sealed = vault("salt").seal(HERE, &secret);
        assert!(!sealed.contains("upstream"), "{sealed}");
        assert_eq!(vault("salt").open(HERE, &sealed), Ok(secret));
        assert_eq!(vault("other").open(HERE, &sealed), Err(SealError::Refused));
        for elsewhere in [
            Place { table: "credentials", ..HERE },
            Place { row: "b", ..HERE },
            Place { field: "aws_secret_access_key", ..HERE },
        ] {
            let opened = vault("salt").open(elsewhere, &sealed);
            assert_eq!(opened, Err(SealError::Refused), "{elsewhere:?}");
        }
    }

    #[test]
    fn equal_secrets_are_sealed_differently() {
        let vault = vault("salt");
        let secret = Secret::new("same");
        assert_ne!(vault.seal(HERE, &secret), vault.seal(HERE, &secret));
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let sealed = vault("salt").seal(HERE, &Secret::new("secret"));
        for at in PREFIX.len()..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert!(vault("salt").open(HERE, &changed).is_err(), "{at}");
        }
        for text in ["", "plain", "x1:", "x1:AAAA", "x1:é"] {
            assert_eq!(vault("salt").open(HERE, text), Err(SealError::Malformed), "{text}");
        }
    }
}
