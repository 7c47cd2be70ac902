//! The words for how long a budget lasts: LiteLLM's, with the meanings that LiteLLM documents, and
//! those that it takes and gets wrong.

use std::fmt;
use std::num::NonZeroU32;

use thiserror::Error;

use crate::nearest;

/// How long a budget lasts, as it was written: `30d`, `1mo`, `daily`.
///
/// Two words may mean the same (`7d`, `1w` and `weekly`); they are still different words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period(Word);

/// Text that is no period.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{text}` is no budget period: {problem}; write a whole number above zero and one of s, m, h, \
     d, w, mo or y, such as `30d`, or one of hourly, daily, weekly, monthly, quarterly or yearly\
     {}", did_you_mean(self.meant.as_deref())
)]
pub struct PeriodError {
    /// The text, cut to 64 characters.
    pub text: String,
    /// What is wrong with it.
    pub problem: PeriodProblem,
    /// The word that was probably meant.
    pub meant: Option<String>,
}

/// What is wrong with the text of a period.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PeriodProblem {
    /// Nothing is written.
    #[error("it is empty")]
    Empty,
    /// A word that is none of ours.
    #[error("it is no known word")]
    UnknownWord,
    /// A number alone.
    #[error("it has no unit")]
    NoUnit,
    /// A number with a unit that is none of ours.
    #[error("`{0}` is no unit")]
    UnknownUnit(String),
    /// Zero or less.
    #[error("it is not above zero")]
    NotPositive,
    /// A fraction, or what is no number at all, such as `NaN`.
    #[error("it is no whole number")]
    NotWhole,
    /// Longer than a hundred years; holds the longest period in the unit that was used.
    #[error("it is longer than `{0}`")]
    TooLong(Period),
}

/// A period as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Word {
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Quarterly,
    Yearly,
    Count(NonZeroU32, Unit),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// How the spans of a period follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Every so many seconds, whatever the calendar says.
    Seconds(i64),
    /// At every so many days, counted from the anchor.
    Days(i64),
    /// At the first day of each week.
    Week,
    /// At every so many months.
    Months(i64),
}

impl Period {
    /// Reads a period.
    ///
    /// # Errors
    /// [`PeriodError`] for any other text: an unknown word or unit, zero, less than zero, a
    /// fraction, or more than a hundred years. Capitals and blanks are not passed over: `1M`
    /// could be a minute or a month.
    pub fn parse(text: &str) -> Result<Self, PeriodError> {
        if let Some((_, word)) = WORDS.iter().find(|(name, _)| *name == text) {
            return Ok(Self(*word));
        }
        counted(text).map_err(|problem| PeriodError {
            text: text.chars().take(TEXT_CHARS_MAX).collect(),
            meant: meant(text),
            problem,
        })
    }

    /// How its spans follow each other; `strict_days` makes `30d` thirty days.
    pub(super) fn rule(self, strict_days: bool) -> Rule {
        match self.0 {
            Word::Hourly => Rule::Seconds(3600),
            Word::Daily => Rule::Days(1),
            Word::Weekly => Rule::Week,
            Word::Monthly => Rule::Months(1),
            Word::Quarterly => Rule::Months(3),
            Word::Yearly => Rule::Months(12),
            Word::Count(count, unit) => unit.rule(count.get(), strict_days),
        }
    }
}

impl fmt::Display for Period {
    /// The word, which reads back as the same period.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Word::Count(count, unit) => write!(f, "{count}{}", unit.suffix()),
            word => {
                let name = WORDS.iter().find(|(_, known)| *known == word).map(|(name, _)| *name);
                f.write_str(name.unwrap_or_default())
            }
        }
    }
}

impl Unit {
    fn rule(self, count: u32, strict_days: bool) -> Rule {
        let many = i64::from(count);
        match (self, count) {
            (Self::Second, _) => Rule::Seconds(many),
            (Self::Minute, _) => Rule::Seconds(many * 60),
            (Self::Hour, _) => Rule::Seconds(many * 3600),
            (Self::Day, 7) | (Self::Week, 1) => Rule::Week,
            (Self::Day, 30) if !strict_days => Rule::Months(1),
            (Self::Day, _) => Rule::Days(many),
            (Self::Week, _) => Rule::Days(many * 7),
            (Self::Month, _) => Rule::Months(many),
            (Self::Year, _) => Rule::Months(many * 12),
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Day => "d",
            Self::Week => "w",
            Self::Month => "mo",
            Self::Year => "y",
        }
    }

    /// The most of this unit that a period may have: about a hundred years.
    const fn most(self) -> NonZeroU32 {
        const DAYS: u32 = YEARS_MAX * 366;
        let most = match self {
            Self::Second => DAYS * 86_400,
            Self::Minute => DAYS * 24 * 60,
            Self::Hour => DAYS * 24,
            Self::Day => DAYS,
            Self::Week => DAYS / 7,
            Self::Month => YEARS_MAX * 12,
            Self::Year => YEARS_MAX,
        };
        NonZeroU32::MIN.saturating_add(most - 1)
    }
}

/// Reads a count with its unit.
fn counted(text: &str) -> Result<Period, PeriodProblem> {
    let (number, suffix) = number_and_unit(text)?;
    let negative = number.starts_with('-');
    let number = number.trim_start_matches('-');
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PeriodProblem::NotWhole);
    }
    if negative || number.bytes().all(|byte| byte == b'0') {
        return Err(PeriodProblem::NotPositive);
    }
    let unit = match suffix {
        "" => return Err(PeriodProblem::NoUnit),
        suffix => UNITS.into_iter().find(|unit| unit.suffix() == suffix),
    };
    let unknown = || PeriodProblem::UnknownUnit(suffix.chars().take(TEXT_CHARS_MAX).collect());
    let (unit, most) = unit.map(|unit| (unit, unit.most())).ok_or_else(unknown)?;
    number
        .parse()
        .ok()
        .filter(|count| *count <= most)
        .map(|count| Period(Word::Count(count, unit)))
        .ok_or(PeriodProblem::TooLong(Period(Word::Count(most, unit))))
}

/// Cuts text that begins as a number does into the number and what follows it.
fn number_and_unit(text: &str) -> Result<(&str, &str), PeriodProblem> {
    let in_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.');
    let cut = text.find(|c| !in_number(c)).unwrap_or(text.len());
    let lower = text.get(..3).map(str::to_ascii_lowercase);
    match (text.is_empty(), cut) {
        (true, _) => Err(PeriodProblem::Empty),
        (_, 0) if matches!(lower.as_deref(), Some("nan" | "inf")) => Err(PeriodProblem::NotWhole),
        (_, 0) => Err(PeriodProblem::UnknownWord),
        (_, cut) => Ok(text.split_at(cut)),
    }
}

/// The period that was probably meant: a known word with a slip, or a count whose unit is written
/// otherwise.
fn meant(text: &str) -> Option<String> {
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    if number.is_empty() {
        let word = trimmed.to_ascii_lowercase();
        if let Some((_, meant)) = OTHER_WORDS.iter().find(|(other, _)| *other == word) {
            return Some((*meant).to_owned());
        }
        let names = WORDS.iter().map(|(name, _)| *name);
        let exact = WORDS.iter().find(|(name, _)| *name == word).map(|(name, _)| *name);
        return exact.or_else(|| nearest(&word, names, 1).first().copied()).map(str::to_owned);
    }
    let unit = unit.trim().to_ascii_lowercase();
    let (_, suffix) = OTHER_UNITS.iter().find(|(others, _)| others.contains(&unit.as_str()))?;
    let meant = format!("{number}{suffix}");
    counted(&meant).ok().filter(|_| meant != text).map(|period| period.to_string())
}

fn did_you_mean(meant: Option<&str>) -> String {
    meant.map(|word| format!("; did you mean `{word}`")).unwrap_or_default()
}

/// The words without a number. `daily` is LiteLLM's `24h`, which LiteLLM resets at midnight.
const WORDS: [(&str, Word); 6] = [
    ("hourly", Word::Hourly),
    ("daily", Word::Daily),
    ("weekly", Word::Weekly),
    ("monthly", Word::Monthly),
    ("quarterly", Word::Quarterly),
    ("yearly", Word::Yearly),
];

const UNITS: [Unit; 7] =
    [Unit::Second, Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];

/// What people write for the words, each with the word.
const OTHER_WORDS: [(&str, &str); 8] = [
    ("hour", "hourly"),
    ("day", "daily"),
    ("week", "weekly"),
    ("month", "monthly"),
    ("quarter", "quarterly"),
    ("year", "yearly"),
    ("annual", "yearly"),
    ("annually", "yearly"),
];

/// What people write for the units, in small letters, each list with its unit. Of a capital `M`
/// nothing is guessed.
const OTHER_UNITS: [(&[&str], &str); 7] = [
    (&["s", "sec", "secs", "second", "seconds"], "s"),
    (&["min", "mins", "minute", "minutes"], "m"),
    (&["h", "hr", "hrs", "hour", "hours"], "h"),
    (&["d", "day", "days"], "d"),
    (&["w", "wk", "wks", "week", "weeks"], "w"),
    (&["mo", "mon", "month", "months"], "mo"),
    (&["y", "yr", "yrs", "year", "years"], "y"),
];

/// Longest period, in years.
const YEARS_MAX: u32 = 100;

/// Most characters of an offending text that an error repeats.
pub(super) const TEXT_CHARS_MAX: usize = 64;

#[cfg(test)]
mod tests;
