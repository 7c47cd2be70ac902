//! Usage as Converse reports it: disjoint kinds, as the Messages API has them.

use tollgate_domain::{Quantity, Usage};

use crate::formats::anthropic_messages::usage::{Reported, read};
use crate::json::Raw;

/// Reads a `usage`, whose output includes this much reasoning where the model told.
pub(super) fn read_usage(usage: Raw<'_>, thinking: Option<Quantity>) -> Option<Usage> {
    let mut reported = Reported::default();
    reported.thinking = thinking;
    for (name, value) in usage.members() {
        match &*name {
            "inputTokens" => read(value, &mut reported.input),
            "outputTokens" => read(value, &mut reported.output),
            "cacheReadInputTokens" => read(value, &mut reported.cached_read),
            "cacheWriteInputTokens" => read(value, &mut reported.cache_write),
            "cacheDetails" => {
                for written in value.elements() {
                    let slot = match written.find("ttl").and_then(Raw::text).as_deref() {
                        Some("1h") => &mut reported.cache_write_long,
                        _ => &mut reported.cache_write_short,
                    };
                    if let Some(tokens) = written.find("inputTokens") {
                        read(tokens, slot);
                    }
                }
            }
            _ => {}
        }
    }
    reported.usage()
}

/// The reasoning tokens in `additionalModelResponseFields`, which the request asks for.
pub(super) fn thinking_tokens(fields: Option<Raw<'_>>) -> Option<Quantity> {
    let details = fields?.find("usage")?.find("output_tokens_details")?;
    let mut tokens = None;
    read(details.find("thinking_tokens")?, &mut tokens);
    tokens
}
