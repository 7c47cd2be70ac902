//! The price list: dated rows, found by name.
//!
//! The text stays as it is; reading a list only finds where its rows begin, and a row's prices are
//! read when the row is found. So the embedded list of thousands of rows costs next to nothing
//! until a model is asked for.

use std::borrow::Cow;
use std::sync::Arc;

use thiserror::Error;
use tollgate_domain::{PriceSheetId, Timestamp};
use tollgate_policy::{ModelLimits, PriceSheet};

use super::row::{Prices, Row, RowProblem};

/// Dated prices of models, cheap to clone.
#[derive(Debug, Clone)]
pub struct PriceList {
    rows: Arc<Rows>,
    /// The day the prices are asked for, `YYYY-MM-DD`; `None` asks for the latest.
    day: Option<Box<str>>,
}

/// A model's prices and limits on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedModel {
    /// The prices; the sheet's identity is `name@effective_from`.
    pub sheet: Arc<PriceSheet>,
    /// What is known about the model's answers.
    pub limits: ModelLimits,
    /// The longest prompt in tokens, or `None` when nobody said.
    pub max_input: Option<u64>,
    /// The task, such as `chat`; `None` when nobody said.
    pub mode: Option<Box<str>>,
    /// Whose price it is.
    pub provider: Box<str>,
}

/// A line of a price list that is no row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line} of the price list is not a row")]
pub struct PriceListError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    #[source]
    pub problem: RowProblem,
}

#[derive(Debug)]
struct Rows {
    text: Cow<'static, str>,
    /// Where each row begins and ends, sorted by name, then day.
    spans: Vec<(usize, usize)>,
}

impl PriceList {
    /// The list that comes with the program.
    #[must_use]
    pub fn embedded() -> Self {
        Self { rows: Arc::new(Rows::of(Cow::Borrowed(EMBEDDED))), day: None }
    }

    /// Reads a list, which may be in any order. Every row is checked.
    ///
    /// # Errors
    /// [`PriceListError`] with the first line that is neither a row nor empty nor a `#` comment.
    pub fn parse(text: &str) -> Result<Self, PriceListError> {
        for (at, line) in text.lines().enumerate().filter(|(_, line)| is_row(line)) {
            let check = |line| Prices::read(Row::read(line)?.prices);
            check(line).map_err(|problem| PriceListError { line: at + 1, problem })?;
        }
        Ok(Self { rows: Arc::new(Rows::of(Cow::Owned(text.to_owned()))), day: None })
    }

    /// The same list, asked for the prices of an instant's UTC day instead of the latest ones.
    #[must_use]
    pub fn as_of(&self, now: Timestamp) -> Self {
        let day = now.to_string().get(..10).map(Box::from);
        Self { rows: Arc::clone(&self.rows), day }
    }

    /// The first of these names that has a price. Of its rows it is the latest that is in force;
    /// before the first of them is in force, the first, since nothing older is known.
    #[must_use]
    pub fn find(&self, names: &[&str]) -> Option<PricedModel> {
        names.iter().find_map(|name| self.row(name)).and_then(|row| priced(&row))
    }

    /// The names of a provider's models, sorted.
    pub fn models_of(&self, provider: &str) -> impl Iterator<Item = &str> {
        let mut names: Vec<&str> = self.rows_of(provider).map(|row| row.name).collect();
        names.dedup();
        names.into_iter()
    }

    /// The name of every row, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.rows.spans.iter().map(|span| self.rows.name(*span))
    }

    /// How many rows the list has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.spans.len()
    }

    /// Whether the list has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.spans.is_empty()
    }

    /// Every row of a provider, sorted by name, then day.
    pub(crate) fn rows_of(&self, provider: &str) -> impl Iterator<Item = Row<'_>> {
        let rows = (0..self.len()).filter_map(|at| self.rows.row(at));
        rows.filter(move |row| row.provider == provider)
    }

    /// The row of a name that is in force.
    pub(crate) fn row(&self, name: &str) -> Option<Row<'_>> {
        let spans = &self.rows.spans;
        let start = spans.partition_point(|span| self.rows.name(*span) < name);
        let same = |span: &&(usize, usize)| self.rows.name(**span) == name;
        let count = spans.get(start..)?.iter().take_while(same).count();
        let mut rows = (start..start + count).filter_map(|at| self.rows.row(at));
        let Some(day) = &self.day else { return rows.next_back() };
        let first = rows.next()?;
        rows.take_while(|row| row.effective_from <= &**day).last().or(Some(first))
    }
}

impl Rows {
    fn of(text: Cow<'static, str>) -> Self {
        let mut rows = Self { text, spans: Vec::new() };
        let mut start = 0;
        let mut spans = Vec::with_capacity(rows.text.len() / 100);
        for line in rows.text.split_inclusive('\n') {
            let end = start + line.trim_end_matches(['\n', '\r']).len();
            if rows.text.get(start..end).is_some_and(is_row) {
                spans.push((start, end));
            }
            start += line.len();
        }
        if !spans.is_sorted_by_key(|span| rows.order(*span)) {
            spans.sort_by_key(|span| rows.order(*span));
        }
        rows.spans = spans;
        rows
    }

    fn line(&self, (start, end): (usize, usize)) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn name(&self, span: (usize, usize)) -> &str {
        self.line(span).split('\t').next().unwrap_or_default()
    }

    fn order(&self, span: (usize, usize)) -> (&str, &str) {
        let mut columns = self.line(span).split('\t');
        (columns.next().unwrap_or_default(), columns.nth(2).unwrap_or_default())
    }

    fn row(&self, at: usize) -> Option<Row<'_>> {
        Row::read(self.line(*self.spans.get(at)?)).ok()
    }
}

/// A row with its prices read; `None` for a row that [`PriceList::parse`] would have refused.
fn priced(row: &Row<'_>) -> Option<PricedModel> {
    let Prices { rates, tiers, per_request, per_searching_call } = Prices::read(row.prices).ok()?;
    let id = PriceSheetId::new(&format!("{}@{}", row.name, row.effective_from)).ok()?;
    Some(PricedModel {
        sheet: Arc::new(PriceSheet { id, rates, tiers, per_request, per_searching_call }),
        limits: ModelLimits {
            max_input: row.max_input,
            max_output: row.max_output,
            reserve_output: None,
        },
        max_input: row.max_input,
        mode: row.mode.map(Box::from),
        provider: row.provider.into(),
    })
}

fn is_row(line: &str) -> bool {
    !line.is_empty() && !line.starts_with('#')
}

/// The list that comes with the program; its head says where it is from.
const EMBEDDED: &str = include_str!("../../prices/models.tsv");

#[cfg(test)]
mod tests;
