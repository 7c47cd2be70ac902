//! The fields of a management request: each one read, or refused by name.

use bytes::Bytes;
use serde_json::{Map, Value};
use tollgate_domain::Money;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::nearest;

use crate::problem::{echo, missing, wrong};
use crate::shape::{Kind, Shape};

/// Longest list that a field may hold, in entries.
pub(crate) const LIST_MAX: usize = 1000;
/// Longest text that a field may hold, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 1024;
/// Largest object that a field may hold, in bytes of JSON.
const OBJECT_BYTES_MAX: usize = 64 * 1024;

/// What a request wants of a field: absent means unchanged, null removes, a value replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change<T> {
    /// The field was not sent.
    Unchanged,
    /// The field was sent as null.
    Removed,
    /// The field was sent with a value.
    Set(T),
}

impl<T> Change<T> {
    /// Applies the change to an optional value.
    pub(crate) fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Unchanged => {}
            Self::Removed => *to = None,
            Self::Set(value) => *to = Some(value),
        }
    }

    /// Applies the change to a value whose absence is its default.
    pub(crate) fn apply_or_default(self, to: &mut T)
    where
        T: Default,
    {
        match self {
            Self::Unchanged => {}
            Self::Removed => *to = T::default(),
            Self::Set(value) => *to = value,
        }
    }

    /// The value that was sent, if one was.
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Unchanged | Self::Removed => None,
        }
    }

    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Unchanged => Change::Unchanged,
            Self::Removed => Change::Removed,
            Self::Set(value) => Change::Set(map(value)),
        }
    }

    pub(crate) fn try_map<U>(
        self,
        map: impl FnOnce(T) -> Result<U, Refusal>,
    ) -> Result<Change<U>, Refusal> {
        Ok(match self {
            Self::Unchanged => Change::Unchanged,
            Self::Removed => Change::Removed,
            Self::Set(value) => Change::Set(map(value)?),
        })
    }
}

/// The fields of one request, or of an object within it.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    map: Map<String, Value>,
    /// What the route says it takes; nothing for an object within a request.
    shape: Shape,
    /// The place of that object in the request; empty for the request itself.
    within: String,
}

impl Fields {
    /// Reads a body. Every field is one of the shape's, or known to LiteLLM and sent with its empty
    /// default. No body at all holds no field. What the path names is a field like the others.
    ///
    /// # Errors
    /// Refused when the body is no JSON object, when a field is not supported yet or not known at
    /// all, when the path says something else, and when one is missing.
    pub(crate) fn read(
        body: &Bytes,
        shape: &Shape,
        path: &[(&str, &str)],
    ) -> Result<Self, Refusal> {
        let body: &[u8] = if body.is_empty() { b"{}" } else { body };
        let value: Value = serde_json::from_slice(body)
            .map_err(|problem| Refusal::new(Reason::BodyMalformed, problem.to_string()))?;
        let Value::Object(mut map) = value else {
            return Err(Refusal::new(Reason::BodyMalformed, "the body is not a JSON object"));
        };
        for (name, named) in path {
            let named = Value::from(*named);
            if map.get(*name).is_some_and(|sent| *sent != named) {
                return Err(wrong(name, "the path names another one"));
            }
            map.insert((*name).to_owned(), named);
        }
        let supported: Vec<&str> = shape.names().collect();
        check(&map, &supported, &shape.not_yet)?;
        let absent = |name: &&str| map.get(*name).is_none_or(Value::is_null);
        let required = shape.fields.iter().filter(|field| field.required);
        if let Some(name) = required.map(|field| field.name).find(absent) {
            return Err(missing(name, &format!("`{name}` is missing")));
        }
        Ok(Self { map, shape: shape.clone(), within: String::new() })
    }

    /// An object that stands at a place within a request.
    ///
    /// # Errors
    /// Refused when it is none, and when it holds a field that is not supported.
    pub(crate) fn part(place: &str, value: &Value, supported: &[&str]) -> Result<Self, Refusal> {
        let Value::Object(map) = value else {
            return Err(wrong(place, "expected an object"));
        };
        check(map, supported, &[])?;
        Ok(Self { map: map.clone(), shape: Shape::default(), within: place.to_owned() })
    }

    /// An object that stands at a place within a request and is like the body of another.
    ///
    /// # Errors
    /// Refused as such a body is.
    pub(crate) fn part_of(place: &str, value: &Value, shape: &Shape) -> Result<Self, Refusal> {
        let Value::Object(map) = value else {
            return Err(wrong(place, "expected an object"));
        };
        let supported: Vec<&str> = shape.names().collect();
        check(map, &supported, &shape.not_yet)?;
        Ok(Self { map: map.clone(), shape: shape.clone(), within: place.to_owned() })
    }

    /// One value at a place within a request, read as the field with this name.
    pub(crate) fn single(place: &str, name: &str, value: &Value) -> Self {
        let map = Map::from_iter([(name.to_owned(), value.clone())]);
        Self { map, shape: Shape::default(), within: place.to_owned() }
    }

    /// A field holds something it cannot hold.
    fn wrong(&self, name: &str, message: impl std::fmt::Display) -> Refusal {
        if self.within.is_empty() {
            return wrong(name, message);
        }
        wrong(&format!("{}.{name}", self.within), message)
    }

    /// The same where these fields stand in for those that were left out or say nothing.
    pub(crate) fn or(mut self, defaults: &Map<String, Value>) -> Self {
        for (name, value) in defaults {
            let says_nothing = |sent: &Value| match sent {
                Value::Array(items) => items.is_empty(),
                Value::Object(fields) => fields.is_empty(),
                other => other.is_null(),
            };
            if self.map.get(name).is_none_or(says_nothing) {
                self.map.insert(name.clone(), value.clone());
            }
        }
        self
    }

    /// The names of what was sent.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &str> {
        self.map.keys().map(String::as_str)
    }

    /// Whether a field was sent with more than its empty default.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !is_empty(value))
    }

    /// Whether a field was sent, if only as null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// A field that has to be there, read further.
    pub(crate) fn required<T, E: std::fmt::Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Refusal> {
        let value = self.parsed(name, parse)?.value();
        value.ok_or_else(|| missing(name, &format!("`{name}` is missing")))
    }

    /// A field as it was sent. What a route says it takes is what it reads.
    fn raw(&self, name: &str, kinds: &[Kind]) -> Change<&Value> {
        debug_assert!(
            self.shape.find(name).is_none_or(|field| {
                let choice = matches!(field.kind, Kind::Choice(_)) && kinds.contains(&Kind::Text);
                choice || kinds.contains(&field.kind)
            }),
            "`{name}` is declared as something else"
        );
        match self.map.get(name) {
            None => Change::Unchanged,
            Some(Value::Null) => Change::Removed,
            Some(value) => Change::Set(value),
        }
    }

    /// A field of text.
    pub(crate) fn text(&self, name: &str) -> Result<Change<String>, Refusal> {
        self.raw(name, &[Kind::Text, Kind::Instant]).try_map(|value| text(name, value))
    }

    /// A field of text that is then read further.
    pub(crate) fn parsed<T, E: std::fmt::Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Change<T>, Refusal> {
        let text = self.text(name)?;
        text.try_map(|text| parse(&text).map_err(|problem| self.wrong(name, problem)))
    }

    /// A field that is true or false.
    pub(crate) fn flag(&self, name: &str) -> Result<Change<bool>, Refusal> {
        self.raw(name, &[Kind::Flag]).try_map(|value| {
            value.as_bool().ok_or_else(|| self.wrong(name, "expected true or false"))
        })
    }

    /// A field of dollars, zero or more.
    pub(crate) fn dollars(&self, name: &str) -> Result<Change<Money>, Refusal> {
        self.raw(name, &[Kind::Dollars]).try_map(|value| {
            let Value::Number(number) = value else {
                return Err(self.wrong(name, "expected a number of dollars"));
            };
            let money = Money::parse_dollars(&number.to_string())
                .map_err(|problem| self.wrong(name, problem))?;
            if money.is_negative() {
                return Err(self.wrong(name, "an amount is never negative"));
            }
            Ok(money)
        })
    }

    /// A field of a whole number, zero or more.
    pub(crate) fn count(&self, name: &str) -> Result<Change<u64>, Refusal> {
        self.raw(name, &[Kind::Count]).try_map(|value| {
            let expected = "expected a whole number that is not negative";
            value.as_u64().ok_or_else(|| self.wrong(name, expected))
        })
    }

    /// A field of a list of at most so many values.
    pub(crate) fn list(&self, name: &str, most: usize) -> Result<Change<Vec<Value>>, Refusal> {
        self.raw(name, &[Kind::List, Kind::OneOrMore]).try_map(|value| match value {
            Value::Array(items) if items.len() > most => {
                Err(self.wrong(name, format!("more than {most} entries")))
            }
            Value::Array(items) => Ok(items.clone()),
            _ => Err(self.wrong(name, "expected a list")),
        })
    }

    /// A field of an object, or of a list of at most so many.
    pub(crate) fn one_or_more(&self, name: &str, most: usize) -> Result<Vec<Value>, Refusal> {
        match self.map.get(name) {
            Some(Value::Array(_)) => Ok(self.list(name, most)?.value().unwrap_or_default()),
            _ => Ok(self.object(name)?.value().map(Value::Object).into_iter().collect()),
        }
    }

    /// A field of a list of texts.
    pub(crate) fn texts(&self, name: &str) -> Result<Change<Vec<String>>, Refusal> {
        self.raw(name, &[Kind::Texts]).try_map(|value| {
            let Value::Array(items) = value else {
                return Err(self.wrong(name, "expected a list of texts"));
            };
            if items.len() > LIST_MAX {
                return Err(self.wrong(name, format!("more than {LIST_MAX} entries")));
            }
            items.iter().map(|item| text(name, item)).collect()
        })
    }

    /// The metadata of a level. What the queue reads of it is what it can be, so that no weight is
    /// accepted and then passed over.
    pub(crate) fn metadata(&self) -> Result<Change<Map<String, Value>>, Refusal> {
        let name = "metadata";
        self.object(name)?.try_map(|metadata| {
            let given = |name: &str| metadata.get(name).filter(|value| !value.is_null());
            let is_share = |weight: &Value| weight.as_f64().is_some_and(|weight| weight > 0.0);
            let is_range = |range: &Value| {
                let bounds: Vec<_> = range.as_array().into_iter().flatten().map(priority).collect();
                matches!(bounds[..], [Some(lowest), Some(highest)] if lowest <= highest)
            };
            if !given("queue_weight").is_none_or(is_share) {
                return Err(self.wrong("metadata.queue_weight", "expected a number above 0"));
            }
            if !given("priority_range").is_none_or(is_range) {
                let expected = "expected `[lowest, highest]`, two whole numbers";
                return Err(self.wrong("metadata.priority_range", expected));
            }
            Ok(metadata)
        })
    }

    /// A field of an object.
    pub(crate) fn object(&self, name: &str) -> Result<Change<Map<String, Value>>, Refusal> {
        self.raw(name, &[Kind::Object, Kind::OneOrMore]).try_map(|value| {
            let Value::Object(object) = value else {
                return Err(self.wrong(name, "expected an object"));
            };
            if value.to_string().len() > OBJECT_BYTES_MAX {
                return Err(self.wrong(name, format!("larger than {OBJECT_BYTES_MAX} bytes")));
            }
            Ok(object.clone())
        })
    }
}

/// A priority, as the queue has them.
fn priority(value: &Value) -> Option<i32> {
    i32::try_from(value.as_i64()?).ok()
}

/// Every field is supported, or known to LiteLLM and sent with its empty default.
fn check(map: &Map<String, Value>, supported: &[&str], not_yet: &[&str]) -> Result<(), Refusal> {
    for (name, value) in map {
        if supported.contains(&name.as_str()) {
            continue;
        }
        if not_yet.contains(&name.as_str()) {
            if is_empty(value) {
                continue;
            }
            return Err(unsupported(name, "this gateway does not support it yet"));
        }
        return Err(unknown(name, supported));
    }
    Ok(())
}

fn text(name: &str, value: &Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) if text.len() > TEXT_BYTES_MAX => {
            Err(wrong(name, format!("longer than {TEXT_BYTES_MAX} bytes")))
        }
        // A database of text columns cannot hold it, and no name needs it.
        Value::String(text) if text.contains('\0') => Err(wrong(name, "holds a zero byte")),
        Value::String(text) => Ok(text.clone()),
        _ => Err(wrong(name, "expected text")),
    }
}

/// Whether a value says no more than leaving the field out.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text == "default",
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn unsupported(name: &str, why: &str) -> Refusal {
    Refusal::new(Reason::ParameterUnsupported, format!("`{}`: {why}", echo(name)))
        .with_param(echo(name))
        .with_fix("leave the field out; nothing was changed")
}

fn unknown(name: &str, supported: &[&str]) -> Refusal {
    let refusal = unsupported(name, "there is no such field");
    match nearest(name, supported.iter().copied(), 1).first() {
        Some(close) => refusal.with_fix(format!("did you mean `{close}`? nothing was changed")),
        None => refusal,
    }
}

#[cfg(test)]
mod tests;
