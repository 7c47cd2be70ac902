//! The description of every route, as OpenAPI 3.1 and as a page for people.
//!
//! It is made of the rows that the routers are made of: what is described is what is served. What
//! an operation refuses with comes from the table of `faults`, rendered as a client gets it. Pure:
//! rows in, JSON or HTML out.

mod operation;
mod reference;
mod refusals;
mod schema;
#[cfg(test)]
mod tests;
mod told;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub use operation::{CALLER, Extra, Operation, Part, Place};
pub use reference::reference;
pub use schema::{Taken, taken};

/// The headers that may carry a key, each a scheme of its own, by the name of the scheme.
const KEY_HEADERS: [(&str, &str); 4] = [
    ("litellm_key", "x-litellm-api-key"),
    ("api_key", "api-key"),
    ("anthropic_key", "x-api-key"),
    ("google_key", "x-goog-api-key"),
];
/// What the document is about.
const ABOUT: &str = "An LLM gateway: the APIs that clients call, and the management API with \
    LiteLLM's routes and fields. Each refusal has an article under `/errors`. A request whose head \
    is longer than 64 KiB is answered 414 or 431, without a body.";
/// The scheme of `authorization: Bearer …`.
const BEARER: &str = "bearer";

/// The OpenAPI 3.1 document of these operations.
#[must_use]
pub fn document(version: &str, operations: &[Operation]) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let method = operation.method.to_ascii_lowercase();
        let path = paths.entry(&operation.path).or_default();
        path.insert(method, described(operation));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tollgate",
            "version": version,
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "tags": tags(operations),
        "security": security(),
        "paths": paths,
        "components": {
            "securitySchemes": schemes(),
            "schemas": schemas(operations),
            "responses": refusals::responses(operations),
        },
    })
}

/// The records that answers tell of, and the bodies of refusals.
fn schemas(operations: &[Operation]) -> Map<String, Value> {
    let mut schemas = told::schemas(operations);
    schemas.extend(refusals::schemas());
    schemas
}

fn described(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id(),
        "tags": [operation.family],
        "summary": operation.about,
        "description": format!("For: {}.", operation.who),
        "x-tollgate-audience": operation.audience,
        "responses": responses(operation),
    });
    if !operation.needs_key {
        described["security"] = json!([]);
    }
    let parameters: Vec<Value> = operation.parts.iter().filter_map(parameter).collect();
    if !parameters.is_empty() {
        described["parameters"] = Value::Array(parameters);
    }
    if operation.has_body {
        described["requestBody"] = body(operation);
    }
    described
}

fn parameter(part: &Part) -> Option<Value> {
    let place = match part.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Body => return None,
    };
    Some(json!({
        "name": part.name,
        "in": place,
        "required": part.required || part.place == Place::Path,
        "description": part.about,
        "schema": part.taken.schema,
    }))
}

fn body(operation: &Operation) -> Value {
    let parts = || operation.parts.iter().filter(|part| part.place == Place::Body);
    let property = |part: &Part| {
        let mut schema = if part.required || operation.extra == Extra::Kept {
            part.taken.schema.clone()
        } else {
            schema::or_null(&part.taken.schema)
        };
        schema["description"] = json!(part.about);
        (part.name.to_owned(), schema)
    };
    let mut properties: Map<String, Value> = parts().map(property).collect();
    let not_yet = operation.not_yet.iter();
    properties.extend(not_yet.map(|name| ((*name).to_owned(), schema::only_empty())));
    let required: Vec<&str> = parts().filter(|part| part.required).map(|part| part.name).collect();
    let schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": operation.extra == Extra::Kept,
    });
    json!({
        "required": !required.is_empty(),
        "content": { "application/json": { "schema": schema } },
    })
}

fn responses(operation: &Operation) -> Value {
    let content: Map<String, Value> = operation
        .answers
        .iter()
        .map(|(media, schema)| ((*media).to_owned(), json!({ "schema": schema })))
        .collect();
    let mut responses = Map::new();
    for (status, about) in [(200, "Done")].iter().chain(operation.also) {
        let response = json!({ "description": about, "content": content });
        responses.insert(status.to_string(), response);
    }
    for status in operation.refused_with().keys() {
        let name = refusals::response_name(operation, *status);
        let link = json!({ "$ref": format!("#/components/responses/{name}") });
        responses.insert(status.to_string(), link);
    }
    if operation.relays_statuses {
        let name = refusals::schema_name(operation.dialect);
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        let content = json!({ "application/json": { "schema": schema } });
        let description = "A status that the provider answered with";
        let other = json!({ "description": description, "content": content });
        responses.insert("default".to_owned(), other);
    }
    Value::Object(responses)
}

/// The families in the order in which they first appear.
fn families(operations: &[Operation]) -> Vec<&'static str> {
    let mut families = Vec::new();
    for operation in operations {
        if !families.contains(&operation.family) {
            families.push(operation.family);
        }
    }
    families
}

fn tags(operations: &[Operation]) -> Vec<Value> {
    families(operations).into_iter().map(|name| json!({ "name": name })).collect()
}

fn schemes() -> Value {
    let mut schemes = Map::new();
    schemes.insert(BEARER.to_owned(), json!({ "type": "http", "scheme": "bearer" }));
    schemes.extend(KEY_HEADERS.map(|(scheme, header)| {
        (scheme.to_owned(), json!({ "type": "apiKey", "in": "header", "name": header }))
    }));
    Value::Object(schemes)
}

/// Any one of the headers is enough.
fn security() -> Vec<Value> {
    let names = std::iter::once(BEARER).chain(KEY_HEADERS.map(|(scheme, _)| scheme));
    names.map(|name| json!({ name: [] })).collect()
}
