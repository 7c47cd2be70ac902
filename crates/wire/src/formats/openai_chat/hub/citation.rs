//! Citations: `annotations` of a message, whose spans count characters where the hub's count bytes.

use bytestring::ByteString;

use crate::conversation::Citation;
use crate::json::write::Array;
use crate::json::{Object, Raw};

/// An element of `annotations` of the kind `url_citation`, the only one there is (OpenAI API
/// reference, chat completions). `text` is the message's text where it is known as a whole.
pub(super) fn read(annotation: Raw<'_>, text: Option<&str>) -> Option<Citation> {
    let cited = annotation.find("url_citation")?;
    let in_text =
        |name: &str| cited.find(name).and_then(Raw::text).map(|text| text.into_owned().into());
    let place = |name: &str| byte_offset(text?, cited.find(name)?.whole()?);
    Some(Citation {
        url: in_text("url"),
        title: in_text("title"),
        span: place("start_index").zip(place("end_index")),
        raw: ByteString::from(annotation.as_written()),
    })
}

/// Writes a citation of a text that stands `before` characters into the message. One without an
/// address has no form here and is left out.
pub(super) fn write(list: &mut Array<'_>, citation: &Citation, text: &str, before: u64) {
    if is_annotation(&citation.raw) {
        // Line ends between tokens would break the one line of an event.
        list.raw(&citation.raw.replace(['\n', '\r'], " "));
        return;
    }
    let Some(url) = &citation.url else { return };
    let (start, end) = citation.span.unwrap_or((0, text.len() as u64));
    list.object(|annotation| {
        annotation.string("type", "url_citation").object("url_citation", |cited| {
            cited.number("start_index", before + characters(text, start));
            cited.number("end_index", before + characters(text, end));
            cited.string("url", url);
            cited.string("title", citation.title.as_deref().unwrap_or_default());
        });
    });
}

/// Whether a citation can be written at all.
pub(super) fn is_writable(citation: &Citation) -> bool {
    citation.url.is_some() || is_annotation(&citation.raw)
}

fn is_annotation(raw: &str) -> bool {
    let Ok(object) = Object::scan(raw.as_bytes()) else { return false };
    object.value("url_citation").is_some()
}

/// How many characters stand before a byte offset.
fn characters(text: &str, offset: u64) -> u64 {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
    text[..text.floor_char_boundary(offset)].chars().count() as u64
}

/// Where a character begins, in bytes; the end of the text for the one behind its last.
pub(in crate::formats) fn byte_offset(text: &str, character: u64) -> Option<u64> {
    let character = usize::try_from(character).ok()?;
    let mut starts = text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len()));
    starts.nth(character).map(|at| at as u64)
}
