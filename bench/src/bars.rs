//! The bars that the gateway has to keep. The exit status of the benchmark is theirs.

use serde::Serialize;

use crate::measure::keys::KEYS;
use crate::session::Results;

/// One bar and what was measured against it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) measured: f64,
    pub(crate) limit: f64,
    /// Which values keep the bar.
    pub(crate) relation: Relation,
    pub(crate) kept: bool,
}

/// How what was measured has to stand to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Relation {
    AtMost,
    AtLeast,
    Exactly,
}

impl Bar {
    fn at_most(name: &'static str, unit: &'static str, measured: f64, limit: f64) -> Self {
        // What is not a number keeps no bar.
        Self { name, unit, measured, limit, relation: Relation::AtMost, kept: measured <= limit }
    }

    fn at_least(name: &'static str, unit: &'static str, measured: f64, limit: f64) -> Self {
        let kept = measured >= limit;
        Self { name, unit, measured, limit, relation: Relation::AtLeast, kept }
    }

    fn exactly(name: &'static str, unit: &'static str, measured: f64, limit: f64) -> Self {
        let kept = (measured - limit).abs() <= limit.abs() * BOOKED_TOLERANCE;
        Self { name, unit, measured, limit, relation: Relation::Exactly, kept }
    }
}

/// Every bar, kept or not.
pub(crate) fn check(results: &Results) -> Vec<Bar> {
    let memory = &results.memory;
    let idle_mib = (memory.idle_rss_kib as f64 / 102.4).round() / 10.0;
    let growth = results.streams.bytes_per_1000_tokens;
    let translation = &results.translation;
    let (ratio, delta_us) = (translation.call_ratio, translation.delta_us.translated);
    let start = |startup: &crate::measure::startup::Startup| startup.median_ms;
    let (ledger, keys) = (&results.ledger, &results.keys);
    let (whole_us, claims_us) = (results.admission.limits_us, results.claims.added_us);
    let page_ms = results.pages.slowest_ms(|took| took.p99_us);
    // In a short run fewer keys are in use: as much less memory is theirs.
    let keys_max = KEYS_MEGABYTES_MAX * keys.keys as f64 / KEYS as f64;
    vec![
        Bar::at_most("start, fresh data", "ms", start(&results.start_fresh), START_MS_MAX),
        Bar::at_most("start, existing data", "ms", start(&results.start_existing), START_MS_MAX),
        Bar::at_most("idle memory", "MiB", idle_mib, IDLE_MIB_MAX),
        Bar::at_most("stream growth", "B per 1,000 tokens", growth, GROWTH_BYTES_MAX),
        Bar::at_most("translated call", "× one that passes", ratio, TRANSLATED_CALL_MAX),
        Bar::at_most("translated stream", "µs of CPU per delta", delta_us, TRANSLATED_DELTA_US_MAX),
        Bar::at_most("limits, whole call", "µs of CPU per call", whole_us, LIMITS_US_MAX),
        Bar::at_most(
            "limits of a tree, in process",
            "µs of CPU per call",
            claims_us,
            LIMITS_US_MAX,
        ),
        Bar::at_most("plan of 50 deployments", "µs", results.planning.slowest_us(), PLAN_US_MAX),
        Bar::at_least("ledger", "entries/s", ledger.open.per_second, LEDGER_PER_SECOND_MIN),
        Bar::at_most("slowest page, p99", "ms", page_ms, PAGE_MS_MAX),
        Bar::at_most("keys in use", "MB", keys.megabytes, keys_max),
        Bar::exactly("spend in the ledger", "$", results.spend.booked, results.spend.expected),
    ]
}

/// Longest start, in milliseconds.
const START_MS_MAX: f64 = 100.0;
/// Most resident memory before the first call, in MiB.
const IDLE_MIB_MAX: f64 = 30.0;
/// Most memory that 1,000 more tokens may add to a stream, in bytes: nothing, but for what is left
/// of noise.
const GROWTH_BYTES_MAX: f64 = 1024.0;
/// Most processor time of a translated call, as a multiple of one whose bytes pass.
const TRANSLATED_CALL_MAX: f64 = 2.5;
/// Most processor time of one delta of a translated stream, in microseconds.
const TRANSLATED_DELTA_US_MAX: f64 = 4.0;
/// Most processor time that three budgets and two rate limits in a tree of five levels may add to a
/// whole call of that tree, and that finding, claiming and settling all of the tree may add to the
/// same for a key alone, in microseconds.
const LIMITS_US_MAX: f64 = 5.0;
/// Longest time of a plan over fifty deployments with every filter, in microseconds.
const PLAN_US_MAX: f64 = 2.0;
/// Fewest entries that the ledger's writer has to take on SQLite, per second.
const LEDGER_PER_SECOND_MIN: f64 = 20_000.0;
/// Longest time of a page of usage, in milliseconds.
const PAGE_MS_MAX: f64 = 50.0;
/// Most memory of [`KEYS`] keys in use, in millions of bytes.
const KEYS_MEGABYTES_MAX: f64 = 150.0;
/// The spend comes as a floating-point number; this much of it may be rounding.
const BOOKED_TOLERANCE: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_kept_at_its_limit_and_broken_above_it() {
        for (measured, kept) in [(99.9, true), (100.0, true), (100.1, false), (f64::NAN, false)] {
            assert_eq!(Bar::at_most("a", "ms", measured, 100.0).kept, kept, "{measured}");
        }
    }

    #[test]
    fn a_pace_is_kept_at_its_limit_and_missed_below_it() {
        for (measured, kept) in [(99.9, false), (100.0, true), (100.1, true), (f64::NAN, false)] {
            assert_eq!(Bar::at_least("a", "ms", measured, 100.0).kept, kept, "{measured}");
        }
    }

    #[test]
    fn spend_that_is_missing_or_booked_twice_breaks_its_bar() {
        let one_call = 0.000_128;
        let expected = one_call * 300_000.0;
        let bar = |booked| Bar::exactly("a", "$", booked, expected);
        assert!(bar(expected).kept && bar(expected + 1e-9).kept);
        assert!(!bar(expected - one_call).kept && !bar(expected + one_call).kept);
        assert!(!bar(f64::NAN).kept);
    }
}
