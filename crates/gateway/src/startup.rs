//! From files to a snapshot: the steps that `serve`, `check` and a reload share.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use tollgate_config::{Compiled, Finding, Findings, PriceList, Snapshot, Source, Stored};
use tollgate_domain::Timestamp;
use tollgate_wire::Catalog;

use crate::environment;

/// The price list in the data directory that overrides the built-in one.
pub(crate) const PRICES_FILE: &str = "prices.tsv";
/// Largest configuration file, in bytes.
const CONFIG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The variable that an example configuration reads to find the built-in simulator.
pub(crate) const SIMULATOR_URL: &str = "TOLLGATE_SIMULATOR_URL";

/// Reads a configuration file.
///
/// # Errors
/// When it cannot be read, is not UTF-8 or is absurdly large.
pub(crate) fn read_config(file: &Path) -> anyhow::Result<String> {
    let read = || -> anyhow::Result<String> {
        let mut text = String::new();
        let opened = File::open(file)?;
        opened.take(CONFIG_BYTES_MAX + 1).read_to_string(&mut text)?;
        anyhow::ensure!(
            text.len() as u64 <= CONFIG_BYTES_MAX,
            "larger than {CONFIG_BYTES_MAX} bytes"
        );
        Ok(text)
    };
    read().with_context(|| format!("cannot read the configuration {}", file.display()))
}

/// What a variable is when the environment does not set it: the address of the built-in simulator,
/// or the one that it would have.
pub(crate) fn built_in(name: &str, simulator: Option<&str>) -> Option<String> {
    (name == SIMULATOR_URL).then(|| simulator.unwrap_or("http://127.0.0.1:4010/v1").to_owned())
}

/// The value of a variable for a command that is no gateway.
pub(crate) fn variable(name: &str) -> Option<String> {
    environment::lookup(name).or_else(|| built_in(name, None))
}

/// Compiles a configuration with what a database adds. The inner error is every finding.
///
/// # Errors
/// When the built-in catalog or the price list in the data directory is broken.
pub(crate) fn compile_or_findings(
    (file, text): (&Path, &str),
    lookup: &dyn Fn(&str) -> Option<String>,
    (data_dir, now): (Option<&Path>, Timestamp),
    stored: &Stored,
) -> anyhow::Result<Result<Compiled, Findings>> {
    let catalog = Catalog::embedded().context("the built-in provider catalog is broken")?;
    let prices = prices(data_dir)?.as_of(now);
    let name = file.display().to_string();
    let source = Source { name: &name, text };
    Ok(tollgate_config::compile_with(source, lookup, &catalog, &prices, stored))
}

/// The same, with every finding rendered.
///
/// # Errors
/// As [`compile_or_findings`].
pub(crate) fn compile_with(
    (file, text): (&Path, &str),
    lookup: &dyn Fn(&str) -> Option<String>,
    dated: (Option<&Path>, Timestamp),
    stored: &Stored,
) -> anyhow::Result<Result<Compiled, String>> {
    let name = file.display().to_string();
    let compiled = compile_or_findings((file, text), lookup, dated, stored)?;
    Ok(compiled.map_err(|findings| findings.render(&Source { name: &name, text })))
}

fn prices(data_dir: Option<&Path>) -> anyhow::Result<PriceList> {
    let Some(own) = data_dir.map(|dir| dir.join(PRICES_FILE)).filter(|file| file.exists()) else {
        return Ok(PriceList::embedded());
    };
    let text =
        std::fs::read_to_string(&own).with_context(|| format!("cannot read {}", own.display()))?;
    PriceList::parse(&text).with_context(|| format!("{} is not a price list", own.display()))
}

/// Findings as a compiler would print them.
pub(crate) fn rendered(findings: &[Finding], file: &Path, text: &str) -> String {
    let name = file.display().to_string();
    let source = Source { name: &name, text };
    findings.iter().map(|finding| finding.render(&source) + "\n\n").collect()
}

/// One line about a snapshot.
pub(crate) fn summary(snapshot: &Snapshot) -> String {
    let groups = snapshot.groups.len() + snapshot.patterns.len();
    format!("{groups} model group{}", if groups == 1 { "" } else { "s" })
}
