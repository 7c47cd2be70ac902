//! Values without the secrets in them, so that a record of a change is no place to find one.

use serde_json::Value as Json;

/// Stands where a secret was.
const REDACTED: &str = "[redacted]";
/// A name that holds one of these holds a secret, if it holds text.
const SECRET_NAMES: [&str; 7] =
    ["api_key", "authorization", "credential", "password", "private_key", "secret", "token"];

/// The same value, where text under a name that promises a secret is replaced, at any depth, and
/// with it whatever looks like a key.
#[must_use]
pub fn without_secrets(value: &Json) -> Json {
    match value {
        Json::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), under_name(name, value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Json::Array(items) => items.iter().map(without_secrets).collect(),
        Json::String(text) if looks_like_key(text) => Json::from(REDACTED),
        other => other.clone(),
    }
}

fn under_name(name: &str, value: &Json) -> Json {
    let name = name.to_lowercase();
    if value.is_string() && SECRET_NAMES.iter().any(|secret| name.contains(secret)) {
        return Json::from(REDACTED);
    }
    without_secrets(value)
}

/// Whether text begins as the keys of gateways and vendors do. What people may see of a key,
/// `sk-...` and four characters, is no key.
fn looks_like_key(text: &str) -> bool {
    text.starts_with("sk-") && !text.starts_with("sk-...")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_gone_at_any_depth_and_the_rest_stays() {
        let value = json!({
            "key_name": "sk-...abcd",
            "tpm_limit": 5,
            "max_tokens": 10,
            "logging": [{"callback_vars": {"langfuse_secret_key": "x", "host": "h"}}],
            "API_KEY": "y",
            "note": "sk-real",
            "list": ["sk-real", "plain"],
        });
        let shown = without_secrets(&value);
        assert_eq!(
            shown,
            json!({
                "key_name": "sk-...abcd",
                "tpm_limit": 5,
                "max_tokens": 10,
                "logging": [{"callback_vars": {"langfuse_secret_key": "[redacted]", "host": "h"}}],
                "API_KEY": "[redacted]",
                "note": "[redacted]",
                "list": ["[redacted]", "plain"],
            })
        );
    }
}
