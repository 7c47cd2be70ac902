//! One row of a table: its columns, read by name.

use serde_json::{Map, Value};
use tollgate_domain::{Money, Timestamp};

use crate::dollars::{self, NotMoney};

/// A row. A column that the source's version lacks reads like one that is null.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row(Map<String, Value>);

impl Row {
    /// Reads the JSON object that Postgres makes of a row.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match serde_json::from_str(text) {
            Ok(Value::Object(columns)) => Some(Self(columns)),
            _ => None,
        }
    }

    /// A column as it is.
    #[must_use]
    pub fn value(&self, column: &str) -> Option<&Value> {
        self.0.get(column).filter(|value| !value.is_null())
    }

    /// The names of the columns that hold something: not null, not empty, not false and not zero.
    pub fn filled(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0
            .iter()
            .filter(|(_, value)| says_something(value))
            .map(|(name, value)| (&**name, value))
    }

    /// A text; an empty one counts as none.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&str> {
        self.value(column)?.as_str().filter(|text| !text.is_empty())
    }

    /// The same, owned.
    #[must_use]
    pub fn owned(&self, column: &str) -> Option<String> {
        self.text(column).map(str::to_owned)
    }

    /// A list of texts; what is no text in it is left out.
    #[must_use]
    pub fn texts(&self, column: &str) -> Vec<String> {
        let listed = self.value(column).and_then(Value::as_array).into_iter().flatten();
        listed.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// A list of anything: what should be a list and is `{}` counts as empty.
    #[must_use]
    pub fn list(&self, column: &str) -> &[Value] {
        self.value(column).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// An object; empty where the column holds something else. Older versions wrote some objects as
    /// a text of JSON.
    #[must_use]
    pub fn object(&self, column: &str) -> Map<String, Value> {
        match self.value(column) {
            Some(Value::Object(object)) => object.clone(),
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            _ => Map::new(),
        }
    }

    /// True or false; null is false.
    #[must_use]
    pub fn flag(&self, column: &str) -> bool {
        self.value(column).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A whole number.
    #[must_use]
    pub fn integer(&self, column: &str) -> Option<i64> {
        self.value(column)?.as_i64()
    }

    /// Dollars as nano-dollars.
    ///
    /// # Errors
    /// [`NotMoney`] for what is no amount.
    pub fn money(&self, column: &str) -> Result<Option<Money>, NotMoney> {
        dollars::of_json(self.value(column))
    }

    /// An instant; LiteLLM's columns have no zone and mean UTC.
    #[must_use]
    pub fn instant(&self, column: &str) -> Option<Timestamp> {
        instant(self.text(column)?)
    }
}

/// Reads an instant with or without a zone; without one it is in UTC.
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim().replace(' ', "T");
    Timestamp::parse(&text).or_else(|_| Timestamp::parse(&format!("{text}Z"))).ok()
}

/// Whether a value says anything.
#[must_use]
pub fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row::parse(
            r#"{"spend": 0.1, "none": null, "models": ["a", 7, "b"], "roles": {}, "blocked": null,
                "expires": "2026-05-02T10:00:00.25", "metadata": {"a": 1}, "empty": "",
                "text": "{\"b\": 2}", "tpm": 9007199254740993, "bad": "NaN", "zero": 0}"#,
        )
        .expect("a row")
    }

    #[test]
    fn columns_read_by_their_kind_and_absent_ones_as_null() {
        let row = row();
        assert_eq!(row.money("spend"), Ok(Some(Money::from_nanos(100_000_000))));
        assert_eq!((row.money("none"), row.money("absent")), (Ok(None), Ok(None)));
        assert_eq!(row.money("bad"), Err(NotMoney::NotFinite));
        assert_eq!(row.texts("models"), ["a", "b"]);
        assert!(row.list("roles").is_empty(), "an object where a list is meant");
        assert!(!row.flag("blocked"));
        let expires = row.instant("expires").expect("an instant");
        assert_eq!(expires.to_string(), "2026-05-02T10:00:00.25Z");
        assert_eq!(row.object("metadata")["a"], 1);
        assert_eq!(row.object("text")["b"], 2);
        assert_eq!(row.integer("tpm"), Some(9_007_199_254_740_993));
        assert_eq!((row.text("empty"), row.text("models")), (None, None));
    }

    #[test]
    fn only_what_says_something_is_listed() {
        let names: Vec<String> = row().filled().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(names, ["bad", "expires", "metadata", "models", "spend", "text", "tpm"]);
    }

    #[test]
    fn an_instant_reads_with_and_without_a_zone() {
        for text in ["2026-12-01T00:00:00", "2026-12-01 00:00:00+00:00", "2026-12-01T00:00:00Z"] {
            let instant = instant(text).expect("an instant");
            assert_eq!(instant.to_string(), "2026-12-01T00:00:00Z", "{text}");
        }
        assert_eq!(instant("soon"), None);
    }
}
