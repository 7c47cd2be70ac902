//! JSON Web Tokens: one that we sign, and the claims of one that we were given.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

/// A token signed with an RSA key in PEM (PKCS #8), by RS256.
pub(super) fn sign(claims: &Value, key_id: Option<&str>, pem: &str) -> Result<String, String> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes());
    let der = der.map_err(|_| "the private key is not PEM".to_owned())?;
    let key = KeyPair::from_pkcs8(der.secret_pkcs8_der());
    let key = key.map_err(|_| "the private key is not an RSA key".to_owned())?;
    let mut header = json!({"alg": "RS256", "typ": "JWT"});
    if let Some(key_id) = key_id {
        header["kid"] = key_id.into();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| "the private key cannot sign".to_owned())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The claims of a token, unverified: for explanations only.
pub(super) fn claims(token: &str) -> Option<Value> {
    let part = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?).ok()
}
