//! The schema's history: one list per engine, same numbers, same tables.
//!
//! A migration that was released is never edited; its checksum is compared at every start. A new
//! one adds columns that are nullable or have a default, so that the program before it keeps
//! working.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

const SQLITE: [(&str, &str); 8] = [
    ("foundation", include_str!("../../migrations/sqlite/0001_foundation.sql")),
    ("responses", include_str!("../../migrations/sqlite/0002_responses.sql")),
    ("limits", include_str!("../../migrations/sqlite/0003_limits.sql")),
    ("corrections", include_str!("../../migrations/sqlite/0004_corrections.sql")),
    ("audit", include_str!("../../migrations/sqlite/0005_audit.sql")),
    ("models", include_str!("../../migrations/sqlite/0006_models.sql")),
    ("keys", include_str!("../../migrations/sqlite/0007_keys.sql")),
    ("days", include_str!("../../migrations/sqlite/0008_days.sql")),
];
const POSTGRES: [(&str, &str); 8] = [
    ("foundation", include_str!("../../migrations/postgres/0001_foundation.sql")),
    ("responses", include_str!("../../migrations/postgres/0002_responses.sql")),
    ("limits", include_str!("../../migrations/postgres/0003_limits.sql")),
    ("corrections", include_str!("../../migrations/postgres/0004_corrections.sql")),
    ("audit", include_str!("../../migrations/postgres/0005_audit.sql")),
    ("models", include_str!("../../migrations/postgres/0006_models.sql")),
    ("keys", include_str!("../../migrations/postgres/0007_keys.sql")),
    ("days", include_str!("../../migrations/postgres/0008_days.sql")),
];

pub(super) fn sqlite() -> Migrator {
    migrator(&SQLITE)
}

/// Postgres takes an advisory lock, so that only one of several starting gateways migrates.
pub(super) fn postgres() -> Migrator {
    migrator(&POSTGRES)
}

fn migrator(texts: &[(&'static str, &'static str)]) -> Migrator {
    let migration = |(number, (name, sql)): (i64, &(&'static str, &'static str))| {
        let kind = MigrationType::Simple;
        Migration::new(number, Cow::Borrowed(name), kind, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations((1..).zip(texts).map(migration).collect());
    migrator.dangerous_set_table_name("schema_migrations");
    migrator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_have_the_same_migrations() {
        assert_eq!(SQLITE.map(|(name, _)| name), POSTGRES.map(|(name, _)| name));
    }
}
