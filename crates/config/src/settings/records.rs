//! The settings that are about what is recorded of calls.

use std::time::Duration;

use tollgate_domain::parse_lifetime;

use super::Settings;
use crate::schema::{Reader, Section};

/// The shortest time for which entries are kept: they are read again when a spool is replayed, and
/// for windows that begin within a quarter-hour.
const ENTRIES_KEPT_MIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads those of `general_settings`.
pub(super) fn read(reader: &mut Reader<'_>, general: &mut Section<'_>, settings: &mut Settings) {
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
