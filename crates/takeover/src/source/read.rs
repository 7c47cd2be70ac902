//! Reading the source: one read-only transaction that sees one instant.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tollgate_domain::Secret;

use super::{Daily, Row, Source, SourceError, Table};

/// Reads everything at one instant. Nothing is written, not even by mistake: the transaction is
/// read-only. Totals by day are handed over row by row, because there may be millions of them.
///
/// # Errors
/// [`SourceError`] when the database cannot be reached or is none of LiteLLM's.
pub async fn read(
    url: &Secret,
    daily: &mut (dyn FnMut(Daily, &Row) + Send),
) -> Result<Source, SourceError> {
    let mut connection = connect(url.expose()).await?;
    let mut reading = connection.begin_with(ONE_INSTANT).await?;
    let there: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut *reading).await?;
    if !there.iter().any(|name| name == Table::Keys.name()) {
        return Err(SourceError::NotLitellm);
    }
    let has = |name: &str| there.iter().any(|there| there == name);
    let mut source = Source::default();
    for table in Table::ALL.into_iter().filter(|table| has(table.name())) {
        let mut rows = Vec::new();
        each_row(&mut reading, table.name(), " ORDER BY 1", |row| rows.push(row)).await?;
        source.tables.insert(table, rows);
    }
    for family in Daily::ALL.into_iter().filter(|family| has(family.name())) {
        each_row(&mut reading, family.name(), "", |row| daily(family, &row)).await?;
    }
    source.others = others(&mut reading, &there).await?;
    reading.rollback().await?;
    connection.close().await?;
    Ok(source)
}

/// Connects to the schema that a `schema` parameter names, as Prisma does.
async fn connect(url: &str) -> Result<PgConnection, SourceError> {
    let is_postgres = ["postgres://", "postgresql://"].iter().any(|start| url.starts_with(start));
    if !is_postgres {
        return Err(SourceError::Address);
    }
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let given = parameters.split('&').filter_map(|pair| pair.split_once('='));
    let kept: Vec<String> = given
        .clone()
        .filter(|(name, _)| !PRISMA.contains(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let url =
        if kept.is_empty() { place.to_owned() } else { format!("{place}?{}", kept.join("&")) };
    let options: PgConnectOptions = url.parse().map_err(|_| SourceError::Address)?;
    let schema = given.clone().find(|(name, _)| *name == "schema").map(|(_, schema)| schema);
    let options = match schema {
        Some(schema) => options.options([("search_path", schema)]),
        None => options,
    };
    Ok(options.disable_statement_logging().connect().await?)
}

/// Hands over a table's rows. The name is one of this crate's.
async fn each_row(
    connection: &mut PgConnection,
    table: &str,
    order: &str,
    mut take: impl FnMut(Row),
) -> Result<(), SourceError> {
    let text = format!("SELECT to_jsonb(t)::text FROM \"{table}\" t{order}");
    let mut found = sqlx::query_scalar::<_, String>(AssertSqlSafe(text)).fetch(connection);
    while let Some(text) = found.try_next().await? {
        take(Row::parse(&text).ok_or_else(|| SourceError::Row(table.to_owned()))?);
    }
    Ok(())
}

/// How many rows the other tables have. That of single calls may have a thousand million, which
/// nobody waits for: it is estimated.
async fn others(
    connection: &mut PgConnection,
    there: &[String],
) -> Result<BTreeMap<String, u64>, SourceError> {
    let taken = |name: &str| {
        Table::ALL.iter().any(|table| table.name() == name)
            || Daily::ALL.iter().any(|family| family.name() == name)
    };
    let mut others = BTreeMap::new();
    for name in there.iter().filter(|name| !taken(name)) {
        let count: i64 = if LARGE.contains(&name.as_str()) {
            sqlx::query_scalar(ESTIMATE).bind(name).fetch_one(&mut *connection).await?
        } else {
            let name = name.replace('"', "\"\"");
            let text = format!("SELECT COUNT(*) FROM \"{name}\"");
            sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&mut *connection).await?
        };
        others.insert(name.clone(), u64::try_from(count).unwrap_or(0));
    }
    Ok(others)
}

const ONE_INSTANT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const TABLES: &str = "SELECT c.relname::text FROM pg_class c \
     WHERE c.relkind IN ('r', 'p') AND c.relname LIKE 'LiteLLM\\_%' \
     AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) \
     ORDER BY 1";
const ESTIMATE: &str = "SELECT GREATEST(c.reltuples, 0)::bigint FROM pg_class c \
     WHERE c.relname = $1 \
     AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())";

/// Tables with a row for each call.
const LARGE: [&str; 3] =
    ["LiteLLM_SpendLogs", "LiteLLM_SpendLogToolIndex", "LiteLLM_SpendLogGuardrailIndex"];

/// Parameters of a URL that Prisma knows and Postgres does not.
const PRISMA: [&str; 6] =
    ["schema", "connection_limit", "pool_timeout", "pgbouncer", "socket_timeout", "sslaccept"];

/// Whether two addresses are of one database, as far as addresses can tell.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    let place = |url: &str| {
        let url = url.split('?').next().unwrap_or(url);
        let options: PgConnectOptions = url.parse().ok()?;
        let database = options.get_database().map(str::to_owned);
        Some((options.get_host().to_owned(), options.get_port(), database))
    };
    let postgres = |url: &str| url.starts_with("postgres");
    postgres(one) && postgres(other) && place(one).is_some() && place(one) == place(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_database_is_known_whoever_connects_to_it() {
        let litellm = "postgresql://llm:secret@db.test:5432/litellm?schema=public";
        for (other, same) in [
            ("postgres://me@db.test/litellm", true),
            ("postgres://me@db.test/tollgate", false),
            ("postgres://me@db.test:5433/litellm", false),
            ("postgres://me@other.test/litellm", false),
            ("sqlite://tollgate-data/tollgate.sqlite", false),
        ] {
            assert_eq!(is_same(other, litellm), same, "{other}");
        }
    }
}
