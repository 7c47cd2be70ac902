//! How long pages of usage take where the ledger is large.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;
use sqlx::SqlitePool;
use tollgate_domain::Timestamp;
use tollgate_store::Db;

use crate::charged::Population;
use crate::clock;
use crate::connection::Connection;
use crate::gauge;
use crate::ledger;
use crate::plan::Plan;
use crate::request::fetch;
use crate::samples::{Samples, Summary, rounded};
use crate::site::{Gateway, MASTER_KEY, Simulator, Site};

/// Who called.
const POPULATION: Population = Population {
    organizations: 2,
    teams: 5,
    users: 20,
    keys: 40,
    customers: 50,
    tags: 10,
    models: 8,
    providers: 3,
};
/// Days that the ledger covers.
const DAYS: i64 = 30;
/// The first instant of the first day, 2026-01-01 UTC, in microseconds.
const START: i64 = 1_767_225_600_000_000;
const QUARTER_HOURS_A_DAY: i64 = 96;
const QUARTER_HOUR_MICROS: i64 = 900_000_000;

/// The pages that are asked for: what each is, and its path.
const PAGES: [(&str, &str); 4] = [
    ("30 days of a team", "/team/daily/activity?team_ids=team-00001"),
    ("30 days of everyone", "/user/daily/activity?page_size=50"),
    ("newest entries", "/spend/logs/v2?page=1"),
    ("entries from 9,950 on", "/spend/logs/v2?page=200"),
];

/// How long pages take.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Pages {
    /// Entries in the ledger.
    pub(crate) entries: u64,
    /// Sums by quarter-hour in the ledger.
    pub(crate) sums: i64,
    /// Days of the ledger that the gateway had summed when pages were asked for.
    pub(crate) days: i64,
    pub(crate) pages: Vec<PageTimes>,
}

/// One page, asked for many times.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PageTimes {
    pub(crate) name: &'static str,
    /// From the request to the end of the answer.
    pub(crate) took: Summary,
    /// Processor time of the gateway for one.
    pub(crate) cpu_ms: f64,
}

impl Pages {
    /// The slowest page at this percentile, in milliseconds.
    pub(crate) fn slowest_ms(&self, percentile: fn(&Summary) -> f64) -> f64 {
        let micros = self.pages.iter().map(|page| percentile(&page.took));
        rounded(micros.fold(f64::NAN, f64::max) / 1000.0)
    }
}

/// Fills a ledger and asks a gateway on it for pages.
///
/// # Errors
/// When the ledger cannot be filled or a page is not answered.
pub(crate) async fn measure(
    site: &Site,
    plan: Plan,
    simulator: &Simulator,
) -> anyhow::Result<Pages> {
    let entries = if plan.quick { 1_000_000 } else { 10_000_000 };
    let database = Gateway::database(site, DATA);
    std::fs::create_dir_all(site.file(DATA)).context("cannot make a data directory")?;
    let (entries, sums) = fill(&database, entries).await.context("cannot fill a ledger")?;
    let gateway = Gateway::start(site, simulator, DATA).await?.gateway;
    let days = days_summed(&database).await.context("the days of a ledger are not summed")?;
    let mut pages = Vec::new();
    for (name, path) in PAGES {
        let asked = page(&gateway, (name, path), if plan.quick { 50 } else { 200 }).await;
        pages.push(asked.with_context(|| format!("the page of {name}"))?);
    }
    gateway.stop().await.context("after the pages")?;
    std::fs::remove_dir_all(site.file(DATA)).context("cannot remove a ledger")?;
    Ok(Pages { entries, sums, days, pages })
}

/// Waits until the gateway has summed the days that have entries, and says how many those are: it
/// begins with the newest, which are empty.
async fn days_summed(database: &Path) -> anyhow::Result<i64> {
    let db = Db::open(&database.display().to_string()).await?;
    let Db::Sqlite { readers, .. } = &db else { bail!("the database is not SQLite") };
    let began = clock::now();
    loop {
        let end = START + DAYS * QUARTER_HOURS_A_DAY * QUARTER_HOUR_MICROS;
        let summed = sqlx::query_scalar(SUMMED_DAYS).bind(START).bind(end);
        let summed: i64 = summed.fetch_one(readers).await?;
        if summed >= DAYS {
            db.close().await;
            return Ok(summed);
        }
        if began.elapsed() > SUMMING_MAX {
            bail!("only {summed} of {DAYS} days are summed after {SUMMING_MAX:?}");
        }
        tokio::time::sleep(SUMMING_ASKED_EVERY).await;
    }
}

async fn page(
    gateway: &Gateway,
    (name, path): (&'static str, &str),
    times: u32,
) -> anyhow::Result<PageTimes> {
    let address: SocketAddr = gateway.address();
    let days = format!("{path}&start_date=2026-01-01&end_date=2026-01-{DAYS}");
    let request = fetch(address, &days, MASTER_KEY);
    let mut connection = Connection::open(address, ANSWER_BYTES_MAX).await?;
    connection.exchange(&request).await?;
    must_have_something(connection.body())?;
    let before = gauge::when_quiet(gateway.pid()).await?;
    let mut took = Samples::default();
    for _ in 0..times {
        let began = clock::now();
        connection.exchange(&request).await?;
        took.push(began.elapsed());
    }
    let cpu: Duration = gauge::when_quiet(gateway.pid()).await?.since(&before);
    let cpu_ms = rounded(cpu.as_secs_f64() * 1e3 / f64::from(times));
    Ok(PageTimes { name, took: took.summary().context("nothing was asked")?, cpu_ms })
}

/// A page of nothing is fast.
fn must_have_something(body: &[u8]) -> anyhow::Result<()> {
    let page: serde_json::Value = serde_json::from_slice(body).context("a page is not JSON")?;
    let lists = [("results", DAYS as usize), ("data", 50)];
    let full = |(name, rows): (&str, usize)| page[name].as_array().map(Vec::len) == Some(rows);
    if lists.into_iter().any(full) { Ok(()) } else { bail!("a page has not the rows it should") }
}

/// Fills a new database with about so many entries and their sums. The ledger itself writes those
/// of the first quarter-hour; those of each later one are the same at a later time. Gives how many
/// entries and sums there are.
async fn fill(database: &Path, entries: u64) -> anyhow::Result<(u64, i64)> {
    let quarters = DAYS * QUARTER_HOURS_A_DAY;
    let each = entries.div_ceil(quarters.unsigned_abs());
    let db = Db::open(&database.display().to_string()).await?;
    db.migrate().await?;
    let step = QUARTER_HOUR_MICROS / i64::try_from(each)?;
    let at = |number: u64| {
        Timestamp::from_micros(START + step * i64::try_from(number).unwrap_or_default())
    };
    ledger::record_at(&db, POPULATION, each, at).await?;
    let Db::Sqlite { writer, .. } = &db else { bail!("the database is not SQLite") };
    repeat(writer, quarters).await?;
    let sums = sqlx::query_scalar("SELECT COUNT(*) FROM spend_quarter_hours").fetch_one(writer);
    let sums: i64 = sums.await?;
    db.close().await;
    Ok((each * quarters.unsigned_abs(), sums))
}

/// Repeats the first quarter-hour until there are so many.
async fn repeat(writer: &SqlitePool, quarters: i64) -> anyhow::Result<()> {
    // What a crash would lose here is made anew.
    sqlx::query("PRAGMA synchronous = OFF").execute(writer).await?;
    for quarter in 1..quarters {
        let query = sqlx::query(ENTRIES).bind(quarter).bind(START);
        query.bind(START + QUARTER_HOUR_MICROS).execute(writer).await?;
    }
    // Put aside, so that all of them are written in the order of their key.
    sqlx::query(FIRST_SUMS).execute(writer).await?;
    sqlx::query("DELETE FROM spend_quarter_hours").execute(writer).await?;
    sqlx::query(SUMS).bind(quarters).execute(writer).await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(writer).await?;
    Ok(())
}

/// The data directory.
const DATA: &str = "pages";
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

const SUMMED_DAYS: &str = "SELECT COUNT(*) FROM summed_days \
     WHERE summed = 1 AND start_at >= $1 AND end_at <= $2";
/// Longest wait until the days are summed.
const SUMMING_MAX: Duration = Duration::from_secs(180);
const SUMMING_ASKED_EVERY: Duration = Duration::from_millis(200);

/// The entries of one more quarter-hour. Their calls have identities of their own, which sort by
/// time as those that the gateway draws.
const ENTRIES: &str = "INSERT INTO ledger_entries (call_id, admitted_at, settled_at, \
     first_byte_at, key_id, user_id, team_id, organization_id, project_id, customer_id, tags, \
     model_group, deployment_id, provider, upstream_model, streamed, outcome, usage_source, \
     price_sheet_id, cost_nanos, attempts, input_milli, cached_read_milli, output_milli) \
     SELECT printf('%08x', $1) || substr(call_id, 9), admitted_at + $1 * 900000000, \
     settled_at + $1 * 900000000, first_byte_at + $1 * 900000000, key_id, user_id, team_id, \
     organization_id, project_id, customer_id, tags, model_group, deployment_id, provider, \
     upstream_model, streamed, outcome, usage_source, price_sheet_id, cost_nanos, attempts, \
     input_milli, cached_read_milli, output_milli FROM ledger_entries \
     WHERE admitted_at >= $2 AND admitted_at < $3 ORDER BY substr(call_id, 9)";

/// The sums of the first quarter-hour.
const FIRST_SUMS: &str = "CREATE TEMPORARY TABLE first_sums AS SELECT * FROM spend_quarter_hours \
     ORDER BY kind, subject";
/// The sums of all quarter-hours.
const SUMS: &str = "INSERT INTO spend_quarter_hours SELECT kind, subject, \
     bucket_at + quarter * 900000000, entries, failed, unpriced, cost_nanos, input_milli, \
     cached_read_milli, cache_write_milli, cache_write_long_milli, input_audio_milli, \
     input_image_milli, output_milli, reasoning_milli, output_audio_milli, output_image_milli, \
     images_milli, characters_milli, seconds_milli, searches_milli FROM first_sums CROSS JOIN \
     (WITH RECURSIVE quarters (quarter) AS (SELECT 0 UNION ALL \
     SELECT quarter + 1 FROM quarters WHERE quarter < $1 - 1) SELECT quarter FROM quarters)";

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_domain::Level;

    #[tokio::test]
    async fn a_filled_ledger_has_the_sums_of_its_entries() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ledger");
        let (entries, sums) = fill(&file, 9_000).await.expect("a ledger");
        assert_eq!(entries, 4 * 2_880);
        let db = Db::open(&file.display().to_string()).await.expect("a database");
        let Db::Sqlite { writer, .. } = &db else { panic!("SQLite") };
        let ever = Timestamp::EPOCH..Timestamp::from_micros(i64::MAX);
        let spend = db.spend(Level::All, "", ever).await.expect("sums");
        let (count, cost): (i64, i64) =
            sqlx::query_as("SELECT COUNT(*), SUM(cost_nanos) FROM ledger_entries")
                .fetch_one(writer)
                .await
                .expect("entries");
        assert_eq!((spend.entries, spend.cost.nanos()), (count, cost));
        assert_eq!(u64::try_from(count), Ok(entries));
        let of_all: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM spend_quarter_hours WHERE kind = 'all'")
                .fetch_one(writer)
                .await
                .expect("sums");
        assert_eq!(of_all, 2_880);
        assert_eq!(sums % 2_880, 0, "each quarter-hour has the same sums");
    }
}
