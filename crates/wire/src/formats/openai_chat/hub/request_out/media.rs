//! Media as parts of a message.

use super::super::answer_out::write_url;
use super::report::Report;
use crate::conversation::Source;
use crate::formats::translation::Unsupported;
use crate::json::write::Array;

/// The file name of a document that came without one; OpenAI requires a name.
const DOCUMENT_NAME: &str = "document.pdf";

pub(super) fn write_image(
    list: &mut Array<'_>,
    source: &Source,
    detail: Option<&str>,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    if !matches!(source, Source::Url(_) | Source::Base64 { .. }) {
        return report.cannot("messages.content.image", "a picture needs an address or its bytes");
    }
    list.object(|part| {
        part.string("type", "image_url").object("image_url", |image| {
            write_url(image, source);
            if let Some(detail) = detail {
                image.string("detail", detail);
            }
        });
    });
    Ok(())
}

pub(super) fn write_document(
    list: &mut Array<'_>,
    source: &Source,
    name: Option<&str>,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    match source {
        Source::Text(text) => {
            list.object(|part| _ = part.string("type", "text").string("text", text));
        }
        Source::File(id) => {
            list.object(|part| {
                part.string("type", "file");
                part.object("file", |file| _ = file.string("file_id", id));
            });
        }
        Source::Base64 { media_type, data } => {
            list.object(|part| {
                part.string("type", "file").object("file", |file| {
                    file.string("filename", name.unwrap_or(DOCUMENT_NAME));
                    file.joined("file_data", &["data:", media_type, ";base64,", data]);
                });
            });
        }
        Source::Url(_) => {
            return report.cannot("messages.content.document", "a document needs its bytes");
        }
    }
    Ok(())
}

pub(super) fn write_audio(
    list: &mut Array<'_>,
    source: &Source,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    let Source::Base64 { media_type, data } = source else {
        return report.cannot("messages.content.audio", "a recording needs its bytes");
    };
    let format = match &**media_type {
        "audio/mpeg" => "mp3",
        "audio/x-wav" | "audio/wave" => "wav",
        other => other.strip_prefix("audio/").unwrap_or(other),
    };
    list.object(|part| {
        part.string("type", "input_audio").object("input_audio", |audio| {
            audio.string("data", data).string("format", format);
        });
    });
    Ok(())
}
