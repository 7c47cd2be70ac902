//! Refusals in the description: the error bodies of the three dialects, and one shared response
//! for each status.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tollgate_faults::{Dialect, Reason, article};

use super::Operation;

/// The schemas of the error bodies.
pub(super) fn schemas() -> Map<String, Value> {
    let text = json!({ "type": "string" });
    let open_ai = json!({
        "message": text,
        "type": text,
        "param": { "type": ["string", "null"] },
        "code": text,
    });
    let anthropic = json!({ "type": text, "message": text });
    let gemini = json!({ "code": { "type": "integer" }, "message": text, "status": text });
    let mut schemas = Map::new();
    schemas.insert(GATEWAY.to_owned(), gateway());
    for (dialect, own) in
        [(Dialect::OpenAi, open_ai), (Dialect::Anthropic, anthropic), (Dialect::Gemini, gemini)]
    {
        schemas.insert(schema_name(dialect), error(own));
    }
    schemas
}

/// An error body: what the dialect says, and our facts beside it.
fn error(own: Value) -> Value {
    let Value::Object(mut properties) = own else { return own };
    let required: Vec<String> = properties.keys().cloned().collect();
    let link = json!({ "$ref": format!("#/components/schemas/{GATEWAY}") });
    properties.insert("gateway".to_owned(), link);
    let error = json!({ "type": "object", "properties": properties, "required": required });
    json!({ "type": "object", "properties": { "error": error }, "required": ["error"] })
}

/// Our facts about a refusal.
fn gateway() -> Value {
    let slugs: Vec<&str> = Reason::ALL.into_iter().map(Reason::slug).collect();
    json!({
        "type": "object",
        "description": "What the gateway knows about the refusal",
        "properties": {
            "reason": { "type": "string", "enum": slugs, "description": "What is so" },
            "origin": {
                "type": "string",
                "enum": ["client", "gateway", "config", "upstream"],
                "description": "Whose fault it is",
            },
            "retryable": {
                "type": "boolean",
                "description": "Whether the same call may succeed later without any change",
            },
            "fix": { "type": "string", "description": "What to do about it" },
            "doc": { "type": "string", "description": "Where the article is" },
        },
        "required": ["reason", "origin", "retryable", "fix", "doc"],
    })
}

/// A response for each status of each group of operations, with the reasons it stands for.
pub(super) fn responses(operations: &[Operation]) -> Value {
    let mut found: BTreeMap<String, (Dialect, BTreeSet<Reason>)> = BTreeMap::new();
    for operation in operations {
        for (status, reasons) in operation.refused_with() {
            let name = response_name(operation, status);
            let (_, known) =
                found.entry(name).or_insert_with(|| (operation.dialect, BTreeSet::new()));
            known.extend(reasons);
        }
    }
    let response = |(name, (dialect, reasons))| (name, response(dialect, &reasons));
    Value::Object(found.into_iter().map(response).collect())
}

fn response(dialect: Dialect, reasons: &BTreeSet<Reason>) -> Value {
    let told = reasons.iter().filter_map(|reason| article(reason.slug()));
    let told: Vec<String> =
        told.map(|article| format!("`{}`: {}", article.slug, article.title)).collect();
    let link = json!({ "$ref": format!("#/components/schemas/{}", schema_name(dialect)) });
    json!({
        "description": told.join("; "),
        "headers": {
            "x-should-retry": {
                "description": "Whether to try again",
                "schema": { "type": "boolean" },
            },
        },
        "content": { "application/json": { "schema": link } },
    })
}

/// The name of the response with which an operation refuses with this status.
pub(super) fn response_name(operation: &Operation, status: u16) -> String {
    if operation.manages {
        return format!("Management{status}");
    }
    format!("{:?}{status}", operation.dialect)
}

/// The name of a dialect's error body.
pub(super) fn schema_name(dialect: Dialect) -> String {
    format!("{dialect:?}Error")
}

/// The name of the schema of our facts.
const GATEWAY: &str = "Gateway";
