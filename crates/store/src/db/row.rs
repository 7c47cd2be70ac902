//! Reading a row of either engine by column name.

use sqlx::{ColumnIndex, Database, Decode, Row, Type};
use tollgate_domain::IdError;

use crate::StoreError;

/// A row of either engine. The schema has only these two kinds of column.
pub(crate) trait Columns {
    fn text(&self, column: &'static str) -> Result<String, StoreError>;
    fn optional_text(&self, column: &'static str) -> Result<Option<String>, StoreError>;
    fn integer(&self, column: &'static str) -> Result<i64, StoreError>;
    fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, StoreError>;
}

impl<DB, R> Columns for R
where
    DB: Database<Row = R>,
    R: Row<Database = DB>,
    for<'r> String: Decode<'r, DB> + Type<DB>,
    for<'r> i64: Decode<'r, DB> + Type<DB>,
    for<'r> Option<String>: Decode<'r, DB> + Type<DB>,
    for<'r> Option<i64>: Decode<'r, DB> + Type<DB>,
    &'static str: ColumnIndex<R>,
{
    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.try_get(column).map_err(|error| unreadable(column, &error))
    }

    fn optional_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.try_get(column).map_err(|error| unreadable(column, &error))
    }

    fn integer(&self, column: &'static str) -> Result<i64, StoreError> {
        self.try_get(column).map_err(|error| unreadable(column, &error))
    }

    fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.try_get(column).map_err(|error| unreadable(column, &error))
    }
}

/// An identifier that may be absent.
pub(crate) fn identity<T>(
    row: &dyn Columns,
    column: &'static str,
    new: fn(&str) -> Result<T, IdError>,
) -> Result<Option<T>, StoreError> {
    let text = row.optional_text(column)?;
    text.map(|text| new(&text)).transpose().map_err(|error| unreadable(column, &error))
}

/// A column of JSON.
pub(crate) fn json<T: serde::de::DeserializeOwned>(
    row: &dyn Columns,
    column: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(&row.text(column)?).map_err(|error| unreadable(column, &error))
}

pub(crate) fn unreadable(column: &'static str, detail: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unreadable { column, detail: detail.to_string() }
}
