//! What may be shown of an entry's parameters: everything but its credentials.

use serde_json::{Map, Value as Json};

use super::identity::is_credential;
use crate::environment::reference;
use crate::price::field::is_price;
use crate::schema::KnownKeys;

/// What stands where a value is not shown.
const MASK: &str = "****";
/// Shortest credential of which the ends are shown, in characters.
const SHOWN_ENDS_MIN: usize = 24;
/// How much of each end is shown, in characters, as LiteLLM shows it.
const END: usize = 4;

/// The parameters without credentials, as LiteLLM's `/model/info` shows them.
pub(super) fn params(params: &Map<String, Json>) -> Map<String, Json> {
    let shown = params.iter().filter(|(name, value)| !is_secret(name, value));
    shown.map(|(name, value)| (name.clone(), param(name, value))).collect()
}

/// The values of a credential, those that are secret masked.
pub(super) fn values(values: &Map<String, Json>) -> Map<String, Json> {
    let shown = |(name, value): (&String, &Json)| {
        let masked = if is_secret(name, value) { mask(value) } else { param(name, value) };
        (name.clone(), masked)
    };
    values.iter().map(shown).collect()
}

/// Anything else that was written beside the parameters.
pub(super) fn described(fields: &Map<String, Json>) -> Map<String, Json> {
    let shown = fields.iter().filter(|(name, value)| !is_secret(name, value));
    shown.map(|(name, value)| (name.clone(), nested(value))).collect()
}

fn is_secret(name: &str, value: &Json) -> bool {
    let says_nothing = matches!(value, Json::Null | Json::Bool(_) | Json::Number(_));
    !says_nothing && name != "litellm_credential_name" && is_credential(name)
}

/// A parameter whose name does not say that it is secret. A text under a name that nobody knows may
/// still be.
fn param(name: &str, value: &Json) -> Json {
    match value {
        Json::String(text) if reference(text).is_some() => value.clone(),
        Json::String(text) if is_known(name) => Json::from(without_password(text)),
        Json::String(_) => Json::from(MASK),
        other => nested(other),
    }
}

fn nested(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(nested).collect(),
        Json::Object(fields) => Json::Object(described(fields)),
        Json::String(text) => Json::from(without_password(text)),
        Json::Null | Json::Bool(_) | Json::Number(_) => value.clone(),
    }
}

fn is_known(name: &str) -> bool {
    KnownKeys::LITELLM_PARAMS.contains(name)
        || KnownKeys::BODY.contains(name)
        || is_price(name)
        || name.ends_with("timeout")
}

fn mask(value: &Json) -> Json {
    let Json::String(text) = value else { return Json::from(MASK) };
    if reference(text).is_some() {
        return value.clone();
    }
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < SHOWN_ENDS_MIN {
        return Json::from(MASK);
    }
    let start: String = chars[..END].iter().collect();
    let end: String = chars[chars.len() - END..].iter().collect();
    Json::from(format!("{start}{MASK}{end}"))
}

/// A URL without what stands before its host.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((user, _)) => format!("{scheme}://{}", &rest[user.len() + 1..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &Json) -> &Map<String, Json> {
        value.as_object().expect("an object")
    }

    #[test]
    fn credentials_are_not_among_what_is_shown() {
        let given = json!({
            "model": "azure/gpt-4o",
            "api_key": "secret",
            "api_base": "https://me:secret@host/v1",
            "azure_ad_token": "secret",
            "extra_headers": {"x": "secret"},
            "vertex_credentials": {"private_key": "secret"},
            "extra_body": {"user": "u", "token": "secret", "more": [{"password": "secret"}]},
            "my_own": "secret",
            "litellm_credential_name": "shared",
            "api_version": "os.environ/VERSION",
            "max_tokens": 5,
            "input_cost_per_token": "0.1"
        });
        let expected = json!({
            "model": "azure/gpt-4o",
            "api_base": "https://host/v1",
            "extra_body": {"user": "u", "more": [{}]},
            "my_own": "****",
            "litellm_credential_name": "shared",
            "api_version": "os.environ/VERSION",
            "max_tokens": 5,
            "input_cost_per_token": "0.1"
        });
        assert_eq!(&params(object(&given)), object(&expected));
    }

    #[test]
    fn of_a_long_credential_the_ends_are_shown_and_of_a_short_one_nothing() {
        let given = json!({
            "api_key": "sk-0123456789abcdefghijkl",
            "password": "short",
            "client_secret": "os.environ/SECRET",
            "api_base": "https://host/v1"
        });
        let expected = json!({
            "api_key": "sk-0****ijkl",
            "password": "****",
            "client_secret": "os.environ/SECRET",
            "api_base": "https://host/v1"
        });
        assert_eq!(&values(object(&given)), object(&expected));
    }
}
