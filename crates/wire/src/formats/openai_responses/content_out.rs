//! Writing the content parts of items.

use crate::conversation::{Citation, Part, PartBody, Source};
use crate::json::write::{Array, object};
use crate::json::{JsonWriter, Object, Raw};

/// The name of a document that has none: the provider refuses bytes without one.
const UNNAMED: &str = "document";

/// Why a part cannot be said in this format, or `None` when it can.
pub(super) fn inexpressible(part: &PartBody, by_model: bool) -> Option<&'static str> {
    match part {
        PartBody::Image { .. } | PartBody::Document { .. } | PartBody::Audio { .. } if by_model => {
            Some("the model's own messages hold text only")
        }
        PartBody::Image { source: Source::Text(_), .. } => Some("a picture is no text"),
        PartBody::Audio { source } if !matches!(source, Source::Base64 { .. }) => {
            Some("recordings are sent as base64")
        }
        _ => None,
    }
}

/// Appends the parts that are content; every one has been found expressible.
pub(super) fn write_content(parts: &[&Part], by_model: bool, out: &mut Array<'_>) {
    for part in parts {
        write_part(&part.body, by_model, out);
    }
}

fn write_part(part: &PartBody, by_model: bool, out: &mut Array<'_>) {
    match part {
        PartBody::Text { text, .. } => {
            let kind = if by_model { "output_text" } else { "input_text" };
            out.object(|o| _ = o.string("type", kind).string("text", text));
        }
        PartBody::Refusal { text } => {
            out.object(|o| _ = o.string("type", "refusal").string("refusal", text));
        }
        PartBody::Image { source, detail } => {
            out.object(|o| {
                o.string("type", "input_image");
                match source {
                    Source::File(id) => o.string("file_id", id),
                    other => write_source("image_url", other, o),
                };
                o.string("detail", detail.as_deref().unwrap_or("auto"));
            });
        }
        // A document of plain text is text: the provider would have to read it from base64.
        PartBody::Document { source: Source::Text(text), .. } => {
            out.object(|o| _ = o.string("type", "input_text").string("text", text));
        }
        PartBody::Document { source, name } => {
            out.object(|o| write_document(source, name.as_deref(), o));
        }
        PartBody::Audio { source } => {
            let Source::Base64 { media_type, data } = source else { return };
            out.object(|o| {
                o.string("type", "input_audio").object("input_audio", |o| {
                    o.string("data", data).string("format", audio_format(media_type));
                });
            });
        }
        PartBody::ToolCall(_) | PartBody::ToolResult(_) | PartBody::Reasoning(_) => {}
    }
}

fn write_document(source: &Source, name: Option<&str>, o: &mut JsonWriter<'_>) {
    o.string("type", "input_file");
    match source {
        Source::File(id) => _ = o.string("file_id", id),
        Source::Url(_) => _ = write_source("file_url", source, o),
        Source::Base64 { media_type, .. } => {
            match (name, &**media_type) {
                (Some(name), _) => o.string("filename", name),
                (None, "application/pdf") => o.joined("filename", &[UNNAMED, ".pdf"]),
                (None, _) => o.string("filename", UNNAMED),
            };
            write_source("file_data", source, o);
        }
        Source::Text(_) => {}
    }
}

fn write_source<'a, 'w>(
    name: &str,
    source: &Source,
    o: &'a mut JsonWriter<'w>,
) -> &'a mut JsonWriter<'w> {
    match source {
        Source::Url(text) | Source::File(text) | Source::Text(text) => o.string(name, text),
        Source::Base64 { media_type, data } => {
            o.joined(name, &["data:", media_type, ";base64,", data])
        }
    }
}

fn audio_format(media_type: &str) -> &str {
    match media_type {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
        other => other.strip_prefix("audio/").unwrap_or(other),
    }
}

/// An annotation: as this format wrote it, or as an address with its title.
pub(super) fn annotation(citation: &Citation, text: &str) -> String {
    if is_own(&citation.raw) {
        return citation.raw.to_string();
    }
    let span = citation.span.unwrap_or((0, 0));
    let mut out = Vec::new();
    object(&mut out, |o| {
        o.string("type", "url_citation").string("url", citation.url.as_deref().unwrap_or_default());
        o.string("title", citation.title.as_deref().unwrap_or_default());
        o.number("start_index", characters_before(text, span.0));
        o.number("end_index", characters_before(text, span.1));
    });
    String::from_utf8(out).expect("every piece is text")
}

/// Whether an annotation was written in this format: flat, with a type that only it has.
fn is_own(raw: &str) -> bool {
    let Ok(object) = Object::scan(raw.as_bytes()) else { return false };
    let kind = object.value("type").and_then(Raw::text);
    match kind.as_deref() {
        // The chat format nests the same thing.
        Some("url_citation") => object.value("url").is_some(),
        Some("file_citation" | "container_file_citation" | "file_path") => true,
        _ => false,
    }
}

fn characters_before(text: &str, bytes: u64) -> u64 {
    let end = usize::try_from(bytes).unwrap_or(usize::MAX).min(text.len());
    text[..text.floor_char_boundary(end)].chars().count() as u64
}
