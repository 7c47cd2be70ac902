//! The same Messages body for platforms that wrap it: what stands in their address leaves the
//! body, what the API takes as headers comes into it, and their streams are unwrapped.
//!
//! The body is only ever spliced, so that caches and signatures, which are bound to its exact
//! bytes, hold on every platform.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

use super::error::write_event;
use crate::json::{Malformed, Object, Raw, Splice, quoted};

/// How a platform takes a Messages body (the vendor's guides for each platform).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// As the API itself does: nothing changes.
    #[default]
    Plain,
    /// `rawPredict` and `streamRawPredict`: the model stands in the address.
    Vertex,
    /// `invoke` and `invoke-with-response-stream`: the model and whether the answer streams stand
    /// in the address.
    BedrockInvoke,
}

impl Envelope {
    /// The body as the platform takes it. `version` and `betas` are what the API takes as the
    /// headers `anthropic-version` and `anthropic-beta`; without a version the platform's usual
    /// one is written. What the client's body says of them itself stays.
    ///
    /// # Errors
    /// [`Malformed`] when the body is not a JSON object.
    pub fn wrap(
        self,
        body: Bytes,
        version: Option<&str>,
        betas: &[&str],
    ) -> Result<Bytes, Malformed> {
        let Some(usual) = self.usual_version() else { return Ok(body) };
        let layout = Object::scan(&body)?.layout();
        let mut splice = Splice::owning(body, layout);
        splice.remove("model");
        if self == Self::BedrockInvoke {
            splice.remove("stream");
        }
        if splice.value("anthropic_version").is_none() {
            splice.set("anthropic_version", quoted(version.unwrap_or(usual)));
        }
        if splice.value("anthropic_beta").is_none() && !betas.is_empty() {
            let betas: Vec<String> = betas.iter().map(|beta| quoted(beta)).collect();
            splice.set("anthropic_beta", format!("[{}]", betas.join(",")));
        }
        Ok(splice.finish())
    }

    const fn usual_version(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Vertex => Some("vertex-2023-10-16"),
            Self::BedrockInvoke => Some("bedrock-2023-05-31"),
        }
    }
}

/// The JSON of a Messages stream event from the payload of a `chunk`, the event of an AWS stream
/// that wraps it: `{"bytes": "<base64>"}`, other members aside.
///
/// # Errors
/// What is wrong with the payload.
pub fn unwrap_chunk(payload: &[u8]) -> Result<Bytes, String> {
    let object = Object::scan(payload).map_err(|malformed| malformed.to_string())?;
    let wrapped = object.value("bytes").and_then(Raw::text);
    let wrapped = wrapped.ok_or("`bytes` of a `chunk` is missing or no string")?;
    let json = STANDARD.decode(wrapped.as_bytes());
    json.map(Bytes::from).map_err(|error| format!("`bytes` of a `chunk` is no base64: {error}"))
}

/// The name of a Messages stream event, which its JSON repeats; `None` where it names none.
#[must_use]
pub fn event_name(json: &[u8]) -> Option<String> {
    let object = Object::scan(json).ok()?;
    object.value("type").and_then(Raw::text).map(String::from)
}

/// The Messages stream event, framed as the API frames it, from the payload of a `chunk`.
///
/// # Errors
/// What is wrong with the payload.
pub fn unwrap_event(payload: &[u8]) -> Result<Bytes, String> {
    let json = unwrap_chunk(payload)?;
    let name = event_name(&json).filter(|name| !name.contains(['\n', '\r']));
    let name = name.ok_or("a `chunk` holds no event of a name")?;
    let mut out = Vec::with_capacity(json.len() + 2 * name.len());
    write_event(&mut out, &name, &json);
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Deserialize)]
    struct Named {
        envelope: Envelope,
    }

    fn wrapped(envelope: &str, body: &str, version: Option<&str>, betas: &[&str]) -> String {
        let text = format!("envelope = \"{envelope}\"");
        let named: Named = toml::from_str(&text).expect("a known envelope");
        let body = Bytes::copy_from_slice(body.as_bytes());
        let wrapped = named.envelope.wrap(body, version, betas).expect("an object");
        String::from_utf8(wrapped.into()).expect("UTF-8")
    }

    #[test]
    fn only_what_the_platform_has_elsewhere_is_spliced() {
        let body = r#"{ "model":"m", "stream": true,"temperature":1e-1,"x":{"model":1} }"#;
        for (envelope, version, betas, expected) in [
            ("plain", Some("2023-06-01"), &["b"][..], body),
            (
                "vertex",
                None,
                &[],
                r#"{ "stream": true,"temperature":1e-1,"x":{"model":1},"anthropic_version":"vertex-2023-10-16" }"#,
            ),
            (
                "vertex",
                Some("2026-10-21"),
                &["a", "b"],
                r#"{ "stream": true,"temperature":1e-1,"x":{"model":1},"anthropic_version":"2026-10-21","anthropic_beta":["a","b"] }"#,
            ),
            (
                "bedrock_invoke",
                None,
                &["a"],
                r#"{ "temperature":1e-1,"x":{"model":1},"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a"] }"#,
            ),
        ] {
            assert_eq!(wrapped(envelope, body, version, betas), expected, "{envelope}");
        }
    }

    #[test]
    fn what_the_client_says_of_version_and_betas_stays() {
        let body = r#"{"anthropic_version":"2026-10-21","anthropic_beta":["mine"],"model":"m"}"#;
        let expected = r#"{"anthropic_version":"2026-10-21","anthropic_beta":["mine"]}"#;
        assert_eq!(wrapped("bedrock_invoke", body, Some("v"), &["ours"]), expected);
        let empty = wrapped("bedrock_invoke", r#"{"anthropic_version":null}"#, Some("v"), &[]);
        assert_eq!(empty, r#"{"anthropic_version":"v"}"#);
    }

    #[test]
    fn a_body_that_is_no_object_is_malformed() {
        let body = Bytes::from_static(b"[]");
        assert!(Envelope::Vertex.wrap(body.clone(), None, &[]).is_err());
        assert_eq!(
            Envelope::Plain.wrap(body.clone(), None, &[]),
            Ok(body),
            "a plain body is not read"
        );
    }

    #[test]
    fn a_chunk_becomes_the_event_that_it_wraps() {
        // {"type":"message_stop"}
        let payload = br#"{"bytes":"eyJ0eXBlIjoibWVzc2FnZV9zdG9wIn0=","p":"abcd"}"#;
        assert_eq!(unwrap_chunk(payload).expect("whole"), r#"{"type":"message_stop"}"#);
        let event = unwrap_event(payload).expect("an event");
        assert_eq!(event, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
        for broken in ["", "{}", r#"{"bytes":7}"#, r#"{"bytes":"e"}"#, r#"{"bytes":"e30="}"#] {
            assert!(unwrap_event(broken.as_bytes()).is_err(), "{broken}");
        }
        assert_eq!(event_name(b"{}"), None);
        assert_eq!(event_name(b"nonsense"), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            _ = unwrap_event(&bytes);
            _ = event_name(&bytes);
            _ = Envelope::BedrockInvoke.wrap(bytes.into(), None, &["b"]);
        }
    }
}
