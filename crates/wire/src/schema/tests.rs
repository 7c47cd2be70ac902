//! Schemas and values, in the manner of the JSON Schema test suite.

use std::fmt::Write as _;

use super::*;

fn verdict(schema: &str, value: &str) -> String {
    match Schema::read(schema).check(value) {
        None => "no JSON".to_owned(),
        Some(Verdict::Keeps) => "keeps".to_owned(),
        Some(Verdict::Open) => "open".to_owned(),
        Some(Verdict::Breaks(Breach { at, keyword })) => format!("{keyword} at `{at}`"),
    }
}

#[test]
fn each_keyword_is_kept_or_broken_at_its_place() {
    for (schema, value, expected) in CASES {
        assert_eq!(verdict(schema, value), expected, "{schema} {value}");
    }
}

/// Schemas, values, and the verdict.
#[rustfmt::skip]
const CASES: [(&str, &str, &str); 54] = [
    ("true", "1", "keeps"),
    ("false", "1", "false at ``"),
    ("{}", "nope", "no JSON"),
    (r#"{"type":"object"}"#, "[]", "type at ``"),
    (r#"{"type":["string","null"]}"#, "null", "keeps"),
    (r#"{"type":"integer"}"#, "1.0", "keeps"),
    (r#"{"type":"integer"}"#, "1.5", "type at ``"),
    (r#"{"enum":[1,"a",{"b":[1.0]}]}"#, r#"{"b":[1]}"#, "keeps"),
    (r#"{"enum":[1,"a"]}"#, "\"b\"", "enum at ``"),
    (r#"{"const":9007199254740993}"#, "9007199254740992", "const at ``"),
    (r#"{"minimum":2,"maximum":3}"#, "2", "keeps"),
    (r#"{"minimum":2,"maximum":3}"#, "4", "maximum at ``"),
    (r#"{"exclusiveMinimum":2}"#, "2", "exclusiveMinimum at ``"),
    (r#"{"exclusiveMaximum":2}"#, "1.9", "keeps"),
    (r#"{"multipleOf":0.1}"#, "0.3", "keeps"),
    (r#"{"multipleOf":2}"#, "3", "multipleOf at ``"),
    (r#"{"minLength":2}"#, "\"\u{1F600}\"", "minLength at ``"),
    (r#"{"maxLength":1}"#, "\"\u{1F600}\"", "keeps"),
    (r#"{"pattern":"^a+$"}"#, "\"aaa\"", "keeps"),
    (r#"{"pattern":"^a+$"}"#, "\"ab\"", "pattern at ``"),
    (r#"{"pattern":"^(?!a)"}"#, "\"ab\"", "open"),
    (r#"{"minItems":1,"maxItems":2}"#, "[]", "minItems at ``"),
    (r#"{"uniqueItems":true}"#, "[1,2,1.0]", "uniqueItems at ``"),
    (r#"{"items":{"type":"number"}}"#, r#"[1,"a"]"#, "type at `/1`"),
    (r#"{"prefixItems":[true],"items":false}"#, "[1]", "keeps"),
    (r#"{"prefixItems":[true],"items":false}"#, "[1,2]", "false at `/1`"),
    (r#"{"items":[{"type":"null"}],"additionalItems":false}"#, "[null,1]", "false at `/1`"),
    (r#"{"contains":{"const":1}}"#, "[2,1]", "keeps"),
    (r#"{"contains":{"const":1},"maxContains":1}"#, "[1,1]", "contains at ``"),
    (r#"{"contains":{"const":1},"minContains":0}"#, "[]", "keeps"),
    (r#"{"properties":{"a/b":{"type":"null"}}}"#, r#"{"a/b":1}"#, "type at `/a~1b`"),
    (r#"{"required":["a"]}"#, r#"{"b":1}"#, "required at ``"),
    (r#"{"properties":{"a":true},"additionalProperties":false}"#, r#"{"b":1}"#, "false at `/b`"),
    (r#"{"patternProperties":{"^x":{"type":"null"}},"additionalProperties":false}"#,
        r#"{"x1":null}"#, "keeps"),
    (r#"{"patternProperties":{"^x":{"type":"null"}}}"#, r#"{"x1":2}"#, "type at `/x1`"),
    (r#"{"propertyNames":{"maxLength":1}}"#, r#"{"ab":1}"#, "maxLength at `/ab`"),
    (r#"{"minProperties":1}"#, "{}", "minProperties at ``"),
    (r#"{"dependentRequired":{"a":["b"]}}"#, r#"{"a":1}"#, "dependentRequired at ``"),
    (r#"{"dependentSchemas":{"a":{"required":["b"]}}}"#, r#"{"a":1}"#, "required at ``"),
    (r#"{"dependencies":{"a":["b"]}}"#, r#"{"a":1}"#, "dependencies at ``"),
    (r#"{"allOf":[{"type":"number"},{"minimum":2}]}"#, "1", "minimum at ``"),
    (r#"{"anyOf":[{"type":"null"},{"minimum":2}]}"#, "1", "anyOf at ``"),
    (r#"{"oneOf":[{"type":"number"},{"minimum":2}]}"#, "3", "oneOf at ``"),
    (r#"{"oneOf":[{"type":"number"},{"minimum":2}]}"#, "1", "keeps"),
    (r#"{"not":{"type":"null"}}"#, "null", "not at ``"),
    (r#"{"not":{"pattern":"(?=a)"}}"#, "\"a\"", "open"),
    (r#"{"if":{"type":"null"},"then":false,"else":{"minimum":2}}"#, "1", "minimum at ``"),
    (r##"{"$defs":{"n":{"type":"null"}},"$ref":"#/$defs/n"}"##, "1", "type at ``"),
    (r##"{"properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##,
        r#"{"next":{"next":{"last":1}}}"#, "false at `/next/next/last`"),
    (r#"{"$ref":"https://example.test/schema"}"#, "1", "open"),
    (r#"{"unevaluatedProperties":false,"type":"null"}"#, "1", "type at ``"),
    (r#"{"format":"email"}"#, "\"no\"", "keeps"),
    ("[", "1", "open"),
    ("{}", "1e999", "open"),
];

#[test]
fn no_schema_keeps_the_check_busy_beyond_its_limits() {
    let endless = r##"{"allOf":[{"$ref":"#"},{"$ref":"#"}]}"##;
    assert_eq!(verdict(endless, "1"), "open");
    let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(SCHEMA_BYTES_MAX));
    assert_eq!(verdict(&long, "1"), "open");
    let many = format!(
        "[{}0]",
        (1..2_000).fold(String::new(), |mut all, n| {
            write!(all, "{n},").expect("a string takes it");
            all
        })
    );
    assert_eq!(verdict(r#"{"uniqueItems":true}"#, &many), "open");
    let text = format!("\"{}\"", "a".repeat(pattern::MATCHED_BYTES_MAX + 1));
    assert_eq!(verdict(r#"{"pattern":"^b"}"#, &text), "open");
    assert_eq!(verdict(r#"{"pattern":"(a{1000}){1000}"}"#, "\"b\""), "open");
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    assert_eq!(verdict("{}", &deep), "no JSON", "the scanner reads nothing that deep");
}
