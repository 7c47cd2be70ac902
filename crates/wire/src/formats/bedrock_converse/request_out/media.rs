//! Pictures and documents: which of them Converse takes, and how they are written.

use std::collections::HashSet;

use crate::conversation::{Part, PartBody, Role, Source};
use crate::json::write::JsonWriter;

/// Pictures that are taken: media type, and the format's name, which is the ending of names too.
const IMAGES: [(&str, &str); 5] = [
    ("image/png", "png"),
    ("image/jpeg", "jpeg"),
    ("image/jpg", "jpeg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
];

/// Documents that are taken, in the same way.
const DOCUMENTS: [(&str, &str); 9] = [
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
];

/// Where objects of the provider's own store are.
const STORE: &str = "s3://";

/// A document's name where the client gives none that can be used.
const UNNAMED: &str = "document";

/// Longest name of a document, in characters, a number behind it not counted.
const NAME_CHARS_MAX: usize = 190;

/// What media are, and in which format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Medium {
    Image(&'static str),
    Document(&'static str),
}

/// Why a part is not taken from this speaker, where it is not.
pub(super) fn refusal_of(part: &Part, role: Role) -> Option<&'static str> {
    match &part.body {
        PartBody::Audio { .. } => Some("the API takes no audio here"),
        PartBody::Image { .. } | PartBody::Document { .. } if role != Role::User => {
            Some("only a user's message may hold a picture or a document")
        }
        PartBody::Image { source: Source::Text(_), .. } => Some("a picture is no text"),
        PartBody::Image { source, .. } => medium(source, None).err(),
        PartBody::Document { source, name } => medium(source, name.as_deref()).err(),
        PartBody::Text { .. }
        | PartBody::ToolCall(_)
        | PartBody::ToolResult(_)
        | PartBody::Reasoning(_)
        | PartBody::Refusal { .. } => None,
    }
}

/// What media of this source and file name are.
pub(super) fn medium(source: &Source, name: Option<&str>) -> Result<Medium, &'static str> {
    match source {
        Source::Text(_) => Ok(Medium::Document("txt")),
        Source::Base64 { media_type, .. } => {
            let plain = media_type.split(';').next().unwrap_or_default().trim();
            of_type(plain).or_else(|| of_name(name?)).ok_or(
                "the API takes PNG, JPEG, GIF and WebP, and as documents PDF, CSV, DOC, DOCX, \
                 XLS, XLSX, HTML, plain text and Markdown",
            )
        }
        Source::Url(at) | Source::File(at) if at.starts_with(STORE) => {
            of_name(at).ok_or("an object's name must end as the names of its format do")
        }
        Source::Url(_) => Err("the API fetches nothing but `s3://` objects; send the bytes"),
        Source::File(_) => Err("it names a file that another provider keeps"),
    }
}

fn of_type(media_type: &str) -> Option<Medium> {
    let named = |rows: &[(&str, &'static str)]| {
        rows.iter().find(|(known, _)| known.eq_ignore_ascii_case(media_type)).map(|row| row.1)
    };
    named(&IMAGES).map(Medium::Image).or_else(|| named(&DOCUMENTS).map(Medium::Document))
}

fn of_name(name: &str) -> Option<Medium> {
    let (_, ending) = name.rsplit_once('.')?;
    let named = |rows: &[(&str, &'static str)]| {
        let jpeg = ending.eq_ignore_ascii_case("jpg");
        let fits = |format: &str| ending.eq_ignore_ascii_case(format) || jpeg && format == "jpeg";
        rows.iter().find(|(_, format)| fits(format)).map(|row| row.1)
    };
    named(&IMAGES).map(Medium::Image).or_else(|| named(&DOCUMENTS).map(Medium::Document))
}

/// The names of a request's documents: the API wants each of them once and without most
/// punctuation.
#[derive(Debug, Default)]
pub(super) struct Names {
    used: HashSet<String>,
}

impl Names {
    fn next(&mut self, given: Option<&str>) -> String {
        let name = clean(given.unwrap_or_default());
        let mut numbered = name.clone();
        let mut number = 1;
        while !self.used.insert(numbered.clone()) {
            number += 1;
            numbered = format!("{name} ({number})");
        }
        numbered
    }
}

/// A name in the characters that are taken: letters, digits, single spaces, hyphens, parentheses
/// and square brackets. The format is said elsewhere, so its ending goes.
fn clean(given: &str) -> String {
    let stem = match given.rsplit_once('.') {
        Some((stem, _)) if of_name(given).is_some() => stem,
        _ => given,
    };
    let taken = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '(' | ')' | '[' | ']');
    let spaced: String = stem.chars().map(|c| if taken(c) { c } else { ' ' }).collect();
    let words: Vec<&str> = spaced.split_ascii_whitespace().collect();
    let name: String = words.join(" ").chars().take(NAME_CHARS_MAX).collect();
    let name = name.trim_end();
    if name.is_empty() { UNNAMED.to_owned() } else { name.to_owned() }
}

/// Writes media as a member of a block. What [`medium`] refuses is not written.
pub(super) fn write_media(
    o: &mut JsonWriter<'_>,
    source: &Source,
    name: Option<&str>,
    names: &mut Names,
) {
    match medium(source, name) {
        Ok(Medium::Image(format)) => {
            o.object("image", |o| {
                o.string("format", format).object("source", |o| write_source(o, source));
            });
        }
        Ok(Medium::Document(format)) => {
            let name = names.next(name);
            o.object("document", |o| {
                o.string("format", format).string("name", &name);
                o.object("source", |o| write_source(o, source));
            });
        }
        Err(_) => {}
    }
}

fn write_source(o: &mut JsonWriter<'_>, source: &Source) {
    match source {
        Source::Base64 { data, .. } => _ = o.string("bytes", data),
        Source::Text(text) => _ = o.string("text", text),
        Source::Url(at) | Source::File(at) => {
            o.object("s3Location", |o| _ = o.string("uri", at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_and_each_stands_once() {
        let mut names = Names::default();
        for (given, expected) in [
            (Some("Annual report_2026.pdf"), "Annual report 2026"),
            (Some("Annual  report 2026.docx"), "Annual report 2026 (2)"),
            (Some("v1.2 [draft] (a-b)"), "v1 2 [draft] (a-b)"),
            (Some("été.txt"), "t"),
            (Some("../…"), "document"),
            (None, "document (2)"),
            (Some(""), "document (3)"),
        ] {
            assert_eq!(names.next(given), expected, "{given:?}");
        }
        assert_eq!(clean(&"a ".repeat(400)).chars().count(), NAME_CHARS_MAX - 1);
    }

    #[test]
    fn media_are_told_by_their_type_or_their_name() {
        let base64 = |media_type: &'static str| Source::Base64 {
            media_type: media_type.into(),
            data: "AA==".into(),
        };
        for (source, name, expected) in [
            (base64("image/JPG"), None, Some(Medium::Image("jpeg"))),
            (base64("text/plain; charset=utf-8"), None, Some(Medium::Document("txt"))),
            (base64("application/octet-stream"), Some("a.XLSX"), Some(Medium::Document("xlsx"))),
            (base64("image/tiff"), None, None),
            (Source::Url("s3://b/k.jpg".into()), None, Some(Medium::Image("jpeg"))),
            (Source::File("s3://b/k.md".into()), None, Some(Medium::Document("md"))),
            (Source::Url("s3://b/k".into()), None, None),
            (Source::Url("https://example.test/k.jpg".into()), None, None),
            (Source::File("file-1".into()), Some("a.pdf"), None),
        ] {
            assert_eq!(medium(&source, name).ok(), expected, "{source:?} {name:?}");
        }
    }
}
