//! LiteLLM's encrypted values (litellm/database.md "Encodings").
//!
//! Three forms stand beside each other in one database, told apart by how they begin:
//!
//! - `v3:gcm:` AES-256-GCM, the key by HKDF-SHA256 without salt and with the info
//!   `litellm-at-rest-v3`;
//! - `v2:gcm:` AES-256-GCM, the key one SHA-256 of the salt key;
//! - anything else: NaCl SecretBox (XSalsa20-Poly1305), the same key.
//!
//! What follows is base64 in the URL alphabet: the nonce, then the ciphertext with its tag.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use sha2::{Digest as _, Sha256};
use tollgate_domain::Secret;

/// Reads values that were encrypted with one salt key.
pub struct SaltKey {
    sealed: [u8; 32],
    derived: [u8; 32],
}

impl SaltKey {
    /// The keys that a salt key stands for: `LITELLM_SALT_KEY`, or the master key where that was
    /// never set.
    #[must_use]
    pub fn new(salt_key: &Secret) -> Self {
        let text = salt_key.expose().as_bytes();
        let mut derived = [0; 32];
        // Thirty-two bytes are one block of the derivation, which never fails.
        let filled = Salt::new(HKDF_SHA256, &[])
            .extract(text)
            .expand(&[HKDF_INFO], HKDF_SHA256)
            .and_then(|key| key.fill(&mut derived));
        debug_assert!(filled.is_ok(), "one block is never too much");
        Self { sealed: Sha256::digest(text).into(), derived }
    }

    /// The value that a text holds; `None` when it was not encrypted with this key, or at all.
    #[must_use]
    pub fn decrypt(&self, text: &str) -> Option<Secret> {
        let plain = if let Some(rest) = text.strip_prefix("v3:gcm:") {
            gcm(&self.derived, rest)?
        } else if let Some(rest) = text.strip_prefix("v2:gcm:") {
            gcm(&self.sealed, rest)?
        } else {
            self.secret_box(text)?
        };
        String::from_utf8(plain).ok().map(Secret::new)
    }

    fn secret_box(&self, text: &str) -> Option<Vec<u8>> {
        let bytes = decoded(text)?;
        let (nonce, sealed) = bytes.split_at_checked(SECRET_BOX_NONCE_BYTES)?;
        XSalsa20Poly1305::new(&self.sealed.into()).decrypt(nonce.into(), sealed).ok()
    }
}

impl std::fmt::Debug for SaltKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SaltKey(…)")
    }
}

fn gcm(key: &[u8; 32], text: &str) -> Option<Vec<u8>> {
    let mut bytes = decoded(text)?;
    if bytes.len() < GCM_NONCE_BYTES {
        return None;
    }
    let mut sealed = bytes.split_off(GCM_NONCE_BYTES);
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(&bytes).ok()?;
    let plain = key.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
    Some(plain.to_vec())
}

/// Base64 in the URL alphabet, or in the usual one, which older versions wrote.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    URL_SAFE
        .decode(text)
        .or_else(|_| URL_SAFE_NO_PAD.decode(text))
        .or_else(|_| STANDARD.decode(text))
        .ok()
}

const HKDF_INFO: &[u8] = b"litellm-at-rest-v3";
const SECRET_BOX_NONCE_BYTES: usize = 24;
const GCM_NONCE_BYTES: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SaltKey {
        SaltKey::new(&Secret::new("sk-salt"))
    }

    #[test]
    fn every_form_that_others_wrote_reads() {
        // Written by PyNaCl 1.6 and by Python's `cryptography` 50 with this salt key.
        for text in [SECRET_BOX, V2, V3] {
            let plain = key().decrypt(text).expect("it was encrypted with this key");
            assert_eq!(plain.expose(), "sk-upstream-ü");
        }
    }

    #[test]
    fn another_key_or_a_changed_text_gives_nothing() {
        let other = SaltKey::new(&Secret::new("sk-other"));
        for text in [SECRET_BOX, V2, V3] {
            assert!(other.decrypt(text).is_none());
            // A character well before the end, so that it is not padding.
            let (start, rest) = text.split_at(text.len() - 8);
            let other = if rest.starts_with('A') { "B" } else { "A" };
            let changed = format!("{start}{other}{}", &rest[1..]);
            assert!(key().decrypt(&changed).is_none(), "{changed}");
        }
        for text in ["", "sk-plain-text", "v2:gcm:", "v3:gcm:AAAA", "os.environ/KEY", "é"] {
            assert!(key().decrypt(text).is_none(), "{text}");
        }
    }

    const SECRET_BOX: &str =
        "A9GxYrrBm9cP866iBIGbXZ4CZxywHgjC-krQzbVqkUq2ZCTTalbtZrFh9SUmFrPIF-oSNI5q";
    const V2: &str = "v2:gcm:5EukeHpFA84eGh8tF8n-k48qqf4hB8GqIihqBp4cyobCFdRUEbxkPoNL";
    const V3: &str = "v3:gcm:qbGvyOsf_Ak-MIrHNqeKUZvHVZNhfosQm9WgovhnxpH1FC33atmm7QMi";
}
