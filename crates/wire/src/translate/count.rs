//! Requests that only count, at providers that count themselves: the body, and what comes back.
//!
//! Only a client's own format is counted; a translation would be another text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::formats::anthropic_messages::Envelope;
use crate::json::write::object;
use crate::json::{Malformed, Object, Raw, Splice, quoted};
use crate::{Endpoint, WireFormat};

/// Members of a Messages body that a count does not take (anthropic.md, count_tokens).
const NOT_COUNTED: [&str; 5] = ["max_tokens", "stream", "temperature", "top_k", "top_p"];

/// The body that has an endpoint count a request in its own format; `None` where it cannot count
/// such a request. `betas` are the features that the client names in its headers.
///
/// # Errors
/// [`Malformed`] when the body is no JSON object.
pub fn count_body(
    endpoint: &Endpoint,
    body: &Bytes,
    model: &str,
    betas: &[&str],
) -> Result<Option<Bytes>, Malformed> {
    let object = Object::scan(body)?;
    let mut splice = Splice::new(body, &object);
    match endpoint.format {
        WireFormat::AnthropicMessages => {
            NOT_COUNTED.iter().for_each(|name| splice.remove(name));
            splice.set("model", quoted(model));
            let wrapped = endpoint.envelope.wrap(splice.finish(), None, betas)?;
            Ok(Some(match endpoint.envelope {
                Envelope::Plain => wrapped,
                Envelope::Vertex => with_model(&wrapped, model)?,
                Envelope::BedrockInvoke => invocation(&wrapped),
            }))
        }
        // A whole request inside of it names its model once more.
        WireFormat::Gemini if object.value("contents").is_some() => {
            splice.remove("model");
            Ok(Some(splice.finish()))
        }
        WireFormat::Gemini
        | WireFormat::OpenAiChat
        | WireFormat::OpenAiResponses
        | WireFormat::BedrockConverse
        | WireFormat::Cohere
        | WireFormat::Ollama => Ok(None),
    }
}

/// The address of this count does not name the model.
fn with_model(body: &Bytes, model: &str) -> Result<Bytes, Malformed> {
    let mut splice = Splice::new(body, &Object::scan(body)?);
    splice.set("model", quoted(model));
    Ok(splice.finish())
}

/// The body of an invocation as `count-tokens` takes it (bedrock.md).
fn invocation(body: &[u8]) -> Bytes {
    let mut out = Vec::new();
    object(&mut out, |o| {
        o.object("input", |o| {
            o.object("invokeModel", |o| _ = o.string("body", &STANDARD.encode(body)));
        });
    });
    out.into()
}

/// The count in the answer; `None` where there is none.
#[must_use]
pub fn read_count(endpoint: &Endpoint, body: &[u8]) -> Option<u64> {
    let object = Object::scan(body).ok()?;
    let name = match (endpoint.format, endpoint.envelope) {
        (WireFormat::Gemini, _) => "totalTokens",
        (_, Envelope::BedrockInvoke) => "inputTokens",
        _ => "input_tokens",
    };
    object.value(name).and_then(Raw::whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;

    fn endpoint(provider: &str, format: WireFormat) -> Endpoint {
        let catalog = Catalog::embedded().expect("the catalog");
        let provider = catalog.find(provider).expect("a provider");
        let mut endpoints = provider.endpoints.iter();
        endpoints.find(|at| at.format == format).expect("an endpoint").clone()
    }

    fn body_at(provider: &str, format: WireFormat, body: &'static str) -> Option<String> {
        let endpoint = endpoint(provider, format);
        assert!(endpoint.counting().is_some(), "{provider} counts");
        let body = Bytes::from_static(body.as_bytes());
        let counted = count_body(&endpoint, &body, "claude-x", &["b-1"]).expect("JSON");
        counted.map(|body| String::from_utf8(body.to_vec()).expect("text"))
    }

    const MESSAGES: &str = r#"{"model":"m", "max_tokens":9,"stream":true,"top_p":1,"x":[1.50]}"#;

    #[test]
    fn a_body_is_what_the_endpoint_counts() {
        let claude = WireFormat::AnthropicMessages;
        assert_eq!(
            body_at("anthropic", claude, MESSAGES).as_deref(),
            Some(r#"{"model":"claude-x","x":[1.50]}"#)
        );
        let vertex = body_at("vertex_ai", claude, MESSAGES).expect("a body");
        for member in [r#""model":"claude-x""#, r#""anthropic_version":"vertex-2023-10-16""#] {
            assert!(vertex.contains(member), "{vertex}");
        }
        let bedrock = body_at("bedrock", claude, MESSAGES).expect("a body");
        let inner = bedrock.strip_prefix(r#"{"input":{"invokeModel":{"body":""#);
        let inner = inner.and_then(|rest| rest.strip_suffix(r#""}}}"#)).expect("the wrapping");
        let inner = STANDARD.decode(inner).expect("base64");
        let inner = String::from_utf8(inner).expect("text");
        assert!(inner.contains(r#""anthropic_version":"bedrock-2023-05-31""#), "{inner}");
        assert!(!inner.contains("model") && !inner.contains("max_tokens"), "{inner}");
        for provider in ["gemini", "vertex_ai"] {
            let at = |body| body_at(provider, WireFormat::Gemini, body);
            assert_eq!(at(r#"{"contents":[]}"#).as_deref(), Some(r#"{"contents":[]}"#));
            assert_eq!(at(r#"{"generateContentRequest":{}}"#), None);
        }
    }

    #[test]
    fn a_count_is_read_where_the_endpoint_says_it() {
        let (claude, gemini) = (WireFormat::AnthropicMessages, WireFormat::Gemini);
        for (provider, format, body, count) in [
            ("anthropic", claude, r#"{"input_tokens":7}"#, Some(7)),
            ("vertex_ai", claude, r#"{"input_tokens":7}"#, Some(7)),
            ("bedrock", claude, r#"{"inputTokens":7}"#, Some(7)),
            ("gemini", gemini, r#"{"totalTokens":7}"#, Some(7)),
            ("gemini", gemini, r#"{"totalTokens":-7}"#, None),
            ("anthropic", claude, "[]", None),
        ] {
            assert_eq!(read_count(&endpoint(provider, format), body.as_bytes()), count, "{body}");
        }
    }
}
