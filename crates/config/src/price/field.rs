//! The names of price fields, in the public price list as in `litellm_params` and `model_info`.
//!
//! Only prices that the ledger can apply have a place here. Fields for service tiers, batches,
//! pixels, resolutions and the like are prices too, but nothing counts what they are per.

use tollgate_domain::UsageKind;

/// What a price field is the price of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PriceField {
    pub(crate) per: Per,
    /// The prompt length above which it applies, in tokens.
    pub(crate) above: Option<u64>,
}

/// What one price pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Per {
    /// One unit of a kind.
    Kind(UsageKind),
    /// One call.
    Request,
}

impl PriceField {
    /// The meaning of a field name (cost-map.md), or `None` when the ledger has no use for it.
    pub(crate) fn read(name: &str) -> Option<Self> {
        let (base, above) = match name.rsplit_once("_above_") {
            Some((base, threshold)) if threshold.ends_with("k_tokens") => {
                (base, Some(thousands(threshold.strip_suffix("k_tokens")?)?))
            }
            _ => (name, None),
        };
        let per = match NAMES.iter().find(|(name, _)| *name == base) {
            Some((_, kind)) => Per::Kind(*kind),
            None if base == "input_cost_per_request" => Per::Request,
            None => return None,
        };
        Some(Self { per, above })
    }
}

/// The field that holds the price of a kind.
pub(crate) fn name_of(kind: UsageKind) -> Option<&'static str> {
    NAMES.iter().find(|(_, named)| *named == kind).map(|(name, _)| *name)
}

/// What a search costs, by how much of what it finds the model reads (cost-map.md).
pub(crate) const SEARCHES: &str = "search_context_cost_per_query";
/// Whether searches are billed each or once for the call: [`BY_CALL`] is the latter.
pub(crate) const SEARCH_UNIT: &str = "web_search_billing_unit";
/// The unit of searches that are billed once for the call.
pub(crate) const BY_CALL: &str = "per_prompt";
/// The unit of searches that are billed each.
pub(crate) const BY_SEARCH: &str = "per_query";
/// How the members of [`SEARCHES`] begin.
pub(crate) const SEARCH_SIZE: &str = "search_context_size_";

/// Whether a field is a price of any sort, applied or not.
pub(crate) fn is_price(name: &str) -> bool {
    name == "tiered_pricing" || name.contains("_cost_per_") || name.contains("_token_cost")
}

fn thousands(digits: &str) -> Option<u64> {
    let thousands: u64 = digits.parse().ok()?;
    thousands.checked_mul(1000)
}

/// Field names without their threshold, and the kind they are the price of.
const NAMES: [(&str, UsageKind); 16] = [
    ("input_cost_per_token", UsageKind::Input),
    ("output_cost_per_token", UsageKind::Output),
    ("cache_read_input_token_cost", UsageKind::CachedRead),
    ("input_cost_per_token_cache_hit", UsageKind::CachedRead),
    ("cache_creation_input_token_cost", UsageKind::CacheWrite),
    ("cache_creation_input_token_cost_above_1hr", UsageKind::CacheWriteLong),
    ("input_cost_per_audio_token", UsageKind::InputAudio),
    ("input_cost_per_image_token", UsageKind::InputImage),
    ("output_cost_per_audio_token", UsageKind::OutputAudio),
    ("output_cost_per_image_token", UsageKind::OutputImage),
    ("output_cost_per_reasoning_token", UsageKind::Reasoning),
    ("output_cost_per_image", UsageKind::Images),
    ("input_cost_per_character", UsageKind::Characters),
    ("input_cost_per_second", UsageKind::Seconds),
    ("output_cost_per_second", UsageKind::Seconds),
    ("input_cost_per_query", UsageKind::Searches),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_name_says_what_it_is_the_price_of() {
        let kind = |kind, above| Some(PriceField { per: Per::Kind(kind), above });
        let cases = [
            ("input_cost_per_token", kind(UsageKind::Input, None)),
            ("input_cost_per_token_above_200k_tokens", kind(UsageKind::Input, Some(200_000))),
            ("cache_creation_input_token_cost_above_1hr", kind(UsageKind::CacheWriteLong, None)),
            (
                "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
                kind(UsageKind::CacheWriteLong, Some(200_000)),
            ),
            ("input_cost_per_request", Some(PriceField { per: Per::Request, above: None })),
            ("input_cost_per_token_priority", None),
            ("input_cost_per_token_above_200k_tokens_priority", None),
            ("input_cost_per_token_above_99999999999999999999k_tokens", None),
            ("output_cost_per_character", None),
            ("max_tokens", None),
        ];
        for (name, expected) in cases {
            assert_eq!(PriceField::read(name), expected, "{name}");
        }
    }

    #[test]
    fn every_price_is_known_for_one_whether_it_is_applied_or_not() {
        for (name, _) in NAMES {
            assert!(is_price(name), "{name}");
        }
        assert!(is_price("output_cost_per_token_priority") && is_price("tiered_pricing"));
        assert!(!is_price("max_tokens") && !is_price("temperature"));
    }
}
