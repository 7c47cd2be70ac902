//! Decimal text to a scaled integer, without passing through binary floating point.

use thiserror::Error;

/// Longest decimal text that is read, in bytes; a price or an amount never needs more.
const TEXT_BYTES_MAX: usize = 64;
/// Largest power of ten in either direction that is read.
const EXPONENT_MAX: i32 = 40;

/// Text that is not a finite decimal number within the readable range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a finite decimal number")]
pub struct NotADecimal;

/// A decimal number multiplied by a power of ten and rounded half away from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scaled {
    /// The number × 10^scale, rounded.
    pub value: i128,
    /// Whether no digit was lost.
    pub exact: bool,
}

/// Reads decimal text such as `12`, `-0.5`, `1.5e-7` or `2E+3` as an integer count of `10^-scale`.
///
/// # Errors
/// [`NotADecimal`] for anything else, `nan` and `inf` included, and for numbers outside ±10^38.
pub fn parse_scaled(text: &str, scale: u32) -> Result<Scaled, NotADecimal> {
    if text.is_empty() || text.len() > TEXT_BYTES_MAX {
        return Err(NotADecimal);
    }
    let (negative, rest) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = split_exponent(rest)?;
    let (digits, point) = read_digits(mantissa)?;
    let shift = i32::try_from(scale).map_err(|_| NotADecimal)? + exponent - point;
    let (magnitude, exact) = shifted(digits, shift)?;
    Ok(Scaled { value: if negative { -magnitude } else { magnitude }, exact })
}

fn split_exponent(text: &str) -> Result<(&str, i32), NotADecimal> {
    let Some(at) = text.find(['e', 'E']) else { return Ok((text, 0)) };
    let exponent: i32 = text[at + 1..].parse().map_err(|_| NotADecimal)?;
    if exponent.abs() > EXPONENT_MAX {
        return Err(NotADecimal);
    }
    Ok((&text[..at], exponent))
}

/// The digits as one integer, and how many of them stood after the point.
fn read_digits(text: &str) -> Result<(i128, i32), NotADecimal> {
    let mut digits: i128 = 0;
    let mut after_point: Option<i32> = None;
    let mut seen = false;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                digits = digits
                    .checked_mul(10)
                    .and_then(|d| d.checked_add(i128::from(byte - b'0')))
                    .ok_or(NotADecimal)?;
                after_point = after_point.map(|n| n + 1);
                seen = true;
            }
            b'.' if after_point.is_none() => after_point = Some(0),
            _ => return Err(NotADecimal),
        }
    }
    if !seen {
        return Err(NotADecimal);
    }
    Ok((digits, after_point.unwrap_or(0)))
}

fn shifted(digits: i128, shift: i32) -> Result<(i128, bool), NotADecimal> {
    let Some(power) = 10i128.checked_pow(shift.unsigned_abs()) else {
        // Ten to this power does not fit: a zero stays zero, a tiny number rounds to zero, a huge
        // one is refused.
        return match (digits, shift < 0) {
            (0, _) => Ok((0, true)),
            (_, true) => Ok((0, false)),
            (_, false) => Err(NotADecimal),
        };
    };
    if shift >= 0 {
        return digits.checked_mul(power).map(|v| (v, true)).ok_or(NotADecimal);
    }
    let (quotient, remainder) = (digits / power, digits % power);
    let rounded = if remainder * 2 >= power { quotient + 1 } else { quotient };
    Ok((rounded, remainder == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_becomes_a_scaled_integer_without_binary_error() {
        let cases = [
            ("12", 2, 1200, true),
            ("-0.5", 3, -500, true),
            ("1.5e-7", 12, 150_000, true),
            ("2E+3", 0, 2000, true),
            ("0.1", 9, 100_000_000, true),
            ("0.0000000005", 9, 1, false),
            ("0.00000000049", 9, 0, false),
            (".5", 1, 5, true),
            ("5.", 0, 5, true),
            ("0e40", 40, 0, true),
            ("1e-40", 0, 0, false),
        ];
        for (text, scale, value, exact) in cases {
            assert_eq!(parse_scaled(text, scale), Ok(Scaled { value, exact }), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_finite_decimal_is_refused() {
        for text in
            ["", ".", "-", "nan", "inf", "1e", "1e999", "1.2.3", "0x10", "1_000", " 1", "1 "]
        {
            assert_eq!(parse_scaled(text, 9), Err(NotADecimal), "{text:?}");
        }
        assert_eq!(parse_scaled(&"9".repeat(65), 0), Err(NotADecimal));
        assert_eq!(parse_scaled("9e40", 9), Err(NotADecimal));
    }
}
