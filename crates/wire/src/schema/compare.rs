//! Numbers and values as JSON Schema compares them: `1` and `1.0` are one number.

use serde_json::{Number, Value};

/// How far a quotient may be from a whole number for the division to count as exact: floating
/// point has no 0.1.
const QUOTIENT_SLACK: f64 = 1e-9;

/// Whether two values are equal.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Whether a number is whole.
pub(super) fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|n| n.fract() == 0.0)
}

/// Whether a number is a multiple of another; what cannot be told is taken to be one.
pub(super) fn is_multiple(number: f64, of: f64) -> bool {
    let quotient = number / of;
    if !quotient.is_finite() {
        return true;
    }
    (quotient - quotient.round()).abs() <= QUOTIENT_SLACK * quotient.abs().max(1.0)
}
