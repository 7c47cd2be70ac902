//! The calendar that budgets go by: `litellm_settings.timezone` and what stands beside it.

use std::fmt::Display;

use tollgate_policy::{Calendar, TimeOfDay, WeekStart, Zone};

use crate::schema::{Reader, Section};
use crate::yaml::Entry;

/// Reads the keys of the calendar. A wrong one is a finding, never another zone.
pub(crate) fn read(reader: &mut Reader<'_>, litellm: &mut Section<'_>) -> Calendar {
    let mut calendar = Calendar::default();
    if let Some(zone) = litellm.take("timezone").and_then(|entry| word(reader, entry, Zone::parse))
    {
        calendar.zone = zone;
    }
    let start = litellm.take("budget_week_start");
    if let Some(start) = start.and_then(|entry| word(reader, entry, WeekStart::parse)) {
        calendar.week_start = start;
    }
    let reset = litellm.take("budget_reset_time");
    if let Some(time) = reset.and_then(|entry| word(reader, entry, TimeOfDay::parse)) {
        calendar.reset_time = time;
    }
    let strict = litellm.take("budget_strict_days");
    if let Some(strict) = strict.and_then(|entry| reader.flag(entry)) {
        calendar.strict_days = strict;
    }
    calendar
}

/// A text that is read further; what it says is a finding when it cannot be.
pub(crate) fn word<T, E: Display>(
    reader: &mut Reader<'_>,
    entry: &Entry,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Option<T> {
    let text = reader.text(entry)?;
    match parse(&text) {
        Ok(value) => Some(value),
        Err(problem) => {
            let message = format!("`{}` is `{text}`", entry.name);
            reader.out_of_range(entry, message, &problem.to_string());
            None
        }
    }
}
