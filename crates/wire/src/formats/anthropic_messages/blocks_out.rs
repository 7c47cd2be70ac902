//! Writing content blocks, for requests and for answers alike.

use super::names::fitted;
use super::request_out::{Block, MISSING_RESULT, PDF};
use crate::conversation::{
    Arguments, CacheHint, Citation, Part, PartBody, ReasoningBlock, Source, ToolCall, ToolResult,
};
use crate::json::write::{Array, JsonWriter, string};
use crate::json::{Object, Raw};

/// Kinds of citations that are this API's own, so that they go out as they came.
const CITATIONS: [&str; 5] = [
    "char_location",
    "page_location",
    "content_block_location",
    "web_search_result_location",
    "search_result_location",
];

/// Writes a block of a request.
pub(super) fn write_block(blocks: &mut Array<'_>, block: &Block<'_>) {
    match block {
        Block::Part(part) => write_part(blocks, part),
        Block::Text(text) => {
            blocks.object(|o| _ = o.string("type", "text").string("text", text));
        }
        Block::MissingResult(call) => {
            blocks.object(|o| {
                o.string("type", "tool_result").string("tool_use_id", &fitted(call));
                o.string("content", MISSING_RESULT).boolean("is_error", true);
            });
        }
    }
}

/// Writes a part as one block.
pub(super) fn write_part(blocks: &mut Array<'_>, part: &Part) {
    blocks.object(|o| {
        match &part.body {
            PartBody::Text { text, citations } => write_text(o, text, citations),
            PartBody::Refusal { text } => write_text(o, text, &[]),
            PartBody::Image { source, .. } => write_media(o, source, false, None),
            PartBody::Document { source, name } => write_media(o, source, true, name.as_deref()),
            // Nothing here takes sound: a request that holds some is refused before it is written,
            // and of an answer the sound is left out.
            PartBody::Audio { .. } => write_text(o, "", &[]),
            PartBody::ToolCall(call) => write_call(o, call),
            PartBody::ToolResult(result) => write_result(o, result),
            PartBody::Reasoning(block) => write_reasoning(o, block),
        }
        write_cache(o, part.cache);
    });
}

fn write_text(o: &mut JsonWriter<'_>, text: &str, citations: &[Citation]) {
    o.string("type", "text").string("text", text);
    if !citations.is_empty() {
        o.array("citations", |a| {
            for citation in citations {
                write_citation(a, citation);
            }
        });
    }
}

fn write_citation(citations: &mut Array<'_>, citation: &Citation) {
    citations.raw(&citation_json(citation));
}

/// A citation as JSON: as it came where it is this API's own, else as a result of a search.
pub(super) fn citation_json(citation: &Citation) -> String {
    let own = Object::scan(citation.raw.as_bytes()).is_ok_and(|object| {
        let kind = object.value("type").and_then(Raw::text);
        kind.is_some_and(|kind| CITATIONS.contains(&&*kind))
    });
    if own {
        return citation.raw.to_string();
    }
    let mut out = Vec::new();
    crate::json::write::object(&mut out, |o| {
        o.string("type", "web_search_result_location").string("cited_text", "");
        o.string("url", citation.url.as_deref().unwrap_or_default());
        match &citation.title {
            Some(title) => o.string("title", title),
            None => o.null("title"),
        };
        o.string("encrypted_index", "");
    });
    String::from_utf8(out).unwrap_or_default()
}

fn write_media(o: &mut JsonWriter<'_>, source: &Source, document: bool, title: Option<&str>) {
    let document = is_document(source, document);
    o.string("type", if document { "document" } else { "image" });
    o.object("source", |o| {
        match source {
            Source::Url(url) => o.string("type", "url").string("url", url),
            Source::File(id) => o.string("type", "file").string("file_id", id),
            Source::Text(text) => {
                o.string("type", "text").string("media_type", "text/plain").string("data", text)
            }
            Source::Base64 { media_type, data } => {
                o.string("type", "base64").string("media_type", media_type).string("data", data)
            }
        };
    });
    if let Some(title) = title.filter(|_| document) {
        o.string("title", title);
    }
}

/// Whether a source in base64 is a document rather than a picture, whatever the client called it.
fn is_document(source: &Source, called_document: bool) -> bool {
    match source {
        Source::Base64 { media_type, .. } => &**media_type == PDF,
        Source::Text(_) => true,
        Source::Url(_) | Source::File(_) => called_document,
    }
}

fn write_call(o: &mut JsonWriter<'_>, call: &ToolCall) {
    o.string("type", "tool_use").string("id", &fitted(&call.id));
    o.string("name", &fitted(&call.name));
    o.raw("input", &input_json(&call.arguments));
}

/// Arguments as the object that the API wants. Text that is no object stands under a name of its
/// own, so that nothing the model said is lost.
pub(in crate::formats) fn input_json(arguments: &Arguments) -> String {
    let (name, text) = match arguments {
        Arguments::Json(json) if json.trim().is_empty() => return "{}".to_owned(),
        Arguments::Json(json) if Object::scan(json.as_bytes()).is_ok() => return json.to_string(),
        Arguments::Json(broken) => ("_raw", broken),
        Arguments::Text(text) => (CUSTOM_INPUT, text),
    };
    let mut out = Vec::new();
    crate::json::write::object(&mut out, |o| _ = o.string(name, text));
    String::from_utf8(out).unwrap_or_default()
}

/// The property that holds the free text of a custom tool, which the API does not know.
pub(super) const CUSTOM_INPUT: &str = "input";

fn write_result(o: &mut JsonWriter<'_>, result: &ToolResult) {
    o.string("type", "tool_result").string("tool_use_id", &fitted(&result.call));
    let says = |part: &&Part| match &part.body {
        PartBody::Text { text, .. } => !text.is_empty(),
        PartBody::Image { .. } | PartBody::Document { .. } => true,
        _ => false,
    };
    let parts: Vec<&Part> = result.parts.iter().filter(says).collect();
    match parts.as_slice() {
        [] => {}
        [Part { body: PartBody::Text { text, citations }, cache: None }]
            if citations.is_empty() =>
        {
            o.string("content", text);
        }
        several => {
            o.array("content", |a| several.iter().for_each(|part| write_part(a, part)));
        }
    }
    if result.failed {
        o.boolean("is_error", true);
    }
}

fn write_reasoning(o: &mut JsonWriter<'_>, block: &ReasoningBlock) {
    let seal = block.seal.as_deref().unwrap_or_default();
    if block.redacted {
        o.string("type", "redacted_thinking").string("data", seal);
    } else {
        o.string("type", "thinking").string("thinking", &block.text).string("signature", seal);
    }
}

/// Writes a `cache_control`.
pub(super) fn write_cache(o: &mut JsonWriter<'_>, cache: Option<CacheHint>) {
    match cache {
        None => {}
        Some(CacheHint::Short) => {
            o.object("cache_control", |o| _ = o.string("type", "ephemeral"));
        }
        Some(CacheHint::Hour) => {
            o.object("cache_control", |o| _ = o.string("type", "ephemeral").string("ttl", "1h"));
        }
    }
}

/// A text as a JSON string without its quotes, for strings that are written in pieces.
pub(super) fn escaped(text: &str) -> String {
    let mut out = Vec::new();
    string(&mut out, text);
    let quoted = String::from_utf8(out).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}
