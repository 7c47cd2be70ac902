//! Floating-point dollars to nano-dollars: the one place where LiteLLM's doubles become money.
//!
//! LiteLLM stores spend as a double. The amount that it means is taken to be the shortest decimal
//! number that reads back as that double, which is what every client of LiteLLM sees, rounded to
//! the nano-dollar, half to even. So `0.1` is a hundred million nano-dollars, although the double
//! is a little more.

use serde_json::Value;
use thiserror::Error;
use tollgate_domain::Money;

/// A number that is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotMoney {
    /// `NaN`, an infinity, or no number at all.
    #[error("it is no finite number")]
    NotFinite,
    /// Outside ±9.2 billion dollars.
    #[error("it is outside the range of money, ±9.2 billion dollars")]
    OutOfRange,
}

/// The amount that a double means.
///
/// # Errors
/// [`NotMoney`] for what is no amount.
pub fn money(dollars: f64) -> Result<Money, NotMoney> {
    if !dollars.is_finite() {
        return Err(NotMoney::NotFinite);
    }
    // `{:e}` writes the shortest digits that read back as the same double: `1.25e-3`.
    let text = format!("{dollars:e}");
    let (mantissa, exponent) = text.split_once('e').ok_or(NotMoney::NotFinite)?;
    let exponent: i32 = exponent.parse().map_err(|_| NotMoney::NotFinite)?;
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let negative = whole.starts_with('-');
    let digits = format!("{}{part}", whole.trim_start_matches('-'));
    let digits: i128 = digits.parse().map_err(|_| NotMoney::NotFinite)?;
    let places = i32::try_from(part.len()).map_err(|_| NotMoney::NotFinite)?;
    let nanos = scaled(digits, exponent - places + NANO_PLACES).ok_or(NotMoney::OutOfRange)?;
    Money::try_from_nanos(if negative { -nanos } else { nanos }).map_err(|_| NotMoney::OutOfRange)
}

/// The amount that a column or a field holds: `None` where it is null.
///
/// # Errors
/// [`NotMoney`] for what is no amount.
pub fn of_json(value: Option<&Value>) -> Result<Option<Money>, NotMoney> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => {
            number.as_f64().ok_or(NotMoney::NotFinite).and_then(money).map(Some)
        }
        // Postgres writes `NaN` and the infinities as JSON texts; a number that somebody quoted is
        // one all the same.
        Some(Value::String(text)) => {
            text.trim().parse().map_err(|_| NotMoney::NotFinite).and_then(money).map(Some)
        }
        Some(_) => Err(NotMoney::NotFinite),
    }
}

/// `digits` × 10^`power`, rounded half to even; `None` when it does not fit.
fn scaled(digits: i128, power: i32) -> Option<i128> {
    if power >= 0 {
        let factor = 10i128.checked_pow(power.unsigned_abs());
        return if digits == 0 { Some(0) } else { digits.checked_mul(factor?) };
    }
    // A double has at most 17 digits: divided by more than all of them it rounds to nothing.
    let Some(divisor) = 10i128.checked_pow(power.unsigned_abs()) else { return Some(0) };
    let (quotient, rest) = (digits / divisor, digits % divisor);
    let up = match (rest * 2).cmp(&divisor) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    Some(quotient + i128::from(up))
}

/// How many decimal places a nano-dollar has.
const NANO_PLACES: i32 = 9;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_double_means_its_shortest_decimal_rounded_half_to_even() {
        for (dollars, nanos) in [
            (0.0, 0),
            (-0.0, 0),
            (0.1, 100_000_000),
            (0.1 + 0.2, 300_000_000),
            (1.0, 1_000_000_000),
            (12.5, 12_500_000_000),
            (0.000_000_000_5, 0),
            (0.000_000_001_5, 2),
            (0.000_000_002_5, 2),
            (0.000_000_002_500_000_1, 3),
            (-0.000_000_001_5, -2),
            (5e-324, 0),
            (1e-45, 0),
            (9_223_372_036.0, 9_223_372_036_000_000_000),
        ] {
            assert_eq!(money(dollars), Ok(Money::from_nanos(nanos)), "{dollars:e}");
        }
    }

    #[test]
    fn what_is_no_amount_is_said_to_be_none() {
        assert_eq!(money(f64::NAN), Err(NotMoney::NotFinite));
        assert_eq!(money(f64::INFINITY), Err(NotMoney::NotFinite));
        assert_eq!(money(1e11), Err(NotMoney::OutOfRange));
        assert_eq!(money(f64::MAX), Err(NotMoney::OutOfRange));
        assert_eq!(of_json(Some(&json!("NaN"))), Err(NotMoney::NotFinite));
        assert_eq!(of_json(Some(&json!([1]))), Err(NotMoney::NotFinite));
        assert_eq!(of_json(Some(&json!(null))), Ok(None));
        assert_eq!(of_json(Some(&json!("2.5"))), Ok(Some(Money::from_nanos(2_500_000_000))));
        assert_eq!(of_json(Some(&json!(3))), Ok(Some(Money::from_nanos(3_000_000_000))));
    }

    proptest! {
        // A double holds any fifteen digits: a million dollars to the nano-dollar.
        #[test]
        fn an_amount_that_was_written_as_a_double_comes_back(
            nanos in -999_999_999_999_999i64..1_000_000_000_000_000,
        ) {
            let dollars: f64 = Money::from_nanos(nanos).to_string().parse().expect("a number");
            prop_assert_eq!(money(dollars), Ok(Money::from_nanos(nanos)));
        }
    }
}
