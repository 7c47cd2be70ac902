//! Writing a buffered answer for a client of this format, and the pieces that a stream shares.

use super::{finish, sealed, usage};
use crate::conversation::{
    Answer, Arguments, Choice, Citation, Part, PartBody, Provenance, Source,
};
use crate::formats::translation::Reply;
use crate::json::Object;
use crate::json::write::{Array, JsonWriter, object};

/// Writes an answer.
#[must_use]
pub fn from_answer(answer: &Answer, reply: &Reply) -> Vec<u8> {
    let mut out = Vec::new();
    object(&mut out, |o| {
        o.array("candidates", |a| {
            for (index, choice) in answer.choices.iter().enumerate() {
                a.object(|o| write_choice(o, index as u64, choice));
            }
        });
        if let Some(known) = &answer.usage {
            usage::write(o, known);
        }
        write_names(o, answer.id.as_deref(), reply);
    });
    out
}

/// The model as the client named it, and the answer's id.
pub(super) fn write_names(o: &mut JsonWriter<'_>, id: Option<&str>, reply: &Reply) {
    o.string("modelVersion", &reply.model).string("responseId", id.unwrap_or(&reply.id));
}

fn write_choice(o: &mut JsonWriter<'_>, index: u64, choice: &Choice) {
    o.object("content", |o| {
        o.array("parts", |a| write_parts(a, &choice.parts));
        o.string("role", "model");
    });
    if let Some(reason) = choice.finish {
        o.string("finishReason", finish::write(reason));
    }
    o.number("index", index);
    let cited = choice.parts.iter().flat_map(|part| match &part.body {
        PartBody::Text { citations, .. } => citations.as_slice(),
        _ => &[],
    });
    write_grounding(o, &cited.collect::<Vec<_>>());
}

fn write_parts(a: &mut Array<'_>, parts: &[Part]) {
    let mut rest = parts.iter().peekable();
    while let Some(part) = rest.next() {
        let seal = match &part.body {
            // A call's seal is its own.
            PartBody::ToolCall(_) | PartBody::ToolResult(_) | PartBody::Reasoning(_) => None,
            _ => sealed::seal_of_previous(rest.peek().copied()),
        };
        if seal.is_some() {
            rest.next();
        }
        write_part(a, part, seal.map(|seal| &**seal));
    }
}

fn write_part(a: &mut Array<'_>, part: &Part, seal: Option<&str>) {
    match &part.body {
        PartBody::Text { text, .. } | PartBody::Refusal { text } => write_text(a, text, seal),
        PartBody::ToolCall(call) => {
            let seal = call.seal.as_deref();
            a.object(|o| write_call(o, &call.id, &call.name, &call.arguments, seal));
        }
        PartBody::Reasoning(block) => {
            let seal = block.seal.as_deref().filter(|_| block.provenance == Provenance::Gemini);
            if sealed::is_bare_seal(block) {
                write_text(a, "", seal);
            } else if !block.text.is_empty() {
                write_thought(a, &block.text, seal);
            }
        }
        PartBody::Image { source, .. }
        | PartBody::Document { source, .. }
        | PartBody::Audio { source } => {
            if let Source::Base64 { media_type, data } = source {
                a.object(|o| {
                    o.object("inlineData", |o| {
                        o.string("mimeType", media_type).string("data", data);
                    });
                    write_seal(o, seal);
                });
            }
        }
        // No model says one.
        PartBody::ToolResult(_) => {}
    }
}

/// A text part.
pub(super) fn write_text(a: &mut Array<'_>, text: &str, seal: Option<&str>) {
    a.object(|o| {
        o.string("text", text);
        write_seal(o, seal);
    });
}

/// A part of readable reasoning.
pub(super) fn write_thought(a: &mut Array<'_>, text: &str, seal: Option<&str>) {
    a.object(|o| {
        o.string("text", text).boolean("thought", true);
        write_seal(o, seal);
    });
}

/// The members of a part that calls a function. Arguments that are no JSON object, which this
/// format cannot say, go as the only member of one.
pub(super) fn write_call(
    o: &mut JsonWriter<'_>,
    id: &str,
    name: &str,
    arguments: &Arguments,
    seal: Option<&str>,
) {
    o.object("functionCall", |o| {
        o.string("id", id).string("name", name);
        match arguments {
            Arguments::Json(json) if json.trim().is_empty() => _ = o.raw("args", "{}"),
            Arguments::Json(json) if Object::scan(json.as_bytes()).is_ok() => {
                o.raw("args", json);
            }
            Arguments::Json(text) | Arguments::Text(text) => {
                o.object("args", |o| _ = o.string("input", text));
            }
        }
    });
    write_seal(o, seal);
}

fn write_seal(o: &mut JsonWriter<'_>, seal: Option<&str>) {
    if let Some(seal) = seal {
        o.string("thoughtSignature", seal);
    }
}

/// `groundingMetadata`, where anything is cited.
pub(super) fn write_grounding(o: &mut JsonWriter<'_>, cited: &[&Citation]) {
    if cited.is_empty() {
        return;
    }
    o.object("groundingMetadata", |o| {
        o.array("groundingChunks", |a| {
            for citation in cited {
                a.object(|o| {
                    o.object("web", |o| {
                        if let Some(url) = &citation.url {
                            o.string("uri", url);
                        }
                        if let Some(title) = &citation.title {
                            o.string("title", title);
                        }
                    });
                });
            }
        });
        o.array("groundingSupports", |a| {
            for (index, citation) in cited.iter().enumerate() {
                if let Some((start, end)) = citation.span {
                    a.object(|o| {
                        o.object("segment", |o| {
                            o.number("startIndex", start).number("endIndex", end);
                        });
                        o.array("groundingChunkIndices", |a| _ = a.raw(&index.to_string()));
                    });
                }
            }
        });
    });
}

#[cfg(test)]
mod tests;
