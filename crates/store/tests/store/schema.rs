//! Both engines' migrations give the tables that one file lists.

use sqlx::Row as _;
use tollgate_store::{Db, StoreError};

use crate::world::on_both;

const GOLDEN: &str = include_str!("../../migrations/schema.golden");
const SQLITE_COLUMNS: &str = "SELECT m.name || '.' || c.name || ' ' \
     || CASE c.type WHEN 'INTEGER' THEN 'BIGINT' ELSE c.type END \
     || CASE c.\"notnull\" WHEN 1 THEN ' NOT NULL' ELSE '' END \
     FROM sqlite_master m JOIN pragma_table_info(m.name) c \
     WHERE m.type = 'table' AND m.name NOT IN ('schema_migrations', 'sqlite_sequence')";
const POSTGRES_COLUMNS: &str = "SELECT table_name || '.' || column_name || ' ' || upper(data_type) \
     || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END \
     FROM information_schema.columns \
     WHERE table_schema = 'public' AND table_name <> 'schema_migrations'";

#[test]
fn the_migrations_of_both_engines_give_the_listed_schema() {
    on_both(async |world| {
        let mut columns: Vec<String> = match &world.db {
            Db::Sqlite { writer, .. } => {
                let rows = sqlx::query(SQLITE_COLUMNS).fetch_all(writer).await;
                rows.expect("columns").iter().map(|row| row.get(0)).collect()
            }
            Db::Postgres(pool) => {
                let rows = sqlx::query(POSTGRES_COLUMNS).fetch_all(pool).await;
                rows.expect("columns").iter().map(|row| row.get(0)).collect()
            }
        };
        columns.sort_unstable();
        assert_eq!(columns.join("\n"), GOLDEN.trim_end(), "migrations/schema.golden");
    });
}

#[test]
fn migrating_again_and_from_several_gateways_at_once_changes_nothing() {
    on_both(async |world| {
        let second = Db::open(&world.url).await.expect("a second gateway");
        let (first, other) = tokio::join!(world.db.migrate(), second.migrate());
        assert!(first.is_ok() && other.is_ok());
        assert_eq!(world.number("SELECT COUNT(*) FROM schema_migrations").await, 8);
        second.close().await;
    });
}

#[test]
fn a_database_of_a_newer_or_other_program_is_not_touched() {
    on_both(async |world| {
        world.execute("UPDATE schema_migrations SET version = 999 WHERE version = 1").await;
        let error = world.db.migrate().await.expect_err("an unknown migration");
        assert!(matches!(error, StoreError::Migrate(_)), "{error}");
    });
}
