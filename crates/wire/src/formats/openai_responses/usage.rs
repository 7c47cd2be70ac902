//! Usage in this format's words.

use tollgate_domain::{Quantity, Usage, UsageKind};

use crate::formats::openai_chat::usage::Reported;
use crate::json::{JsonWriter, Raw};

/// The usage of an answer, in disjoint kinds; `None` where nothing was reported.
pub(super) fn read_usage(usage: Option<Raw<'_>>) -> Option<Usage> {
    let mut reported = Reported::default();
    reported.take(usage, None);
    reported.usage()
}

/// Writes `usage`: wholes that hold their parts. What nobody reported is `null`.
pub(super) fn write_usage(usage: Option<&Usage>, o: &mut JsonWriter<'_>) {
    let Some(usage) = usage else {
        o.null("usage");
        return;
    };
    let of = |kind| usage.quantity(kind).map(Quantity::rounded);
    let input = usage.prompt().unwrap_or_default().rounded();
    let output = usage.completion().unwrap_or_default().rounded();
    let written = [UsageKind::CacheWrite, UsageKind::CacheWriteLong];
    o.object("usage", |o| {
        o.number("input_tokens", input);
        o.object("input_tokens_details", |o| {
            o.number("cached_tokens", of(UsageKind::CachedRead).unwrap_or(0));
            if written.iter().any(|kind| of(*kind).is_some()) {
                let sum = written.iter().filter_map(|kind| of(*kind)).sum();
                o.number("cache_write_tokens", sum);
            }
        });
        o.number("output_tokens", output);
        o.object("output_tokens_details", |o| {
            o.number("reasoning_tokens", of(UsageKind::Reasoning).unwrap_or(0));
        });
        o.number("total_tokens", input.saturating_add(output));
    });
}
