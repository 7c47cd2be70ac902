//! Reading the content of items: a string, or a list of parts.

use bytestring::ByteString;

use super::fields::{At, Body, array, object};
use crate::conversation::{Citation, Part, PartBody, Source};
use crate::formats::openai_chat::RequestProblem;
use crate::json::{Kind, Raw};

const KNOWN_PARTS: &str = "one of `input_text`, `input_image`, `input_file`, `input_audio`, \
     `output_text` or `refusal`";

/// Content, a string or an array of parts.
pub(super) fn content(
    content: Option<Raw<'_>>,
    at: &At<'_>,
    body: &Body,
) -> Result<Vec<Part>, RequestProblem> {
    let expected = "a string or an array of content parts";
    let content = content.ok_or_else(|| at.absent(expected))?;
    match content.kind() {
        Kind::String => Ok(vec![Part::text(body.text(Some(content), at)?)]),
        Kind::Array => {
            let parts = content.elements().enumerate();
            parts.map(|(index, part)| read_part(part, &at.element(index), body)).collect()
        }
        _ => Err(at.wrong(expected, content)),
    }
}

fn read_part(part: Raw<'_>, at: &At<'_>, body: &Body) -> Result<Part, RequestProblem> {
    let part = object(Some(part), at)?;
    let kind_at = at.member("type");
    let read = match &*body.text(part.find("type"), &kind_at)? {
        "input_text" | "output_text" | "text" => {
            let text = body.text(part.find("text"), &at.member("text"))?;
            let cited = part.find("annotations").into_iter().flat_map(Raw::elements);
            let citations = cited.filter_map(|raw| citation(raw, &text)).collect();
            PartBody::Text { text, citations }
        }
        "refusal" => {
            PartBody::Refusal { text: body.text(part.find("refusal"), &at.member("refusal"))? }
        }
        "input_image" => image(part, at, body)?,
        "input_file" => file(part, at, body)?,
        "input_audio" => audio(part, at, body)?,
        _ => return Err(kind_at.outside(KNOWN_PARTS)),
    };
    Ok(Part::new(read))
}

fn image(part: Raw<'_>, at: &At<'_>, body: &Body) -> Result<PartBody, RequestProblem> {
    let source = match part.find("file_id") {
        Some(id) => Source::File(body.text(Some(id), &at.member("file_id"))?),
        None => {
            let at = at.member("image_url");
            address(body.text(part.find("image_url"), &at)?, &at)?
        }
    };
    let detail = body.text_if_any(part.find("detail"), &at.member("detail"))?;
    Ok(PartBody::Image { source, detail })
}

fn file(part: Raw<'_>, at: &At<'_>, body: &Body) -> Result<PartBody, RequestProblem> {
    let name = body.text_if_any(part.find("filename"), &at.member("filename"))?;
    let source = if let Some(id) = part.find("file_id") {
        Source::File(body.text(Some(id), &at.member("file_id"))?)
    } else if let Some(url) = part.find("file_url") {
        let at = at.member("file_url");
        address(body.text(Some(url), &at)?, &at)?
    } else {
        let at = at.member("file_data");
        let data = body.text(part.find("file_data"), &at)?;
        if data.starts_with("data:") {
            address(data, &at)?
        } else {
            check_base64(&data, &at)?;
            Source::Base64 { media_type: media_type_of(name.as_deref()), data }
        }
    };
    Ok(PartBody::Document { source, name })
}

fn audio(part: Raw<'_>, at: &At<'_>, body: &Body) -> Result<PartBody, RequestProblem> {
    let at = at.member("input_audio");
    let audio = object(part.find("input_audio"), &at)?;
    let data_at = at.member("data");
    let data = body.text(audio.find("data"), &data_at)?;
    check_base64(&data, &data_at)?;
    let media_type = match &*body.text(audio.find("format"), &at.member("format"))? {
        "mp3" => ByteString::from_static("audio/mpeg"),
        other => format!("audio/{other}").into(),
    };
    Ok(PartBody::Audio { source: Source::Base64 { media_type, data } })
}

/// An address, or the bytes themselves in a `data:` one (RFC 2397).
fn address(url: ByteString, at: &At<'_>) -> Result<Source, RequestProblem> {
    let Some((head, data)) = url.strip_prefix("data:").and_then(|rest| rest.split_once(',')) else {
        return match url.starts_with("data:") || url.is_empty() {
            true => Err(at.outside("an address, or `data:<media type>;base64,<data>`")),
            false => Ok(Source::Url(url)),
        };
    };
    let Some(kind) = head.strip_suffix(";base64") else {
        return Err(at.outside("an address, or `data:<media type>;base64,<data>`"));
    };
    check_base64(data, at)?;
    let media_type = kind.split(';').next().unwrap_or_default();
    Ok(Source::Base64 { media_type: url.slice_ref(media_type), data: url.slice_ref(data) })
}

/// Base64 that can be decoded, judged by its letters and its length.
fn check_base64(data: &str, at: &At<'_>) -> Result<(), RequestProblem> {
    let letters = data.trim_end_matches('=');
    let padding = data.len() - letters.len();
    let known =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    let fits = match padding {
        0 => letters.len() % 4 != 1,
        _ => padding <= 2 && data.len().is_multiple_of(4),
    };
    match !letters.is_empty() && fits && letters.bytes().all(known) {
        true => Ok(()),
        false => Err(at.outside("complete base64")),
    }
}

/// The media type of a file that came without one.
fn media_type_of(name: Option<&str>) -> ByteString {
    let extension = name.and_then(|name| name.rsplit_once('.')).map(|(_, after)| after);
    ByteString::from_static(match extension {
        Some("txt" | "md") => "text/plain",
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        _ => "application/pdf",
    })
}

/// The texts of a reasoning item: its summary, or the reasoning itself where there is none.
pub(super) fn reasoning_text(
    item: Raw<'_>,
    at: &At<'_>,
    body: &Body,
) -> Result<ByteString, RequestProblem> {
    let summary = joined(item, at, body, "summary")?;
    if summary.is_empty() { joined(item, at, body, "content") } else { Ok(summary) }
}

fn joined(
    item: Raw<'_>,
    at: &At<'_>,
    body: &Body,
    name: &str,
) -> Result<ByteString, RequestProblem> {
    let Some(list) = item.find(name) else { return Ok(ByteString::new()) };
    let at = at.member(name);
    let mut texts = Vec::new();
    for (index, part) in array(Some(list), &at)?.elements().enumerate() {
        texts.push(body.text(part.find("text"), &at.element(index).member("text"))?);
    }
    match <[ByteString; 1]>::try_from(texts) {
        Ok([only]) => Ok(only),
        Err(several) => Ok(several.join(SUMMARY_BREAK).into()),
    }
}

/// Stands between the parts of a reasoning summary, which the hub holds as one text.
pub(super) const SUMMARY_BREAK: &str = "\n\n";

/// A citation from an annotation. Its place in the text counts characters on the wire and bytes in
/// the hub.
pub(super) fn citation(annotation: Raw<'_>, text: &str) -> Option<Citation> {
    let words = |name| annotation.find(name).and_then(Raw::text).map(|t| t.as_ref().into());
    if annotation.kind() != Kind::Object {
        return None;
    }
    let place = |name| Some(byte_offset(text, annotation.find(name)?.whole()?));
    Some(Citation {
        url: words("url"),
        title: words("title").or_else(|| words("filename")),
        span: place("start_index").flatten().zip(place("end_index").flatten()),
        raw: annotation.as_written().into(),
    })
}

fn byte_offset(text: &str, characters: u64) -> Option<u64> {
    let characters = usize::try_from(characters).ok()?;
    let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.nth(characters).map(|at| at as u64)
}
