//! Whether a JSON schema keeps to the subset that the API can enforce by itself.

use crate::json::{Kind, Object, Raw};

/// Keywords outside the subset, whatever their value.
const REFUSED: [&str; 26] = [
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "maxItems",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "prefixItems",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
];

/// Whether the API can enforce this schema. A schema that is refused here is asked for in words
/// instead; one that is let through wrongly is refused by the API, which says why.
pub(super) fn is_enforceable(schema: &str) -> bool {
    let Ok(object) = Object::scan(schema.as_bytes()) else { return false };
    is_plain(object.members().iter().map(|member| (&*member.name, member.raw())))
}

fn is_plain<'a>(members: impl Iterator<Item = (&'a str, Raw<'a>)>) -> bool {
    let mut is_object = false;
    let mut closed = false;
    for (name, value) in members {
        let fits = match name {
            "type" => {
                is_object |= value.text().is_some_and(|kind| kind == "object")
                    || value.elements().any(|k| k.text().is_some_and(|k| k == "object"));
                true
            }
            "properties" => {
                is_object = true;
                value.members().all(|(_, schema)| is_plain_schema(schema))
            }
            "$defs" | "definitions" => value.members().all(|(_, schema)| is_plain_schema(schema)),
            "items" => is_plain_schema(value),
            "anyOf" | "allOf" => value.elements().all(is_plain_schema),
            "additionalProperties" => {
                closed = value.boolean() == Some(false);
                closed
            }
            // A reference to the whole schema is a recursion, one elsewhere cannot be followed.
            "$ref" => value.text().is_some_and(|target| target.starts_with("#/")),
            "minItems" => value.whole().is_some_and(|least| least <= 1),
            other => !REFUSED.contains(&other),
        };
        if !fits {
            return false;
        }
    }
    closed || !is_object
}

fn is_plain_schema(schema: Raw<'_>) -> bool {
    if schema.kind() != Kind::Object {
        return false;
    }
    let members: Vec<_> = schema.members().collect();
    is_plain(members.iter().map(|(name, value)| (&**name, *value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_enforceable_subset_is_let_through() {
        for (schema, enforceable) in [
            (r#"{"type":"object","properties":{},"additionalProperties":false}"#, true),
            (r#"{"type":"string","enum":["a","b"]}"#, true),
            (r##"{"$defs":{"a":{"type":"string"}},"anyOf":[{"$ref":"#/$defs/a"}]}"##, true),
            (r#"{"type":"array","items":{"type":"number"},"minItems":1}"#, true),
            (r#"{"type":"object","properties":{}}"#, false),
            (r#"{"type":["object","null"]}"#, false),
            (r#"{"type":"object","additionalProperties":{"type":"string"}}"#, false),
            (r#"{"type":"array","items":{"type":"object"}}"#, false),
            (r#"{"type":"array","items":{"type":"number"},"minItems":2}"#, false),
            (r#"{"type":"integer","minimum":1}"#, false),
            (r#"{"anyOf":[{"oneOf":[]}]}"#, false),
            (r##"{"items":{"$ref":"#"}}"##, false),
            (r#"{"$ref":"https://example.test/schema.json"}"#, false),
            (r#"{"properties":{"a":true},"additionalProperties":false}"#, false),
            ("[]", false),
            ("{", false),
        ] {
            assert_eq!(is_enforceable(schema), enforceable, "{schema}");
        }
    }
}
