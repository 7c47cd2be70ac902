//! Virtual keys: the text a client holds, and the hash the gateway keeps.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::Secret;

/// Shortest key that a caller may choose, in bytes.
const KEY_BYTES_MIN: usize = 16;
/// Longest key that is accepted, in bytes.
const KEY_BYTES_MAX: usize = 512;

/// The text of a virtual key: `sk-` and at least thirteen more characters.
#[derive(Debug, Clone)]
pub struct VirtualKey(Secret);

/// Why a text is not a virtual key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VirtualKeyError {
    /// It does not start with `sk-`.
    #[error("a virtual key starts with `sk-`")]
    Prefix,
    /// It has fewer than 16 or more than 512 bytes.
    #[error("a virtual key has {KEY_BYTES_MIN} to {KEY_BYTES_MAX} bytes")]
    Length,
    /// It holds something else than visible ASCII.
    #[error("a virtual key is visible ASCII without spaces")]
    Character,
}

impl VirtualKey {
    /// Takes the text of a key.
    ///
    /// # Errors
    /// [`VirtualKeyError`] says which rule the text breaks; it never repeats the text.
    pub fn new(text: &str) -> Result<Self, VirtualKeyError> {
        Self::check(text)?;
        Ok(Self(Secret::new(text)))
    }

    /// Whether a text could be a key, without taking it.
    ///
    /// # Errors
    /// As [`VirtualKey::new`].
    pub fn check(text: &str) -> Result<(), VirtualKeyError> {
        if !text.starts_with("sk-") {
            return Err(VirtualKeyError::Prefix);
        }
        if !(KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&text.len()) {
            return Err(VirtualKeyError::Length);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(VirtualKeyError::Character);
        }
        Ok(())
    }

    /// The key's hash, which is all that is stored of it.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(self.0.expose())
    }

    /// What people may see of the key: `sk-...` and its last four characters.
    #[must_use]
    pub fn display_name(&self) -> String {
        let text = self.0.expose();
        format!("sk-...{}", &text[text.len() - 4..])
    }

    /// The text itself, shown once to whoever created the key.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The SHA-256 of a key's full text, which is LiteLLM's scheme, so that imported keys keep working.
///
/// It has no `Display` and its `Debug` shows nothing: whoever holds the hash can name the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Reads 64 lower-case or upper-case hexadecimal digits.
    #[must_use]
    pub fn parse_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The hash as 64 lower-case hexadecimal digits, for the store and for the management API's
    /// `token`.
    #[must_use]
    pub fn expose_hex(&self) -> String {
        use std::fmt::Write as _;
        self.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// A secret for another purpose, made of the key's hash, from which neither can be told.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        Self::of(&format!("{purpose}\n{}", self.expose_hex())).0
    }

    /// Whether two hashes are the same, in time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_hashed_as_litellm_hashes_it() {
        // SHA-256 of the ASCII text, from the FIPS 180-2 example `abc`.
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(KeyHash::of("abc").expose_hex(), hex);
        assert_eq!(KeyHash::parse_hex(hex), Some(KeyHash::of("abc")));
        assert!(KeyHash::of("abc").matches(&KeyHash::of("abc")));
        assert!(!KeyHash::of("abc").matches(&KeyHash::of("abd")));
    }

    #[test]
    fn neither_key_nor_hash_prints() {
        let key = VirtualKey::new("sk-0123456789abcdef").expect("a key");
        assert_eq!(key.display_name(), "sk-...cdef");
        assert!(!format!("{key:?} {:?}", key.hash()).contains("0123"));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let refused = |text: &str| VirtualKey::new(text).err();
        assert_eq!(refused("0123456789abcdef"), Some(VirtualKeyError::Prefix));
        assert_eq!(refused("sk-0123456789ab"), Some(VirtualKeyError::Length));
        assert_eq!(refused("sk-0123456789abc"), None);
        assert_eq!(refused("sk-0123456789 abcdef"), Some(VirtualKeyError::Character));
        assert_eq!(refused(&format!("sk-{}", "x".repeat(510))), Some(VirtualKeyError::Length));
        assert_eq!(KeyHash::parse_hex(&"é".repeat(32)), None);
    }
}
