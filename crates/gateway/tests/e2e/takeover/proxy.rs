//! A LiteLLM proxy's database: the schema that its own migrations make, and rows in it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tollgate_testkit::postgres::TestDatabase;

use crate::clients::{must_be_installed, root};

/// The database of a proxy.
pub(super) struct Proxy {
    database: TestDatabase,
}

impl Proxy {
    /// An empty one, with the schema that the `litellm-proxy-extras` package makes.
    pub(super) fn new() -> Self {
        let database = TestDatabase::create();
        database.run_files(&migrations());
        Self { database }
    }

    pub(super) fn url(&self) -> &str {
        self.database.url()
    }

    /// Puts rows in a table. A row need not name every column.
    pub(super) async fn fill(&self, table: &str, rows: &[Value]) {
        let mut connection = self.connect().await;
        let mut by_columns: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
        for row in rows {
            let names: Vec<String> =
                columns(row).keys().map(|name| format!("\"{name}\"")).collect();
            by_columns.entry(names.join(", ")).or_default().push(row);
        }
        for (names, rows) in by_columns {
            let text = format!(
                "INSERT INTO \"{table}\" ({names}) SELECT {names} \
                 FROM jsonb_populate_recordset(NULL::\"{table}\", $1::jsonb)"
            );
            let rows = serde_json::to_string(&rows).expect("rows are JSON");
            let inserted =
                sqlx::query(AssertSqlSafe(text)).bind(rows).execute(&mut connection).await;
            inserted.unwrap_or_else(|error| panic!("rows of {table}: {error}"));
        }
        connection.close().await.expect("an orderly end");
    }

    /// What teams spent within some days by the rows of the source, in nano-dollars: summed there,
    /// with Postgres's decimal arithmetic.
    pub(super) async fn spent_by_team(&self, from: &str, until: &str) -> BTreeMap<String, i64> {
        let mut connection = self.connect().await;
        let rows: Vec<(String, String)> = sqlx::query_as(BY_TEAM)
            .bind(from)
            .bind(until)
            .fetch_all(&mut connection)
            .await
            .expect("the source can be read");
        connection.close().await.expect("an orderly end");
        let nanos = |text: String| text.parse().expect("a whole number");
        rows.into_iter().map(|(team, spent)| (team, nanos(spent))).collect()
    }

    /// A number of every table's rows, which an import must leave as it is.
    pub(super) async fn fingerprint(&self) -> String {
        let mut connection = self.connect().await;
        let text = sqlx::query_scalar(FINGERPRINT).fetch_one(&mut connection).await;
        connection.close().await.expect("an orderly end");
        text.expect("the source can be read")
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect(self.url()).await.expect("the database answers")
    }
}

fn columns(row: &Value) -> &Map<String, Value> {
    row.as_object().expect("a row is an object")
}

/// The package's migrations in their order.
fn migrations() -> Vec<PathBuf> {
    let library = root().join(".cache/litellm/lib");
    must_be_installed(&library, "tools/setup-clients");
    let pythons = std::fs::read_dir(&library).expect("a folder").flatten();
    let migrations = "site-packages/litellm_proxy_extras/migrations";
    let folders = pythons.map(|python| python.path().join(migrations));
    let folder = folders.into_iter().find(|folder| folder.exists()).expect("the package is there");
    let listed = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut files: Vec<PathBuf> = listed
        .map(|entry| entry.path().join("migration.sql"))
        .filter(|file| file.exists())
        .collect();
    files.sort();
    files
}

const BY_TEAM: &str = "SELECT team_id, (SUM(round(spend::text::numeric, 9)) * \
     1000000000)::bigint::text \
     FROM \"LiteLLM_DailyTeamSpend\" WHERE team_id IS NOT NULL AND date >= $1 AND date < $2 \
     GROUP BY team_id";
const FINGERPRINT: &str = "SELECT string_agg(n || ':' || c, ' ' ORDER BY n) FROM (\
     SELECT relname AS n, (xpath('/row/c/text()', query_to_xml(format(\
     'SELECT md5(string_agg(t::text, '''' ORDER BY t::text)) AS c FROM %I t', relname), \
     false, true, '')))[1]::text AS c FROM pg_class WHERE relkind = 'r' \
     AND relnamespace = 'public'::regnamespace) tables";
