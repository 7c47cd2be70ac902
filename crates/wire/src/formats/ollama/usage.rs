//! Usage as the API reports it, brought into disjoint kinds.

use tollgate_domain::{Quantity, Usage, UsageKind};

use crate::json::{Object, Raw};

/// Reads the counts of an answer or of a stream's last object, or `None` where there are none.
///
/// `prompt_eval_cached_count`, which newer servers give, is a part of `prompt_eval_count`.
pub(super) fn read(object: &Object<'_>) -> Option<Usage> {
    let count = |name: &str| {
        object.value(name).map(Raw::as_written).and_then(|text| Quantity::parse(text).ok())
    };
    let mut usage = Usage::UNKNOWN;
    if let Some(prompt) = count("prompt_eval_count") {
        let cached = count("prompt_eval_cached_count").map(|cached| cached.min(prompt));
        usage.set(UsageKind::Input, prompt.minus(cached.unwrap_or_default()));
        if let Some(cached) = cached {
            usage.set(UsageKind::CachedRead, cached);
        }
    }
    if let Some(output) = count("eval_count") {
        usage.set(UsageKind::Output, output);
    }
    Some(usage).filter(|usage| !usage.is_unknown())
}
