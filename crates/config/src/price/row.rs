//! One line of the price list: a model, a date, its limits and its prices.
//!
//! ```text
//! name  provider  mode  effective_from  max_input  max_output  prices
//! ```
//!
//! Columns are separated by one tab; `-` stands for what is not known. `prices` holds words
//! separated by one space: `kind=picos` gives the price of one unit of a usage kind in pico-dollars
//! (10⁻¹² $), `request=picos` that of a call, `searching=picos` that of a call that searched,
//! however often, and `>tokens` begins the prices of calls whose prompt is longer, which apply to
//! the whole call.

use std::fmt::Write as _;

use thiserror::Error;
use tollgate_domain::{Price, UsageKind};
use tollgate_policy::{PriceTier, Rates};

/// The columns of one line; the prices are not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) provider: &'a str,
    /// The task, such as `chat`; `None` when nobody said.
    pub(crate) mode: Option<&'a str>,
    /// The first day, `YYYY-MM-DD` in UTC, on which the prices apply.
    pub(crate) effective_from: &'a str,
    pub(crate) max_input: Option<u64>,
    pub(crate) max_output: Option<u64>,
    pub(crate) prices: &'a str,
}

/// The prices of one row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prices {
    pub(crate) rates: Rates,
    /// Ascending by threshold, each threshold once.
    pub(crate) tiers: Vec<PriceTier>,
    pub(crate) per_request: Option<Price>,
    pub(crate) per_searching_call: Option<Price>,
}

/// Why a line is not a row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RowProblem {
    /// Not seven columns.
    #[error("a row has 7 columns separated by tabs, this one has {0}")]
    Columns(usize),
    /// The name is empty, too long or holds control characters.
    #[error("`{0}` is not a model name")]
    Name(String),
    /// Not a day.
    #[error("`{0}` is not a day such as `2026-01-31`")]
    Day(String),
    /// Not a whole number and not `-`.
    #[error("`{0}` is neither a number of tokens nor `-`")]
    Limit(String),
    /// Not a price.
    #[error("`{0}` is neither `kind=picos` nor `>tokens`")]
    Price(String),
    /// One kind has two prices.
    #[error("`{0}` is priced twice")]
    Twice(String),
}

impl<'a> Row<'a> {
    /// Reads a line's columns.
    pub(crate) fn read(line: &'a str) -> Result<Self, RowProblem> {
        let mut columns = line.split('\t');
        let mut next = || columns.next();
        let (Some(name), Some(provider), Some(mode), Some(effective_from), Some(input)) =
            (next(), next(), next(), next(), next())
        else {
            return Err(RowProblem::Columns(line.split('\t').count()));
        };
        let (Some(output), Some(prices), None) = (next(), next(), next()) else {
            return Err(RowProblem::Columns(line.split('\t').count()));
        };
        if !is_day(effective_from) {
            return Err(RowProblem::Day(effective_from.to_owned()));
        }
        // The sheet's identity is `name@day`, and an identifier has at most 256 bytes.
        let usable = (1..=NAME_BYTES_MAX).contains(&name.len());
        if !usable || name.chars().any(char::is_control) {
            return Err(RowProblem::Name(name.to_owned()));
        }
        let (max_input, max_output) = (limit(input)?, limit(output)?);
        let mode = Some(mode).filter(|mode| *mode != UNKNOWN);
        Ok(Self { name, provider, mode, effective_from, max_input, max_output, prices })
    }

    /// The line, without its line break.
    pub(crate) fn write(&self) -> String {
        let number = |limit: Option<u64>| limit.map_or(UNKNOWN.to_owned(), |n| n.to_string());
        let columns = [
            self.name,
            self.provider,
            self.mode.unwrap_or(UNKNOWN),
            self.effective_from,
            &number(self.max_input),
            &number(self.max_output),
            self.prices,
        ];
        columns.join("\t")
    }
}

impl Prices {
    /// Reads the last column.
    pub(crate) fn read(text: &str) -> Result<Self, RowProblem> {
        let mut prices = Self::default();
        for word in text.split(' ') {
            let problem = || RowProblem::Price(word.to_owned());
            if let Some(tokens) = word.strip_prefix('>') {
                let above = tokens.parse().map_err(|_| problem())?;
                prices.open_tier(above, word)?;
                continue;
            }
            let (name, picos) = word.split_once('=').ok_or_else(problem)?;
            let price = Price::from_picos(picos.parse().map_err(|_| problem())?);
            let fresh = match kind(name) {
                Some(kind) => prices.current().insert(kind, price),
                None if name == REQUEST => prices.per_request.replace(price).is_none(),
                None if name == SEARCHING => prices.per_searching_call.replace(price).is_none(),
                None => return Err(problem()),
            };
            if !fresh {
                return Err(RowProblem::Twice(name.to_owned()));
            }
        }
        Ok(prices)
    }

    /// The text that [`Prices::read`] reads.
    pub(crate) fn write(&self) -> String {
        let mut text = String::new();
        write_rates(&mut text, &self.rates);
        for (name, price) in [(REQUEST, self.per_request), (SEARCHING, self.per_searching_call)] {
            if let Some(price) = price {
                word(&mut text, format_args!("{name}={}", price.picos()));
            }
        }
        for tier in &self.tiers {
            word(&mut text, format_args!(">{}", tier.above_prompt_tokens));
            write_rates(&mut text, &tier.rates);
        }
        text
    }

    /// Sets what a search costs, or else a call that searched, unless there is such a price.
    pub(crate) fn put_search(&mut self, by_call: bool, price: Price) {
        if by_call {
            self.per_searching_call.get_or_insert(price);
        } else {
            self.rates.insert(UsageKind::Searches, price);
        }
    }

    /// Sets a price unless there is one; whether there was none.
    pub(crate) fn put(&mut self, above: Option<u64>, kind: UsageKind, price: Price) -> bool {
        let Some(above) = above else { return self.rates.insert(kind, price) };
        let at = self.tiers.partition_point(|tier| tier.above_prompt_tokens < above);
        if self.tiers.get(at).is_none_or(|tier| tier.above_prompt_tokens != above) {
            let tier = PriceTier { above_prompt_tokens: above, rates: Rates::default() };
            self.tiers.insert(at, tier);
        }
        self.tiers.get_mut(at).is_some_and(|tier| tier.rates.insert(kind, price))
    }

    fn open_tier(&mut self, above: u64, word: &str) -> Result<(), RowProblem> {
        if self.tiers.last().is_some_and(|tier| tier.above_prompt_tokens >= above) {
            return Err(RowProblem::Price(word.to_owned()));
        }
        self.tiers.push(PriceTier { above_prompt_tokens: above, rates: Rates::default() });
        Ok(())
    }

    fn current(&mut self) -> &mut Rates {
        self.tiers.last_mut().map_or(&mut self.rates, |tier| &mut tier.rates)
    }
}

trait Insert {
    /// Sets a price unless there is one; whether there was none.
    fn insert(&mut self, kind: UsageKind, price: Price) -> bool;
}

impl Insert for Rates {
    fn insert(&mut self, kind: UsageKind, price: Price) -> bool {
        let fresh = self.get(kind).is_none();
        if fresh {
            self.set(kind, price);
        }
        fresh
    }
}

fn write_rates(text: &mut String, rates: &Rates) {
    for (kind, price) in rates.known() {
        word(text, format_args!("{}={}", kind.as_str(), price.picos()));
    }
}

fn word(text: &mut String, word: std::fmt::Arguments<'_>) {
    if !text.is_empty() {
        text.push(' ');
    }
    // Writing to a `String` cannot fail.
    let _ = text.write_fmt(word);
}

fn kind(name: &str) -> Option<UsageKind> {
    UsageKind::ALL.into_iter().find(|kind| kind.as_str() == name)
}

fn limit(text: &str) -> Result<Option<u64>, RowProblem> {
    match text {
        UNKNOWN => Ok(None),
        _ => text.parse().map(Some).map_err(|_| RowProblem::Limit(text.to_owned())),
    }
}

/// Whether a text has the form of a day; such texts sort by time.
pub(crate) fn is_day(text: &str) -> bool {
    let digit_or_dash = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(digit_or_dash)
}

/// What is written where nothing is known.
const UNKNOWN: &str = "-";
/// The name of the price per call.
const REQUEST: &str = "request";
/// The name of the price per call that searched.
const SEARCHING: &str = "searching";
/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 200;

#[cfg(test)]
mod tests;
