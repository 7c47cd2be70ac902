//! Durations of one kind, and what they come to.

use std::time::Duration;

use serde::Serialize;

/// Every duration that was measured, so that percentiles are exact.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    nanos: Vec<u64>,
}

/// What samples come to, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) count: usize,
    pub(crate) p50_us: f64,
    pub(crate) p90_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    pub(crate) max_us: f64,
}

impl Samples {
    pub(crate) fn push(&mut self, duration: Duration) {
        self.nanos.push(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.nanos.extend_from_slice(&other.nanos);
    }

    pub(crate) fn count(&self) -> usize {
        self.nanos.len()
    }

    /// The percentiles by nearest rank; `None` without samples.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let mut sorted = self.nanos.clone();
        sorted.sort_unstable();
        Some(Summary {
            count: sorted.len(),
            p50_us: per_mille(&sorted, 500)?,
            p90_us: per_mille(&sorted, 900)?,
            p99_us: per_mille(&sorted, 990)?,
            p999_us: per_mille(&sorted, 999)?,
            max_us: per_mille(&sorted, 1000)?,
        })
    }

    /// The median in microseconds; `None` without samples.
    pub(crate) fn median_us(&self) -> Option<f64> {
        self.summary().map(|summary| summary.p50_us)
    }
}

/// The smallest value that at least this many thousandths of the values do not exceed, in
/// microseconds.
fn per_mille(sorted: &[u64], wanted: usize) -> Option<f64> {
    let rank = (sorted.len() * wanted).div_ceil(1000).max(1);
    sorted.get(rank - 1).map(|nanos| rounded(*nanos as f64 / 1000.0))
}

/// One decimal is more than the clock is worth.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(micros: impl IntoIterator<Item = u64>) -> Samples {
        let mut samples = Samples::default();
        micros.into_iter().for_each(|micros| samples.push(Duration::from_micros(micros)));
        samples
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let summary = samples((1..=1000).rev()).summary().expect("samples");
        let expected = Summary {
            count: 1000,
            p50_us: 500.0,
            p90_us: 900.0,
            p99_us: 990.0,
            p999_us: 999.0,
            max_us: 1000.0,
        };
        assert_eq!(summary, expected);
        let one = samples([7]).summary().expect("a sample");
        assert_eq!((one.p50_us, one.p999_us, one.max_us), (7.0, 7.0, 7.0));
    }

    #[test]
    fn nothing_measured_is_not_zero() {
        assert_eq!(samples([]).summary(), None);
        assert_eq!(samples([]).median_us(), None);
    }

    #[test]
    fn merging_keeps_every_sample() {
        let mut all = samples([1, 2]);
        all.merge(&samples([3]));
        assert_eq!((all.count(), all.median_us()), (3, Some(2.0)));
    }
}
