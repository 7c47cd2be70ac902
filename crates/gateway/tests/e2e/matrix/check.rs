//! Comparing what was seen with what was expected: a difference is a verdict of one cell of the
//! table, not the end of the test.

use std::fmt::Debug;

use serde_json::Value;

/// Whether a cell holds, and if not, why.
pub(crate) type Verdict<T = ()> = Result<T, String>;

/// Both are the same.
#[expect(clippy::needless_pass_by_value, reason = "most are made for the comparison")]
pub(crate) fn same<T: PartialEq<U> + Debug, U: Debug>(what: &str, seen: T, wanted: U) -> Verdict {
    holds(seen == wanted, || format!("{what}: got {seen:?}, expected {wanted:?}"))
}

/// It is so, or else this is why not.
pub(crate) fn holds(so: bool, why_not: impl FnOnce() -> String) -> Verdict {
    if so { Ok(()) } else { Err(why_not()) }
}

/// What a JSON pointer points to; `null` where there is nothing.
pub(crate) fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// The value at a JSON pointer is this one.
pub(crate) fn says(value: &Value, pointer: &str, wanted: impl Into<Value>) -> Verdict {
    same(pointer, at(value, pointer), &wanted.into()).map_err(|why| format!("{why} in {value}"))
}

/// The text of a content: a string, or a list of parts with texts.
pub(crate) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(|part| text_of(&part["text"])).collect(),
        _ => String::new(),
    }
}

/// A JSON text that stands in a string.
pub(crate) fn inner_json(text: &Value) -> Verdict<Value> {
    let inner = text.as_str().ok_or_else(|| format!("{text} is no text"))?;
    serde_json::from_str(inner).map_err(|error| format!("no JSON ({error}) in {text}"))
}

/// A JSON text.
pub(crate) fn json(text: &str) -> Verdict<Value> {
    serde_json::from_str(text).map_err(|error| format!("no JSON ({error}): {text}"))
}

/// A count of tokens; 0 where none is given.
pub(crate) fn count(value: &Value, pointer: &str) -> u64 {
    at(value, pointer).as_u64().unwrap_or(0)
}

/// The elements of a list; none of anything else.
pub(crate) fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    at(value, pointer).as_array().map_or(&[], Vec::as_slice)
}
