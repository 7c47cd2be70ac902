//! What a field holds, as JSON Schema and in a word.

use serde_json::{Value, json};

use crate::fields::{LIST_MAX, TEXT_BYTES_MAX};
use crate::shape::Kind;

/// What a field takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The same as JSON Schema.
    pub schema: Value,
    /// The same in a few words.
    pub word: String,
}

/// What a field of this kind takes.
#[must_use]
pub fn taken(kind: Kind) -> Taken {
    let text = json!({ "type": "string", "maxLength": TEXT_BYTES_MAX });
    let (schema, word) = match kind {
        Kind::Text => (text, "text".to_owned()),
        Kind::Choice(among) => {
            let words: Vec<String> = among.iter().map(|word| format!("`{word}`")).collect();
            (json!({ "type": "string", "enum": among }), words.join(" or "))
        }
        Kind::Instant => {
            (json!({ "type": "string", "format": "date-time" }), "an instant".to_owned())
        }
        Kind::Flag => (json!({ "type": "boolean" }), "true or false".to_owned()),
        Kind::Count => (json!({ "type": "integer", "minimum": 0 }), "a whole number".to_owned()),
        Kind::Dollars => (json!({ "type": "number", "minimum": 0 }), "dollars".to_owned()),
        Kind::Texts => {
            let schema = json!({ "type": "array", "items": text, "maxItems": LIST_MAX });
            (schema, "a list of texts".to_owned())
        }
        Kind::List => (json!({ "type": "array", "maxItems": LIST_MAX }), "a list".to_owned()),
        Kind::Object => (json!({ "type": "object" }), "an object".to_owned()),
        Kind::OneOrMore => {
            let object = json!({ "type": "object" });
            let list = json!({ "type": "array", "items": object, "maxItems": LIST_MAX });
            (json!({ "anyOf": [object, list] }), "an object or a list of them".to_owned())
        }
    };
    Taken { schema, word }
}

/// The same where null is taken too: it removes what is there.
pub(super) fn or_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(Value::Array(among)) = schema.get_mut("enum") {
        among.push(Value::Null);
    }
    match schema.get_mut("type") {
        Some(kind) => *kind = json!([kind, "null"]),
        None => {
            if let Some(Value::Array(either)) = schema.get_mut("anyOf") {
                either.push(json!({ "type": "null" }));
            }
        }
    }
    schema
}

/// What is taken of a field that is not supported yet: what asks for nothing.
pub(super) fn only_empty() -> Value {
    json!({
        "enum": [null, false, 0, "", "default", [], {}],
        "description": "Not supported yet: refused unless it asks for nothing",
    })
}
