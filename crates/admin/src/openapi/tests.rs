//! Every row is described, and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Operation, Place, document, reference};
use crate::routes;

fn operations() -> Vec<Operation> {
    routes().iter().map(Operation::from).collect()
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let operations = operations();
    let ids: BTreeSet<String> = operations.iter().map(Operation::id).collect();
    assert_eq!(ids.len(), operations.len());
    let simple = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    assert!(ids.iter().all(|id| id.chars().all(simple)), "{ids:?}");
    assert!(ids.contains("post_key_generate") && ids.contains("patch_team_by_team_id"), "{ids:?}");
}

#[test]
fn every_parameter_of_a_path_is_described() {
    for row in routes() {
        let operation = Operation::from(&row);
        let named = |part: &&super::Part| part.place == Place::Path;
        let described: Vec<&str> =
            operation.parts.iter().filter(named).map(|part| part.name).collect();
        assert_eq!(described.len(), row.path.matches('{').count(), "{}: {described:?}", row.path);
    }
}

#[test]
fn what_removes_is_null_and_what_is_required_is_not() {
    let document = document("1", &operations());
    let operation = &document["paths"]["/key/update"]["post"];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["required"], serde_json::json!([]));
    let alias = &schema["properties"]["key_alias"]["type"];
    assert_eq!(alias, &serde_json::json!(["string", "null"]));
    let anchor = &schema["properties"]["anchor"];
    assert_eq!(anchor["enum"], serde_json::json!(["created_at", null]));
    assert_eq!(schema["additionalProperties"], false);
    let empty = &schema["properties"]["policies"]["enum"];
    assert!(empty.as_array().is_some_and(|values| values.contains(&Value::Null)), "{schema}");
    let operation = &document["paths"]["/tag/delete"]["post"];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["required"], serde_json::json!(["name"]));
    assert_eq!(schema["properties"]["name"]["type"], "string");
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document("1", &operations());
    let mut links = Vec::new();
    collect(&document, &mut links);
    assert!(links.len() > 100);
    for link in links {
        let pointer = link.strip_prefix('#').expect("a link within the document");
        assert!(document.pointer(pointer).is_some(), "{link}");
    }
}

fn collect(value: &Value, links: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            links.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect(value, links));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, links)),
        _ => {}
    }
}

#[test]
fn the_page_tells_of_every_operation_without_a_script_or_another_host() {
    let operations = operations();
    let page = reference("1", &operations);
    for operation in &operations {
        assert!(page.contains(&format!("<section id=\"{}\">", operation.id())));
    }
    for text in ["<script", "http://", "https://", "src=", "@import"] {
        assert!(!page.contains(text), "{text}");
    }
}
