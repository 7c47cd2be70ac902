//! JSON schemas that requests carry, and what is said where a target enforces none.

use crate::json::{Object, Raw};

/// What a tool without a schema takes.
pub(in crate::formats) const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

/// What is said where the form of the answer cannot be enforced.
const JSON_ONLY: &str =
    "Answer with one valid JSON object and nothing else: no prose around it and no code fence.";

/// Asks in words for a JSON answer, which keeps a schema where there is one.
pub(in crate::formats) fn in_words(schema: Option<&str>) -> String {
    match schema {
        Some(schema) => format!("{JSON_ONLY} It must keep this JSON schema: {schema}"),
        None => JSON_ONLY.to_owned(),
    }
}

/// Whether a schema describes an object, as most targets want the outermost one to do.
pub(in crate::formats) fn is_object_schema(schema: &str) -> bool {
    Object::scan(schema.as_bytes()).is_ok_and(|object| {
        object.value("type").and_then(Raw::text).is_some_and(|kind| kind == "object")
    })
}
