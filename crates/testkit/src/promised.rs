//! What the description promises of answers, held against the answers that tests get: each client
//! of this crate does it by itself, so that every story is a test of the description too.

use std::sync::LazyLock;

use http::Method;
use serde_json::Value;
use tollgate_domain::Timestamp;

/// The description in the reference, which is the one that is served.
static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json");
    let text = std::fs::read_to_string(file).expect("the reference has a description");
    serde_json::from_str(&text).expect("the description is JSON")
});

/// How an answer breaks what is promised of it; `None` when it does not, or nothing is promised.
#[must_use]
pub fn breach(method: &Method, uri: &str, status: u16, body: &[u8]) -> Option<String> {
    if status != 200 {
        return None;
    }
    let path = uri.split('?').next().unwrap_or_default();
    let operation = operation(&DESCRIPTION, method, path)?;
    let schema = operation.pointer("/responses/200/content/application~1json/schema")?;
    if schema.as_object().is_some_and(serde_json::Map::is_empty) {
        return None;
    }
    let broken = match serde_json::from_slice(body) {
        Ok(answer) => broken(&DESCRIPTION, schema, &answer, "the answer"),
        Err(problem) => Some(format!("the answer is not JSON: {problem}")),
    };
    broken.map(|broken| format!("{method} {path} promises otherwise: {broken}"))
}

/// The operation that serves a path: of several the one with the most words in common.
fn operation<'d>(description: &'d Value, method: &Method, path: &str) -> Option<&'d Value> {
    let method = method.as_str().to_ascii_lowercase();
    let paths = description["paths"].as_object()?.iter();
    let fitting = paths.filter_map(|(template, path_item)| {
        Some((common(template, path)?, path_item.get(&method)?))
    });
    fitting.max_by_key(|(common, _)| *common).map(|(_, operation)| operation)
}

/// How many words a path has in common with a template; `None` where it does not fit it.
fn common(template: &str, path: &str) -> Option<usize> {
    let (mut common, mut words) = (0, path.split('/'));
    for part in template.split('/') {
        if part.starts_with("{*") {
            return words.next().map(|_| common);
        }
        let word = words.next()?;
        if part == word {
            common += 1;
        } else if !part.starts_with('{') || word.is_empty() {
            return None;
        }
    }
    words.next().is_none().then_some(common)
}

/// How a value breaks a schema, as far as this description writes schemas.
fn broken(description: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(link) = schema["$ref"].as_str() {
        let target = description.pointer(link.trim_start_matches('#'));
        let target = target.unwrap_or_else(|| panic!("{link} leads nowhere"));
        return broken(description, target, value, at);
    }
    let within = |schema: &Value, value: &Value, at: &str| broken(description, schema, value, at);
    own(schema, value, at)
        .or_else(|| list(&schema["allOf"]).find_map(|schema| within(schema, value, at)))
        .or_else(|| {
            let either = list(&schema["anyOf"]);
            let none = |broken: Vec<Option<String>>| {
                let all = !broken.is_empty() && broken.iter().all(Option::is_some);
                all.then(|| broken.into_iter().flatten().collect::<Vec<_>>().join(", or "))
            };
            none(either.map(|schema| within(schema, value, at)).collect())
        })
        .or_else(|| members(schema, value, at, &within))
        .or_else(|| {
            let items = list(value).enumerate();
            let items = items.filter(|_| schema["items"].is_object());
            let mut items = items.map(|(index, item)| (format!("{at}[{index}]"), item));
            items.find_map(|(at, item)| within(&schema["items"], item, &at))
        })
}

/// What a schema says of the value itself.
fn own(schema: &Value, value: &Value, at: &str) -> Option<String> {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        several => list(several).filter_map(Value::as_str).collect(),
    };
    if !types.is_empty() && !types.iter().any(|kind| is_a(value, kind)) {
        return Some(format!("{at} is {value}, not {}", types.join(" or ")));
    }
    if schema["enum"].is_array() && !list(&schema["enum"]).any(|one| one == value) {
        return Some(format!("{at} is {value}, not one of {}", schema["enum"]));
    }
    let too_small = schema["minimum"].as_f64().zip(value.as_f64());
    if too_small.is_some_and(|(least, number)| number < least) {
        return Some(format!("{at} is {value}, less than {}", schema["minimum"]));
    }
    let instant = value.as_str().filter(|_| schema["format"] == "date-time");
    if instant.is_some_and(|text| Timestamp::parse(text).is_err()) {
        return Some(format!("{at} is {value}, no instant"));
    }
    None
}

/// What a schema says of the members of an object.
fn members(
    schema: &Value,
    value: &Value,
    at: &str,
    within: &dyn Fn(&Value, &Value, &str) -> Option<String>,
) -> Option<String> {
    let object = value.as_object()?;
    let missing = list(&schema["required"]).filter_map(Value::as_str);
    if let Some(name) = missing.into_iter().find(|name| !object.contains_key(*name)) {
        return Some(format!("{at} has no `{name}`"));
    }
    object.iter().find_map(|(name, member)| {
        let at = format!("{at}.{name}");
        match &schema["properties"][name] {
            Value::Null if schema["additionalProperties"].is_object() => {
                within(&schema["additionalProperties"], member, &at)
            }
            Value::Null => None,
            property => within(property, member, &at),
        }
    })
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the description has a type `{other}`"),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn description() -> Value {
        let get = |schema: Value| {
            let content = json!({ "application/json": { "schema": schema } });
            json!({ "get": { "responses": { "200": { "content": content } } } })
        };
        json!({
            "paths": {
                "/key/{key}": get(json!({ "type": "integer" })),
                "/key/list": get(json!({ "type": "array", "items": { "$ref": "#/key" } })),
                "/file/{*path}": get(json!({ "type": "string" })),
            },
            "key": {
                "type": "object",
                "allOf": [{ "type": "object", "required": ["token"] }],
                "properties": {
                    "spend": { "type": ["number", "null"], "minimum": 0 },
                    "at": { "type": "string", "format": "date-time" },
                    "kind": { "enum": ["a", null] },
                    "one": { "anyOf": [{ "type": "string" }, { "type": "object" }] },
                },
                "additionalProperties": { "type": "boolean" },
                "required": ["spend"],
            },
        })
    }

    #[expect(clippy::needless_pass_by_value, reason = "the cases read better so")]
    fn found(path: &str, answer: Value) -> Option<String> {
        let description = description();
        let operation = operation(&description, &Method::GET, path)?;
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        broken(&description, schema, &answer, "it")
    }

    #[test]
    fn an_answer_is_held_to_the_operation_with_the_most_words_in_common() {
        assert_eq!(found("/key/list", json!([])), None);
        assert_eq!(found("/key/other", json!(1)), None);
        assert_eq!(found("/file/a/b", json!("text")), None);
        assert_eq!(found("/key/other", json!("1")).as_deref(), Some("it is \"1\", not integer"));
        assert_eq!(found("/key/other/more", json!(null)), None, "nothing is promised");
    }

    #[test]
    fn what_breaks_a_promise_is_named_with_its_place() {
        let key = |more: Value| {
            let mut key = json!({ "spend": 1, "token": true });
            key.as_object_mut()
                .expect("an object")
                .extend(more.as_object().cloned().expect("another"));
            json!([key])
        };
        assert_eq!(found("/key/list", key(json!({ "kind": null, "one": {} }))), None);
        for (answer, expected) in [
            (json!([{ "spend": 1 }]), "it[0] has no `token`"),
            (json!([{ "token": true }]), "it[0] has no `spend`"),
            (key(json!({ "spend": -1 })), "it[0].spend is -1, less than 0"),
            (key(json!({ "at": "today" })), "it[0].at is \"today\", no instant"),
            (key(json!({ "kind": "b" })), "it[0].kind is \"b\", not one of [\"a\",null]"),
            (key(json!({ "other": 5 })), "it[0].other is 5, not boolean"),
            (key(json!({ "one": 5 })), "it[0].one is 5, not string, or it[0].one is 5, not object"),
        ] {
            assert_eq!(found("/key/list", answer).as_deref(), Some(expected));
        }
    }
}
