//! The ledger, read from the database itself and not through the gateway.

use std::path::Path;

use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};
use tollgate_domain::Level;
use tollgate_domain::{Money, Timestamp};
use tollgate_store::Db;

const ENTRIES: &str = "SELECT key_id, customer_id, outcome, usage_source, cost_nanos \
     FROM ledger_entries ORDER BY admitted_at, call_id";
const OPEN: &str = "SELECT COUNT(*) FROM open_calls";
/// The gateway's database in its data directory.
const FILE: &str = "tollgate.sqlite";

/// One line of the ledger, as far as stories look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) key_id: String,
    pub(crate) customer_id: Option<String>,
    pub(crate) outcome: String,
    pub(crate) usage_source: String,
    pub(crate) cost_nanos: Option<i64>,
}

/// What the database holds at one moment.
#[derive(Debug)]
pub(crate) struct Books {
    /// Every entry, in the order of admission.
    pub(crate) lines: Vec<Line>,
    /// Calls that were opened and neither settled nor recovered.
    pub(crate) open_calls: i64,
    /// The sum kept beside the entries.
    pub(crate) total: Money,
    /// How many entries that sum counts.
    pub(crate) counted: i64,
}

impl Books {
    /// Reads the database at the URL, else the file in the data directory.
    pub(crate) async fn open(url: Option<&str>, data_dir: &Path) -> Self {
        let file = data_dir.join(FILE);
        let (lines, open_calls) = match url {
            Some(url) => postgres(url).await,
            None => sqlite(&file).await,
        }
        .expect("the database can be read");
        let url = url.map_or_else(|| format!("sqlite://{}", file.display()), str::to_owned);
        let db = Db::open(&url).await.expect("the database can be opened");
        let ever = Timestamp::EPOCH..Timestamp::from_micros(i64::MAX);
        let spend = db.spend(Level::All, "", ever).await.expect("the sums can be read");
        db.close().await;
        Self { lines, open_calls, total: spend.cost, counted: spend.entries }
    }

    /// How many calls the database knows, settled or under way, while the gateway works on it.
    pub(crate) async fn known(url: Option<&str>, data_dir: &Path) -> u64 {
        let read = match url {
            Some(url) => postgres(url).await,
            None => sqlite(&data_dir.join(FILE)).await,
        };
        let (lines, open) = read.expect("the database can be read");
        lines.len() as u64 + open.unsigned_abs()
    }

    /// The sum of the entries in nano-dollars; an entry without a cost adds nothing.
    pub(crate) fn sum(&self) -> i64 {
        self.lines.iter().filter_map(|line| line.cost_nanos).sum()
    }

    /// The outcomes of the entries, in order.
    pub(crate) fn outcomes(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line.outcome.as_str()).collect()
    }

    /// Fails unless nothing is open and the sums beside the entries are those of the entries.
    #[track_caller]
    pub(crate) fn must_balance(&self) {
        assert_eq!(self.open_calls, 0, "calls are still open");
        assert_eq!(self.total.nanos(), self.sum(), "spend is not the sum of the entries");
        assert_eq!(self.counted, i64::try_from(self.lines.len()).unwrap_or(i64::MAX));
    }
}

/// The columns of [`ENTRIES`], in their order.
type Row = (String, Option<String>, String, String, Option<i64>);
type Read = Result<(Vec<Line>, i64), sqlx::Error>;

async fn sqlite(file: &Path) -> Read {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection: SqliteConnection = options.connect().await?;
    let rows = sqlx::query_as(ENTRIES).fetch_all(&mut connection).await?;
    let open = sqlx::query_scalar(OPEN).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok((lines(rows), open))
}

async fn postgres(url: &str) -> Read {
    let mut connection = PgConnection::connect(url).await?;
    let rows = sqlx::query_as(ENTRIES).fetch_all(&mut connection).await?;
    let open = sqlx::query_scalar(OPEN).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok((lines(rows), open))
}

fn lines(rows: Vec<Row>) -> Vec<Line> {
    let line = |(key_id, customer_id, outcome, usage_source, cost_nanos)| Line {
        key_id,
        customer_id,
        outcome,
        usage_source,
        cost_nanos,
    };
    rows.into_iter().map(line).collect()
}
