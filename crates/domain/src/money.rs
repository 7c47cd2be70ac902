//! Money and prices as integers: nothing here is ever a floating-point number.

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::{NotADecimal, parse_scaled};

/// Nano-dollars in a dollar.
const NANOS_PER_DOLLAR: i64 = 1_000_000_000;

/// An amount of US dollars as a signed count of nano-dollars (10⁻⁹ $); the range is ±9.2 billion
/// dollars.
///
/// Arithmetic is checked: there is no operator that could wrap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// Why a text or a number is not an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not a finite decimal number.
    #[error("not a finite decimal number")]
    NotANumber,
    /// Outside ±9.2 billion dollars.
    #[error("outside the range of money, ±9.2 billion dollars")]
    OutOfRange,
}

impl From<NotADecimal> for MoneyError {
    fn from(_: NotADecimal) -> Self {
        Self::NotANumber
    }
}

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount from a count of nano-dollars.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The amount as a count of nano-dollars.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Reads dollars as decimal text (`0.25`, `1e-3`), rounding half away from zero below a
    /// nano-dollar.
    ///
    /// # Errors
    /// [`MoneyError`] when the text is not a finite number or does not fit.
    pub fn parse_dollars(text: &str) -> Result<Self, MoneyError> {
        let scaled = parse_scaled(text, 9)?;
        i64::try_from(scaled.value).map(Self).map_err(|_| MoneyError::OutOfRange)
    }

    /// An amount from an `i128` count of nano-dollars, the width that costs are computed in.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] when it does not fit.
    pub fn try_from_nanos(nanos: i128) -> Result<Self, MoneyError> {
        i64::try_from(nanos).map(Self).map_err(|_| MoneyError::OutOfRange)
    }

    /// The sum, or `None` when it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` when it does not fit.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The sum, held at the end of the range. For sums of what was already spent, where stopping at
    /// the largest amount refuses further spending and wrapping would allow it.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, held at the end of the range.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whether the amount is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl fmt::Display for Money {
    /// Exact decimal dollars without a sign of currency and without trailing zeros: `0.0000125`,
    /// `12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = split(self.0);
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{part:09}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

fn split(nanos: i64) -> (u64, u64) {
    let magnitude = nanos.unsigned_abs();
    (magnitude / NANOS_PER_DOLLAR.unsigned_abs(), magnitude % NANOS_PER_DOLLAR.unsigned_abs())
}

impl Serialize for Money {
    /// A JSON number of dollars, as the management API's clients expect. The division is correctly
    /// rounded, so the shortest decimal form of the result is the exact amount for every amount
    /// below nine million dollars.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "the edge prints dollars as a JSON number; the integer stays the truth"
        )]
        serializer.serialize_f64(self.0 as f64 / NANOS_PER_DOLLAR as f64)
    }
}

/// A price in pico-dollars (10⁻¹² $) per unit: per token, image, character, second or search. Never
/// negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u64);

/// Why a text is not a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PriceError {
    /// Not a finite decimal number.
    #[error("not a finite decimal number")]
    NotANumber,
    /// Below zero.
    #[error("a price is never negative")]
    Negative,
    /// Larger than 18 million dollars per unit.
    #[error("outside the range of a price")]
    OutOfRange,
}

impl Price {
    /// Free of charge, which is a known price.
    pub const FREE: Self = Self(0);

    /// A price from a count of pico-dollars per unit.
    #[must_use]
    pub const fn from_picos(picos: u64) -> Self {
        Self(picos)
    }

    /// The price as a count of pico-dollars per unit.
    #[must_use]
    pub const fn picos(self) -> u64 {
        self.0
    }

    /// Reads dollars per unit as decimal text (`2.5e-06`), rounding half up below a pico-dollar.
    ///
    /// # Errors
    /// [`PriceError`] when the text is not a finite number, is negative or does not fit.
    pub fn parse_dollars(text: &str) -> Result<Self, PriceError> {
        let scaled = parse_scaled(text, 12).map_err(|NotADecimal| PriceError::NotANumber)?;
        if scaled.value < 0 {
            return Err(PriceError::Negative);
        }
        u64::try_from(scaled.value).map(Self).map_err(|_| PriceError::OutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_reads_and_prints_as_the_same_decimal() {
        for text in ["0", "12", "0.25", "-3.000000001", "0.000000001", "9000000000"] {
            assert_eq!(Money::parse_dollars(text).expect("an amount").to_string(), text);
        }
        assert_eq!(Money::parse_dollars("1e-3").expect("an amount").to_string(), "0.001");
        assert_eq!(Money::from_nanos(i64::MIN).to_string(), "-9223372036.854775808");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        assert_eq!(Money::parse_dollars("NaN"), Err(MoneyError::NotANumber));
        assert_eq!(Money::parse_dollars("1e12"), Err(MoneyError::OutOfRange));
        assert_eq!(Price::parse_dollars("-1e-6"), Err(PriceError::Negative));
        assert_eq!(Price::parse_dollars("1e9"), Err(PriceError::OutOfRange));
    }

    #[test]
    fn sums_never_wrap() {
        assert_eq!(Money::MAX.checked_add(Money::from_nanos(1)), None);
        assert_eq!(Money::MAX.saturating_add(Money::from_nanos(1)), Money::MAX);
        assert_eq!(Money::from_nanos(i64::MIN).checked_sub(Money::from_nanos(1)), None);
    }

    #[test]
    fn a_price_keeps_every_digit_of_a_usual_price_list() {
        assert_eq!(Price::parse_dollars("2.5e-06"), Ok(Price::from_picos(2_500_000)));
        assert_eq!(Price::parse_dollars("7.5e-08"), Ok(Price::from_picos(75_000)));
        assert_eq!(Price::parse_dollars("0"), Ok(Price::FREE));
    }
}
