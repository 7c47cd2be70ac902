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

/// The usage with the searches among the items of an answer: this format's reports leave them out.
/// A report that is missing stays so.
pub(super) fn with_searches(usage: Option<Usage>, searches: u64) -> Option<Usage> {
    let known = usage.as_ref().and_then(|usage| usage.quantity(UsageKind::Searches));
    match usage {
        Some(usage) if searches > 0 && known.is_none() => {
            Some(usage.with(UsageKind::Searches, Quantity::whole(searches)))
        }
        usage => usage,
    }
}

/// How many of an answer's items are searches.
pub(super) fn searches<'a>(items: impl Iterator<Item = Raw<'a>>) -> u64 {
    items.filter(|item| is_search(*item)).count() as u64
}

/// Whether an item is a search: a page opened or looked through is none.
pub(super) fn is_search(item: Raw<'_>) -> bool {
    let [kind, action] = item.find_each(["type", "action"]);
    let action = action.and_then(|action| action.find("type")?.text());
    kind.and_then(Raw::text).as_deref() == Some("web_search_call")
        && action.is_none_or(|action| action == "search")
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
