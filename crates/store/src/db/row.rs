//! Reading a row of either engine by column name.

use sqlx::{ColumnIndex, Database, Decode, Row, Type};

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

fn unreadable(column: &'static str, error: &sqlx::Error) -> StoreError {
    StoreError::Unreadable { column, detail: error.to_string() }
}
