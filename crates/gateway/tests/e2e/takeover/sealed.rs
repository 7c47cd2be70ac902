//! Values as LiteLLM encrypts them in its database.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use serde_json::{Map, Value};

use super::SALT_KEY;

/// The members of an object, each text among them encrypted by one of these.
pub(super) fn sealed(values: &Value, seal: fn(&str) -> String) -> Value {
    let seal = |value: &Value| match value {
        Value::String(text) => Value::from(seal(text)),
        plain => plain.clone(),
    };
    let members = values.as_object().expect("an object").iter();
    members.map(|(name, value)| (name.clone(), seal(value))).collect::<Map<_, _>>().into()
}

/// The usual form: NaCl's SecretBox.
pub(super) fn secret_box(text: &str) -> String {
    let nonce = [7; 24];
    let cipher = XSalsa20Poly1305::new(&key().into());
    let sealed = cipher.encrypt(&nonce.into(), text.as_bytes()).expect("a short text");
    URL_SAFE.encode([&nonce[..], &sealed].concat())
}

/// The form of `encryption_algorithm: aes-256-gcm`.
pub(super) fn gcm(text: &str) -> String {
    let nonce = [7; 12];
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key()).expect("a key of 32 bytes"));
    let mut sealed = text.as_bytes().to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .expect("a short text");
    format!("v2:gcm:{}", URL_SAFE.encode([&nonce[..], &sealed].concat()))
}

fn key() -> [u8; 32] {
    digest(&SHA256, SALT_KEY.as_bytes()).as_ref().try_into().expect("32 bytes")
}
