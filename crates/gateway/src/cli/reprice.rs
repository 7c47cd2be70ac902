//! `tollgate reprice`: what recorded calls cost by the prices that are known now.
//!
//! Entries of the ledger are never changed: the difference becomes a correction. A call is priced
//! as of the day on which it was admitted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tollgate_config::{Compiled, Served, Snapshot, Stored};
use tollgate_domain::{Clock, Money, PriceSheetId, Secret, Timestamp, UsageSource};
use tollgate_store::{CorrectedEntry, Correction, Db, EntryPage, Vault};

use crate::clock::SystemClock;
use crate::random::SystemRandom;
use crate::sharing::Sharing;
use crate::{in_force, salt_key, startup, wiring};

/// What `reprice` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Reprice {
    /// The configuration file that the gateway serves with
    #[arg(long, short, value_name = "FILE", env = "CONFIG_FILE_PATH")]
    config: PathBuf,
    /// Where the gateway keeps its database, and `prices.tsv` if it has one
    #[arg(long, value_name = "DIR", default_value = "tollgate-data")]
    data_dir: PathBuf,
    /// The first day, in UTC, whose calls are priced again, such as 2026-11-24
    #[arg(long, value_name = "DATE", value_parser = midnight)]
    from: Timestamp,
    /// The day before which it ends; now when absent
    #[arg(long, value_name = "DATE", value_parser = midnight)]
    until: Option<Timestamp>,
    /// Only calls of this model group
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Write the corrections; without it they are only shown
    #[arg(long)]
    apply: bool,
}

/// The start of a day in UTC.
fn midnight(day: &str) -> Result<Timestamp, String> {
    let parsed = Timestamp::parse(&format!("{day}T00:00:00Z"));
    parsed.map_err(|_| "not a day such as 2026-11-24".to_owned())
}

impl Reprice {
    #[expect(clippy::print_stdout, reason = "the report is this command's output")]
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let report = runtime.block_on(self.reprice())?;
        for line in &report.left_out {
            println!("{line}");
        }
        print!("{}", report.table());
        if report.written > 0 && !report.counted {
            println!("Redis is away: its counters lack the corrections until it is started again");
        }
        println!(
            "{}",
            match (report.needed, self.apply) {
                (0, _) => "nothing to correct".to_owned(),
                (needed, false) =>
                    format!("{needed} corrections; nothing was written: --apply does"),
                (_, true) => format!("{} corrections written", report.written),
            }
        );
        Ok(())
    }

    async fn reprice(&self) -> anyhow::Result<Report> {
        let now = SystemClock::start().now();
        let mut prices = Prices::read(self)?;
        let database = wiring::database_url(prices.on(now)?, &self.data_dir);
        let db = wiring::open(&database).await?;
        let left_out = prices.add_stored(&db, now).await?;
        let mut page = EntryPage::first(self.from..self.until.unwrap_or(now), self.model.clone());
        let mut report = Report { left_out, ..Report::default() };
        loop {
            let entries = db.corrected_entries(&page).await?;
            let Some(last) = entries.last() else { break };
            page = page.after(last);
            let corrections = report.note_all(entries, &mut prices)?;
            self.write(&db, &corrections, &mut report).await?;
        }
        if report.written > 0 {
            let settings = &prices.on(now)?.settings;
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
            report.counted = Sharing::renew(&db, settings, (&clock, &SystemRandom)).await?;
        }
        db.close().await;
        Ok(report)
    }

    async fn write(
        &self,
        db: &Db,
        corrections: &[Correction],
        report: &mut Report,
    ) -> anyhow::Result<()> {
        report.needed += corrections.len();
        if self.apply && !corrections.is_empty() {
            report.written += db.correct(corrections, SystemClock::start().now()).await?;
        }
        Ok(())
    }
}

/// The configuration, with what the database adds, as it prices each day.
struct Prices {
    config: PathBuf,
    data_dir: PathBuf,
    text: String,
    /// What the database holds beside the file.
    stored: Stored,
    /// The snapshot of the day that was asked for last: entries come in the order of their days.
    current: Option<(i64, Snapshot)>,
}

/// Microseconds in a day.
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

impl Prices {
    fn read(args: &Reprice) -> anyhow::Result<Self> {
        let text = startup::read_config(&args.config)?;
        let (config, data_dir) = (args.config.clone(), args.data_dir.clone());
        Ok(Self { config, data_dir, text, stored: Stored::default(), current: None })
    }

    /// Adds the deployments of the database, and says which cannot be used here: their calls keep
    /// what they cost unless another deployment tells their price.
    async fn add_stored(&mut self, db: &Db, now: Timestamp) -> anyhow::Result<Vec<String>> {
        // Without a key nothing can be opened that is sealed; what is in clear can be read.
        let key = salt_key::known(&self.data_dir)?.unwrap_or_else(|| Secret::new(""));
        let models = db.stored_models(&Vault::new(&key, Arc::new(SystemRandom))).await?;
        self.stored = in_force::as_stored(&models);
        self.current = None;
        let left_out = self.compile(now)?.left_out;
        let line = |noun, id: &str, problem: &str| {
            format!("the {noun} `{id}` of the database is left out: {problem}")
        };
        let unreadable = models.unreadable.iter().map(|row| line(row.noun, &row.id, &row.problem));
        let useless = left_out.iter().map(|row| line(row.noun, &row.id, &row.problem));
        Ok(unreadable.chain(useless).collect())
    }

    /// The configuration with the prices of an instant's day.
    fn on(&mut self, at: Timestamp) -> anyhow::Result<&Snapshot> {
        let day = at.micros().div_euclid(DAY_MICROS);
        let snapshot = match self.current.take() {
            Some((known, snapshot)) if known == day => snapshot,
            _ => self.compile(at)?.snapshot,
        };
        Ok(&self.current.insert((day, snapshot)).1)
    }

    fn compile(&self, at: Timestamp) -> anyhow::Result<Compiled> {
        let dated = (Some(self.data_dir.as_path()), at);
        let file = (&*self.config, &*self.text);
        let compiled = startup::compile_with(file, &startup::variable, dated, &self.stored)?;
        let wrong = || format!("the configuration {} is wrong", self.config.display());
        compiled.map_err(anyhow::Error::msg).with_context(wrong)
    }

    /// What an entry costs, and by which sheet; `None` when it keeps what it has: nothing was
    /// consumed, or no price is known.
    fn cost(&mut self, entry: &CorrectedEntry) -> anyhow::Result<Option<(Money, PriceSheetId)>> {
        let row = &entry.row;
        if row.usage_source == UsageSource::Nothing.as_str() {
            return Ok(None);
        }
        let (Some(deployment), Some(provider)) = (&row.deployment_id, &row.provider) else {
            return Ok(None);
        };
        let sheet = self.on(Timestamp::from_micros(row.admitted_at))?.prices_of(&Served {
            model_group: &row.model_group,
            deployment,
            provider,
            upstream_model: row.upstream_model.as_deref(),
            price_sheet: row.price_sheet_id.as_deref(),
        });
        Ok(sheet.and_then(|sheet| Some((sheet.cost(&row.usage).ok()?, sheet.id.clone()))))
    }
}

/// What was found, by model group.
#[derive(Debug, Default)]
struct Report {
    models: BTreeMap<String, Sums>,
    /// What of the database cannot be used here, a sentence each.
    left_out: Vec<String>,
    needed: usize,
    written: usize,
    /// Whether the counters that nodes share know of what was written.
    counted: bool,
}

#[derive(Debug, Default)]
struct Sums {
    entries: u64,
    old: Money,
    new: Money,
    unpriced: u64,
}

impl Report {
    /// Adds a page of entries and gives the corrections they need.
    fn note_all(
        &mut self,
        entries: Vec<CorrectedEntry>,
        prices: &mut Prices,
    ) -> anyhow::Result<Vec<Correction>> {
        let mut corrections = Vec::new();
        for entry in entries {
            let priced = prices.cost(&entry)?;
            self.note(&entry, priced.as_ref().map(|(cost, _)| *cost));
            corrections.extend(priced.and_then(|(cost, sheet)| entry.corrected(cost, sheet)));
        }
        Ok(corrections)
    }

    fn note(&mut self, entry: &CorrectedEntry, priced: Option<Money>) {
        let old = entry.cost();
        let new = priced.or(old);
        let sums = self.models.entry(entry.row.model_group.clone()).or_default();
        sums.entries += 1;
        sums.unpriced += u64::from(new.is_none());
        sums.old = sums.old.saturating_add(old.unwrap_or(Money::ZERO));
        sums.new = sums.new.saturating_add(new.unwrap_or(Money::ZERO));
    }

    /// One line for each model group: entries, those that stay without a price, and dollars.
    fn table(&self) -> String {
        let head = ["model", "entries", "unpriced", "old", "new", "difference"].map(str::to_owned);
        let line = |(model, sums): (&String, &Sums)| {
            let difference = sums.new.saturating_sub(sums.old);
            let (entries, unpriced) = (sums.entries.to_string(), sums.unpriced.to_string());
            let money = [sums.old, sums.new, difference].map(|money| money.to_string());
            let [old, new, difference] = money;
            [model.clone(), entries, unpriced, old, new, difference]
        };
        let lines: Vec<[String; 6]> =
            std::iter::once(head).chain(self.models.iter().map(line)).collect();
        let width = |column: usize| {
            lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
        };
        let widths: [usize; 6] = std::array::from_fn(width);
        lines.iter().fold(String::new(), |mut text, [model, numbers @ ..]| {
            let _ = write!(text, "{model:<width$}", width = widths[0]);
            for (number, width) in numbers.iter().zip(&widths[1..]) {
                let _ = write!(text, "  {number:>width$}");
            }
            text.push('\n');
            text
        })
    }
}
