//! The settings that are about what is recorded of calls.

use std::time::Duration;

use tollgate_domain::parse_lifetime;

use super::Settings;
use crate::schema::{Reader, Section};
use crate::yaml::Entry;

/// The shortest time for which entries are kept: they are read again when a spool is replayed, and
/// for windows that begin within a quarter-hour.
const ENTRIES_KEPT_MIN: Duration = Duration::from_secs(24 * 60 * 60);

/// How many rows wait for the database, unless it is configured: about twenty megabytes.
pub(super) const SPOOL_ROWS: u32 = 20_000;
/// The most that can be configured: about a gigabyte.
const SPOOL_ROWS_MAX: u32 = 1_000_000;

/// Reads those of `general_settings`.
pub(super) fn read(reader: &mut Reader<'_>, general: &mut Section<'_>, settings: &mut Settings) {
    if let Some(entry) = general.take("spool_max_entries") {
        settings.spool_rows_max = spool_rows(reader, entry).unwrap_or(SPOOL_ROWS);
    }
    let Some(entry) = general.take("maximum_spend_logs_retention_period") else { return };
    let Some(text) = reader.text(entry) else { return };
    match parse_lifetime(&text) {
        Ok(kept) if kept >= ENTRIES_KEPT_MIN => settings.entries_kept = Some(kept),
        Ok(_) => {
            let message = format!("`{}` is shorter than a day", entry.name);
            reader.out_of_range(entry, message, "`1d` is the shortest");
        }
        Err(problem) => {
            let message = format!("`{}` is no lifetime", entry.name);
            reader.out_of_range(entry, message, &problem.to_string());
        }
    }
}

fn spool_rows(reader: &mut Reader<'_>, entry: &Entry) -> Option<u32> {
    let rows = reader.count(entry, u64::from(SPOOL_ROWS_MAX))?;
    if rows == 0 {
        let message = format!("`{}` is 0, so no call would be recorded", entry.name);
        reader.out_of_range(entry, message, "leave it out for the default");
    }
    u32::try_from(rows).ok().filter(|rows| *rows > 0)
}
