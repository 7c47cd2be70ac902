//! Media that a conversation names by their address, for upstreams that want the bytes.

use bytestring::ByteString;

use crate::WireFormat;
use crate::conversation::{Conversation, Part, PartBody, Source};
use crate::formats::anthropic_messages::Envelope;
use crate::provider::Endpoint;

/// Something that a conversation names by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Where it is: `http` or `https`.
    pub url: ByteString,
    /// Where the conversation names it, such as `messages[0].content[1]`.
    pub place: String,
}

/// Whether an endpoint takes pictures as bytes only.
#[must_use]
pub fn wants_bytes(endpoint: &Endpoint) -> bool {
    endpoint.wants_bytes
        || matches!(endpoint.format, WireFormat::BedrockConverse | WireFormat::Ollama)
        || endpoint.envelope != Envelope::Plain
}

/// The pictures, and for formats that take them the documents, that are named by their address.
#[must_use]
pub fn remote_media(conversation: &Conversation, format: WireFormat) -> Vec<Remote> {
    let mut remote = Vec::new();
    for (index, message) in conversation.messages.iter().enumerate() {
        for (at, part) in message.parts.iter().enumerate() {
            let place = format!("messages[{index}].content[{at}]");
            match &part.body {
                PartBody::ToolResult(result) => {
                    let inner = result.parts.iter().enumerate();
                    remote.extend(inner.filter_map(|(within, part)| {
                        let url = url_of(part, format)?.clone();
                        Some(Remote { url, place: format!("{place}.content[{within}]") })
                    }));
                }
                _ => {
                    let url = url_of(part, format).cloned();
                    remote.extend(url.map(|url| Remote { url, place }));
                }
            }
        }
    }
    remote
}

fn url_of(part: &Part, format: WireFormat) -> Option<&ByteString> {
    let documents = !matches!(format, WireFormat::Gemini | WireFormat::Ollama);
    let source = match &part.body {
        PartBody::Image { source, .. } => source,
        PartBody::Document { source, .. } if documents => source,
        _ => return None,
    };
    match source {
        Source::Url(url) => Some(url).filter(|url| is_http(url)),
        Source::Base64 { .. } | Source::Text(_) | Source::File(_) => None,
    }
}

fn is_http(url: &str) -> bool {
    let begins = |scheme: &str| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    begins("http://") || begins("https://")
}

/// The conversation with these bytes in place of their addresses: each an address, its media type
/// and the bytes in base64.
#[must_use]
pub fn with_media(
    conversation: &Conversation,
    fetched: &[(ByteString, ByteString, ByteString)],
) -> Conversation {
    let mut conversation = conversation.clone();
    for part in conversation.messages.iter_mut().flat_map(|message| &mut message.parts) {
        match &mut part.body {
            PartBody::ToolResult(result) => {
                result.parts.iter_mut().for_each(|part| bring(&mut part.body, fetched));
            }
            body => bring(body, fetched),
        }
    }
    conversation
}

/// A PDF is a document, wherever it was named.
fn bring(body: &mut PartBody, fetched: &[(ByteString, ByteString, ByteString)]) {
    let (PartBody::Image { source, .. } | PartBody::Document { source, .. }) = body else { return };
    let Source::Url(url) = source else { return };
    let Some((_, media_type, data)) = fetched.iter().find(|(known, ..)| known == url) else {
        return;
    };
    *source = Source::Base64 { media_type: media_type.clone(), data: data.clone() };
    if let PartBody::Image { source, .. } = body
        && **media_type == *"application/pdf"
    {
        *body = PartBody::Document { source: source.clone(), name: None };
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::formats::openai_chat::to_conversation;

    #[test]
    fn what_is_named_by_its_address_is_found_and_replaced() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":[
            {"type":"text","text":"what is it"},
            {"type":"image_url","image_url":{"url":"HTTPS://a.test/cat"}},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},
            {"type":"image_url","image_url":{"url":"https://a.test/paper"}}]}]}"#;
        let c = to_conversation(&Bytes::from_static(body), None).expect("a conversation");
        let found = remote_media(&c, WireFormat::Ollama);
        let places: Vec<&str> = found.iter().map(|remote| &*remote.place).collect();
        assert_eq!(places, ["messages[0].content[1]", "messages[0].content[3]"]);
        let fetched = [
            ("HTTPS://a.test/cat".into(), "image/png".into(), "BBBB".into()),
            ("https://a.test/paper".into(), "application/pdf".into(), "CCCC".into()),
        ];
        let with = with_media(&c, &fetched);
        assert_eq!(remote_media(&with, WireFormat::BedrockConverse), []);
        let parts = &with.messages[0].parts;
        let source = |data: &'static str, media_type: &'static str| Source::Base64 {
            media_type: media_type.into(),
            data: data.into(),
        };
        let cat = source("BBBB", "image/png");
        assert!(matches!(&parts[1].body, PartBody::Image { source, .. } if *source == cat));
        let paper = source("CCCC", "application/pdf");
        assert!(matches!(&parts[3].body, PartBody::Document { source, .. } if *source == paper));
        assert_eq!(parts[2], c.messages[0].parts[2]);
    }
}
