//! The settings that are about budgets in general: `general_settings.budget`.

use tollgate_domain::Money;

use super::{Settings, StoreFailure, UnboundedCalls, choice, one_of};
use crate::schema::{KnownKeys, Reader, Section};
use crate::yaml::Entry;

/// Reads them.
pub(super) fn read(reader: &mut Reader<'_>, general: &mut Section<'_>, settings: &mut Settings) {
    let mapping = general.take("budget").and_then(|entry| reader.mapping(entry));
    let Some(mapping) = mapping else { return };
    let mut section = Section::new("general_settings.budget", mapping);
    if let Some(entry) = section.take("on_store_failure") {
        let choices = [("closed", StoreFailure::Closed), ("local_slice", StoreFailure::LocalSlice)];
        settings.on_store_failure =
            one_of(reader, entry, &choices).unwrap_or(settings.on_store_failure);
    }
    if let Some(clamp) = section.take("clamp_max_tokens").and_then(|entry| reader.flag(entry)) {
        settings.clamp_max_tokens = clamp;
    }
    if let Some(entry) = section.take("unbounded_calls") {
        settings.unbounded_calls = unbounded(reader, entry).unwrap_or(settings.unbounded_calls);
    }
    section.finish(&KnownKeys::ENTRY, &mut reader.findings);
}

fn unbounded(reader: &mut Reader<'_>, entry: &Entry) -> Option<UnboundedCalls> {
    let text = reader.text(entry)?;
    let Some(dollars) = text.strip_prefix("reserve:") else {
        return choice(reader, entry, &text, &[("block", UnboundedCalls::Block)]);
    };
    match Money::parse_dollars(dollars.trim()) {
        Ok(reserve) if !reserve.is_negative() => Some(UnboundedCalls::Reserve(reserve)),
        Ok(_) | Err(_) => {
            let message = format!("`{}` reserves `{}`", entry.name, dollars.trim());
            reader.out_of_range(entry, message, "write dollars per call, such as `reserve:0.50`");
            None
        }
    }
}
