//! Answers in the description: one shared schema for each record that answers tell of.

use serde_json::{Map, Value, json};

use super::Operation;
use super::schema::{or_null, taken};
use crate::answer::{Part, Told};
use crate::shape::Field;

/// What requests are limited by and answers are not.
const OF_REQUESTS: [&str; 2] = ["maxItems", "maxLength"];

/// The schemas of every record that answers of these operations tell of.
pub(super) fn schemas(operations: &[Operation]) -> Map<String, Value> {
    let mut schemas = Map::new();
    operations.iter().filter_map(|operation| operation.told).for_each(|told| {
        collect(told, &mut schemas);
    });
    schemas
}

fn collect(told: &Told, schemas: &mut Map<String, Value>) {
    if schemas.contains_key(told.name) {
        return;
    }
    schemas.insert(told.name.to_owned(), schema(told));
    told.parts.iter().filter_map(|part| part.told()).for_each(|part| collect(part, schemas));
}

/// The reference to a record's schema.
pub(super) fn link(told: &Told) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", told.name) })
}

fn schema(told: &Told) -> Value {
    let (mut properties, mut required, mut all) = (Map::new(), Vec::new(), Vec::new());
    for part in told.parts {
        let member = match part {
            Part::Fields(fields) => {
                properties.extend(fields.iter().map(property));
                required.extend(fields.iter().map(|field| field.name));
                continue;
            }
            Part::May(fields) => {
                properties.extend(fields.iter().map(property));
                continue;
            }
            Part::All(other) => {
                all.push(link(other));
                continue;
            }
            Part::One(name, other) => (*name, link(other)),
            Part::List(name, other) => (*name, json!({ "type": "array", "items": link(other) })),
            Part::Each(name, other) => {
                (*name, json!({ "type": "object", "additionalProperties": link(other) }))
            }
        };
        required.push(member.0);
        properties.insert(member.0.to_owned(), member.1);
    }
    let mut schema = json!({ "type": "object", "properties": properties, "required": required });
    if !all.is_empty() {
        schema["allOf"] = Value::Array(all);
    }
    schema
}

/// A member, which is null where there is nothing to tell.
fn property(field: &Field) -> (String, Value) {
    let mut schema = or_null(&taken(field.kind).schema);
    without_limits(&mut schema);
    schema["description"] = json!(field.about);
    (field.name.to_owned(), schema)
}

fn without_limits(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.retain(|name, _| !OF_REQUESTS.contains(&name.as_str()));
            members.values_mut().for_each(without_limits);
        }
        Value::Array(items) => items.iter_mut().for_each(without_limits),
        _ => {}
    }
}
