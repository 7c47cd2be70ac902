//! The format's two ways to write a schema: Google's subset of OpenAPI, which clients may send, and
//! JSON Schema, which the hub keeps and every model since the second generation takes.

use bytestring::ByteString;

use crate::json::write::{JsonWriter, object};
use crate::json::{Kind, Object, Raw};

/// Members of a JSON schema that the API refuses and that mean nothing to a model.
const REFUSED: [&str; 3] = ["$schema", "$id", "strict"];

/// A schema of the OpenAPI subset as JSON Schema: types in lower case, `nullable` as a type beside
/// the others, numbers for counts that Google's JSON writes as text.
pub(super) fn from_open_api(schema: Raw<'_>) -> ByteString {
    let mut out = Vec::with_capacity(schema.as_written().len());
    object(&mut out, |o| write_members(o, schema));
    String::from_utf8(out).unwrap_or_default().into()
}

/// A JSON schema without the members that the API refuses; `None` when it holds none of them and
/// goes out as it is.
pub(super) fn without_refused(schema: &str) -> Option<String> {
    let scanned = Object::scan(schema.as_bytes()).ok()?;
    let refused = |name: &str| REFUSED.contains(&name);
    if !scanned.members().iter().any(|member| refused(&member.name)) {
        return None;
    }
    let mut out = Vec::with_capacity(schema.len());
    object(&mut out, |o| {
        for member in scanned.members().iter().filter(|member| !refused(&member.name)) {
            o.raw(&member.name, member.value);
        }
    });
    String::from_utf8(out).ok()
}

/// Nesting is bounded by what a scan accepts.
fn write_members(o: &mut JsonWriter<'_>, schema: Raw<'_>) {
    let nullable = schema.find("nullable").and_then(Raw::boolean) == Some(true);
    for (name, value) in schema.members() {
        match (&*name, value.kind()) {
            ("nullable" | "propertyOrdering" | "property_ordering", _) | (_, Kind::Null) => {}
            ("type", Kind::String) => write_type(o, value, nullable),
            ("example", _) => _ = o.array("examples", |a| _ = a.raw(value.as_written())),
            ("properties" | "$defs" | "defs", Kind::Object) => {
                let name = if name == "defs" { "$defs" } else { &name };
                o.object(name, |o| {
                    for (name, schema) in value.members() {
                        o.object(&name, |o| write_members(o, schema));
                    }
                });
            }
            ("items" | "additionalProperties", Kind::Object) => {
                o.object(&name, |o| write_members(o, value));
            }
            ("anyOf" | "any_of", Kind::Array) => {
                o.array("anyOf", |a| {
                    for schema in value.elements() {
                        a.object(|o| write_members(o, schema));
                    }
                });
            }
            (count, Kind::String) if is_count(count) => write_count(o, count, value),
            _ => _ = o.raw(&name, value.as_written()),
        }
    }
}

fn write_type(o: &mut JsonWriter<'_>, kind: Raw<'_>, nullable: bool) {
    let kind = kind.text().unwrap_or_default().to_ascii_lowercase();
    match kind.as_str() {
        "type_unspecified" => {}
        _ if nullable => _ = o.strings("type", &[kind.as_str(), "null"]),
        _ => _ = o.string("type", &kind),
    }
}

fn is_count(name: &str) -> bool {
    ["minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength"]
        .contains(&name)
}

fn write_count(o: &mut JsonWriter<'_>, name: &str, value: Raw<'_>) {
    if let Some(count) = value.text().and_then(|text| text.parse().ok()) {
        o.number(name, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json_schema(text: &str) -> String {
        let wrapped = format!(r#"{{"schema":{text}}}"#);
        let object = Object::scan(wrapped.as_bytes()).expect("JSON");
        from_open_api(object.value("schema").expect("a schema")).to_string()
    }

    #[test]
    fn the_subset_of_open_api_becomes_json_schema() {
        for (given, expected) in [
            (r#"{"type":"STRING","nullable":true}"#, r#"{"type":["string","null"]}"#),
            (
                r#"{"type":"OBJECT","properties":{"type":{"type":"INTEGER","format":"int32"}},
                "propertyOrdering":["type"],"required":["type"]}"#,
                r#"{"type":"object","properties":{"type":{"type":"integer","format":"int32"}},"required":["type"]}"#,
            ),
            (
                r#"{"type":"ARRAY","items":{"anyOf":[{"type":"NUMBER"},{"type":"NULL"}]},"minItems":"2"}"#,
                r#"{"type":"array","items":{"anyOf":[{"type":"number"},{"type":"null"}]},"minItems":2}"#,
            ),
            (r#"{"type":"TYPE_UNSPECIFIED","example":1e0}"#, r#"{"examples":[1e0]}"#),
            (r#"{"type":"string","enum":["A"]}"#, r#"{"type":"string","enum":["A"]}"#),
        ] {
            assert_eq!(json_schema(given), expected);
        }
    }

    #[test]
    fn only_what_the_api_refuses_is_taken_out_of_a_schema() {
        let plain = r#"{ "type":"object", "additionalProperties":false, "$defs":{} }"#;
        assert_eq!(without_refused(plain), None);
        let given = r#"{"$schema":"x","type":"object","strict":true,"$id":"y","minimum":1e0}"#;
        assert_eq!(without_refused(given).as_deref(), Some(r#"{"type":"object","minimum":1e0}"#));
    }
}
