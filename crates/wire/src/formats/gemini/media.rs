//! Media on the wire: which part of the hub a media type is, and how media are referred to.

use bytestring::ByteString;

use crate::conversation::{PartBody, Source};
use crate::json::Raw;

/// Media types by the ending of a name, for references that come without one.
const TYPES: [(&str, &str); 24] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("html", "text/html"),
    ("csv", "text/csv"),
    ("json", "application/json"),
    ("xml", "text/xml"),
    ("wav", "audio/wav"),
    ("mp3", "audio/mp3"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("aac", "audio/aac"),
    ("mp4", "video/mp4"),
    ("mov", "video/mov"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpg"),
    ("webm", "video/webm"),
];

/// Addresses of files that Google keeps for its customers.
const KEPT: [&str; 3] = ["gs://", "files/", "https://generativelanguage.googleapis.com/"];

/// How closely to look, by the last word of `MediaResolutionLevel`.
const DETAILS: [(&str, &str); 2] =
    [("low", "MEDIA_RESOLUTION_LOW"), ("high", "MEDIA_RESOLUTION_HIGH")];

/// The part that media of a type are; video, for which the hub has no word, goes as a document.
pub(super) fn part(
    media_type: &str,
    source: Source,
    detail: Option<ByteString>,
    name: Option<ByteString>,
) -> PartBody {
    match media_type.split('/').next() {
        Some("image") => PartBody::Image { source, detail },
        Some("audio") => PartBody::Audio { source },
        _ => PartBody::Document { source, name },
    }
}

/// A `fileUri` as a source: Google's own files stay with it, everything else can be fetched.
pub(super) fn source_of_uri(uri: ByteString) -> Source {
    if KEPT.iter().any(|kept| uri.starts_with(kept)) { Source::File(uri) } else { Source::Url(uri) }
}

/// The media type that a name's ending tells, a query behind it aside.
pub(super) fn type_of_name(name: &str) -> Option<&'static str> {
    let path = name.split(['?', '#']).next().unwrap_or_default();
    let (_, ending) = path.rsplit_once('.')?;
    TYPES.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|row| row.1)
}

/// `mediaResolution` of a part, an object with a `level`.
pub(super) fn detail(resolution: Raw<'_>) -> Option<ByteString> {
    let level = resolution.find("level")?.text()?;
    let row = DETAILS.iter().find(|(_, known)| *known == level)?;
    Some(ByteString::from_static(row.0))
}

/// The level that a detail asks for, where it asks for one.
pub(super) fn resolution(detail: &str) -> Option<&'static str> {
    DETAILS.iter().find(|(known, _)| *known == detail).map(|row| row.1)
}
