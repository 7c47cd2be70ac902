//! Media in messages: pictures, recordings and documents, by address or as base64.

use bytestring::ByteString;

use super::super::super::request::RequestProblem;
use super::super::spot::{Fields, Spot};
use crate::conversation::{PartBody, Source};
use crate::json::Kind;

/// An `image_url` part: an object with `url`, or (Mistral) the address itself. A document in a data
/// URI is a document, whatever the part is called.
pub(super) fn image(part: &Fields<'_, '_>) -> Result<PartBody, RequestProblem> {
    let image = part.required("image_url", "an object with a `url`")?;
    if image.raw().kind() == Kind::String {
        return Ok(pictured(source(&image)?, None));
    }
    let fields = image.fields()?;
    let source = source(&fields.required("url", "a string")?)?;
    Ok(pictured(source, fields.text_member("detail")?))
}

fn pictured(source: Source, detail: Option<ByteString>) -> PartBody {
    match &source {
        Source::Base64 { media_type, .. } if !media_type.starts_with("image/") => {
            PartBody::Document { source, name: None }
        }
        _ => PartBody::Image { source, detail },
    }
}

/// An `input_audio` part.
pub(super) fn audio(part: &Fields<'_, '_>) -> Result<PartBody, RequestProblem> {
    let audio = part.required("input_audio", "an object")?.fields()?;
    let media_type = match &*audio.required_text("format")? {
        "mp3" => ByteString::from_static("audio/mpeg"),
        "wav" => ByteString::from_static("audio/wav"),
        other => format!("audio/{other}").into(),
    };
    let data = audio.required("data", "a string")?;
    let text = data.text()?;
    check_base64(&data, &text)?;
    Ok(PartBody::Audio { source: Source::Base64 { media_type, data: text } })
}

/// A `file` part: one that the provider keeps, or its bytes in a data URI. Several systems take an
/// address under either name.
pub(super) fn file(part: &Fields<'_, '_>) -> Result<PartBody, RequestProblem> {
    let file = part.required("file", "an object")?.fields()?;
    let name = file.text_member("filename")?;
    if let Some(data) = file.member("file_data") {
        return Ok(PartBody::Document { source: source(&data)?, name });
    }
    let id = file.required_text("file_id")?;
    let address = id.starts_with("https://") || id.starts_with("http://");
    let source = if address { Source::Url(id) } else { Source::File(id) };
    Ok(PartBody::Document { source, name })
}

/// An address, or the bytes that a data URI (RFC 2397) holds.
fn source(spot: &Spot<'_, '_>) -> Result<Source, RequestProblem> {
    let text = spot.text()?;
    let Some(rest) = text.strip_prefix("data:") else {
        return match text.is_empty() {
            true => Err(spot.out_of_range("an address or a data URI")),
            false => Ok(Source::Url(text)),
        };
    };
    let halves = rest.split_once(',').and_then(|(head, data)| {
        let media_type = head.strip_suffix(";base64")?;
        Some((media_type.split(';').next().unwrap_or_default(), data))
    });
    let Some((media_type, data)) = halves.filter(|(media_type, _)| !media_type.is_empty()) else {
        return Err(spot.out_of_range("a data URI like `data:image/png;base64,…`"));
    };
    let data = text.slice_ref(data);
    check_base64(spot, &data)?;
    Ok(Source::Base64 { media_type: text.slice_ref(media_type), data })
}

/// Whether a text is base64 with its padding (RFC 4648): a truncated one would cost an attempt.
fn check_base64(spot: &Spot<'_, '_>, data: &str) -> Result<(), RequestProblem> {
    let plain = data.strip_suffix("==").or_else(|| data.strip_suffix('=')).unwrap_or(data);
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    if data.is_empty() || !data.len().is_multiple_of(4) || !plain.as_bytes().iter().all(known) {
        return Err(spot.out_of_range("complete base64 with its padding"));
    }
    Ok(())
}
