//! `tollgate prices`: refresh the price list from a public one.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use tollgate_config::price_import;
use tollgate_domain::Clock as _;

use crate::clock::SystemClock;
use crate::startup::PRICES_FILE;

/// What `prices` does.
#[derive(Debug, Subcommand)]
pub(super) enum Prices {
    /// Convert a public price list (JSON, model name to fields) into dated rows
    Import(Import),
}

/// What `prices import` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The price list
    file: PathBuf,
    /// The day from which the prices hold, such as 2026-11-24; today when absent
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Where the rows go; `prices.tsv` in the data directory when absent, which `serve` reads at
    /// start
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The data directory of the gateway that should use them
    #[arg(long, value_name = "DIR", default_value = "tollgate-data")]
    data_dir: PathBuf,
}

impl Prices {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        match self {
            Self::Import(import) => import.run(),
        }
    }
}

impl Import {
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "the report is this command's output"
    )]
    fn run(&self) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(&self.file)
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        let today = SystemClock::start().now().to_string();
        let from = self.from.as_deref().unwrap_or_else(|| today.get(..10).unwrap_or(&today));
        let report = price_import::import(&text, from)
            .with_context(|| format!("{} is not a price list", self.file.display()))?;
        let output = self.output.clone().unwrap_or_else(|| self.data_dir.join(PRICES_FILE));
        if let Some(folder) = output.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&output, &report.text)
            .with_context(|| format!("cannot write {}", output.display()))?;
        for (model, why) in &report.skipped {
            eprintln!("left out {model}: {why}");
        }
        for model in &report.rounded {
            eprintln!("rounded to a pico-dollar: {model}");
        }
        println!(
            "{} models from {from} written to {}; {} left out, {} rounded",
            report.models,
            output.display(),
            report.skipped.len(),
            report.rounded.len()
        );
        Ok(())
    }
}
