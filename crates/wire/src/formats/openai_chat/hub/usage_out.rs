//! Usage as this format reports it: cached tokens within the prompt, reasoning within the
//! completion.

use tollgate_domain::{Quantity, Usage, UsageKind};

use crate::json::JsonWriter;

/// Writes the members of a `usage` object (OpenAI API reference, "the completion usage object").
pub(super) fn write_usage(usage: &Usage, object: &mut JsonWriter<'_>) {
    let of = |kind| usage.quantity(kind).unwrap_or(Quantity::ZERO);
    let prompt = usage.prompt().unwrap_or(Quantity::ZERO).rounded();
    let completion = usage.completion().unwrap_or(Quantity::ZERO).rounded();
    object.number("prompt_tokens", prompt).number("completion_tokens", completion);
    object.number("total_tokens", prompt.saturating_add(completion));
    let written = of(UsageKind::CacheWrite).plus(of(UsageKind::CacheWriteLong));
    object.object("prompt_tokens_details", |details| {
        details.number("cached_tokens", of(UsageKind::CachedRead).rounded());
        details.number("audio_tokens", of(UsageKind::InputAudio).rounded());
        if written > Quantity::ZERO {
            details.number("cache_write_tokens", written.rounded());
        }
        if of(UsageKind::InputImage) > Quantity::ZERO {
            details.number("image_tokens", of(UsageKind::InputImage).rounded());
        }
    });
    object.object("completion_tokens_details", |details| {
        details.number("reasoning_tokens", of(UsageKind::Reasoning).rounded());
        details.number("audio_tokens", of(UsageKind::OutputAudio).rounded());
        if of(UsageKind::OutputImage) > Quantity::ZERO {
            details.number("image_tokens", of(UsageKind::OutputImage).rounded());
        }
    });
}
