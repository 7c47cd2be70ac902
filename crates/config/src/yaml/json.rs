//! JSON as a tree of the same kind, for values that do not come from a file.

use serde_json::Value as Json;

use super::{Entry, Mapping, Node, Number, Value};

impl Node {
    /// The same value without a place.
    pub(crate) fn of_json(json: &Json) -> Self {
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(*flag),
            Json::Number(number) => {
                let text: Box<str> = number.to_string().into();
                Value::Number(Number { written: text.clone(), json: text })
            }
            Json::String(text) => Value::Text(text.as_str().into()),
            Json::Array(items) => Value::List(items.iter().map(Self::of_json).collect()),
            Json::Object(fields) => Value::Map(Mapping::of_json(fields)),
        };
        Self { span: 0..0, value }
    }

    /// The value as JSON, references to variables as they are written.
    pub(crate) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(flag) => Json::Bool(*flag),
            Value::Number(number) => {
                serde_json::from_str(&number.json).unwrap_or_else(|_| Json::from(&*number.written))
            }
            Value::Text(text) => Json::from(&**text),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(map) => Json::Object(map.to_json()),
        }
    }
}

impl Mapping {
    /// The same fields without places.
    pub(crate) fn of_json(fields: &serde_json::Map<String, Json>) -> Self {
        let entries =
            fields.iter().map(|(name, value)| Entry::placeless(name, Node::of_json(value)));
        Self { entries: entries.collect() }
    }

    /// The fields as JSON.
    pub(crate) fn to_json(&self) -> serde_json::Map<String, Json> {
        let fields = self.entries.iter();
        fields.map(|entry| (entry.name.to_string(), entry.node.to_json())).collect()
    }
}

impl Entry {
    /// A field that stands nowhere.
    pub(crate) fn placeless(name: &str, node: Node) -> Self {
        Self { name: name.into(), name_span: 0..0, node }
    }
}
