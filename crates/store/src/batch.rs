//! Statements over many rows, as data: a text and the values of its placeholders.
//!
//! The number of rows in a statement is one of a few, so that each connection prepares few texts
//! however the load varies.

use std::borrow::Cow;
use std::fmt::Write as _;

/// How many rows one statement takes, largest first. The largest stays far below both engines'
/// limits on placeholders (32,766 in SQLite) with forty columns.
const ROWS_PER_STATEMENT: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];

/// The value of one placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Text(Option<&'a str>),
    Integer(Option<i64>),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<&'a Option<String>> for Value<'a> {
    fn from(text: &'a Option<String>) -> Self {
        Self::Text(text.as_deref())
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

/// One statement, ready for either engine.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    text: Text<'a>,
    pub(crate) values: Vec<Value<'a>>,
}

#[derive(Debug, Clone, Copy)]
enum Text<'a> {
    Whole(&'static str),
    Rows(Rows<'a>),
}

/// A statement over many rows, without their values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// What stands before the rows.
    pub(crate) head: &'a str,
    /// How many values each row has.
    pub(crate) columns: usize,
    /// What each row ends with behind its values; empty or begins with a comma.
    pub(crate) constants: &'a str,
    /// What stands behind the rows.
    pub(crate) tail: &'a str,
}

/// How the placeholders of a statement over many rows are written.
///
/// SQLite keeps numbered placeholders as names, in a list that is searched from its start for each
/// one: with thousands of them that is most of the work of writing. Postgres knows only numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placeholders {
    /// `?`, one after the other.
    Bare,
    /// `$1`, `$2` and so on.
    Numbered,
}

impl<'a> Statement<'a> {
    pub(crate) fn new(text: &'static str, values: impl Into<Vec<Value<'a>>>) -> Self {
        Self { text: Text::Whole(text), values: values.into() }
    }

    /// `HEAD (…), (…), … TAIL` with `columns` placeholders in each of the parentheses.
    pub(crate) fn rows(
        head: &'a str,
        columns: usize,
        tail: &'a str,
        values: Vec<Value<'a>>,
    ) -> Self {
        Rows { head, columns, constants: "", tail }.of(values)
    }

    /// The statement's text.
    pub(crate) fn text(&self, placeholders: Placeholders) -> Cow<'static, str> {
        match self.text {
            Text::Whole(text) => Cow::Borrowed(text),
            Text::Rows(rows) => Cow::Owned(rows.text(placeholders, self.values.len())),
        }
    }
}

impl<'a> Rows<'a> {
    /// The statement with these values, row by row.
    pub(crate) fn of(self, values: Vec<Value<'a>>) -> Statement<'a> {
        debug_assert!(self.columns > 0 && values.len().is_multiple_of(self.columns), "whole rows");
        Statement { text: Text::Rows(self), values }
    }

    fn text(&self, placeholders: Placeholders, values: usize) -> String {
        let Self { head, columns, constants, tail } = *self;
        let rows = values / columns.max(1) * (constants.len() + 4);
        let mut text = String::with_capacity(head.len() + tail.len() + values * 6 + rows);
        text.push_str(head);
        for index in 0..values {
            match (index, index % columns) {
                (0, 0) => text.push_str(" ("),
                (_, 0) => {
                    text.push_str(constants);
                    text.push_str("), (");
                }
                _ => text.push_str(", "),
            }
            match placeholders {
                Placeholders::Bare => text.push('?'),
                // Writing to a String cannot fail.
                Placeholders::Numbered => drop(write!(text, "${}", index + 1)),
            }
        }
        text.push_str(constants);
        text.push_str(") ");
        text.push_str(tail);
        text
    }
}

/// The rows in slices of a few fixed lengths, in order.
pub(crate) fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = ROWS_PER_STATEMENT.into_iter().find(|length| *length <= rows.len())?;
        let (chunk, rest) = rows.split_at(length);
        rows = rest;
        Some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_numbers_its_placeholders_row_by_row() {
        let values = vec![Value::from(1), Value::from("a"), Value::from(2), Value::from("b")];
        let statement = Statement::rows("INSERT INTO t (n, s) VALUES", 2, "RETURNING n", values);
        let numbered = "INSERT INTO t (n, s) VALUES ($1, $2), ($3, $4) RETURNING n";
        assert_eq!(statement.text(Placeholders::Numbered), numbered);
        let bare = "INSERT INTO t (n, s) VALUES (?, ?), (?, ?) RETURNING n";
        assert_eq!(statement.text(Placeholders::Bare), bare);
    }

    #[test]
    fn what_is_the_same_in_every_row_is_no_value() {
        let rows = Rows { head: "INSERT INTO t VALUES", columns: 1, constants: ", 0", tail: "" };
        let statement = rows.of(vec![Value::from(1), Value::from(2)]);
        assert_eq!(statement.text(Placeholders::Bare), "INSERT INTO t VALUES (?, 0), (?, 0) ");
    }

    #[test]
    fn chunks_have_few_lengths_and_lose_nothing() {
        for total in [0, 1, 7, 8, 31, 33, 127, 128, 129, 1000] {
            let rows: Vec<usize> = (0..total).collect();
            let lengths: Vec<usize> = chunks(&rows).map(<[usize]>::len).collect();
            assert!(lengths.iter().all(|length| ROWS_PER_STATEMENT.contains(length)), "{total}");
            assert_eq!(chunks(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        }
    }
}
