//! How fast a deployment answers at present: a peak-sensitive moving average.

use std::time::Duration;

use tollgate_domain::Ticks;

/// The estimate of a deployment's time to the first byte. A slower answer counts at once and in
/// full, a faster one by the time that has passed; and while nobody calls, the estimate sinks, so
/// that a deployment that was slow is tried again.
#[derive(Debug, Clone, Copy, Default)]
pub struct Latency {
    estimate: Option<Estimate>,
}

#[derive(Debug, Clone, Copy)]
struct Estimate {
    micros: f64,
    at: Ticks,
}

impl Latency {
    /// Takes note of an answer that began this long after it was asked for.
    pub fn observe(&mut self, first_byte: Duration, now: Ticks) {
        let sample = first_byte.as_secs_f64() * MICROS;
        let micros = match self.estimate {
            Some(estimate) if sample < estimate.micros => {
                let kept = share_kept(now.since(estimate.at));
                estimate.micros.mul_add(kept, sample * (1.0 - kept))
            }
            _ => sample,
        };
        self.estimate = Some(Estimate { micros, at: now });
    }

    /// Takes note of a time in which no answer began. It counts only where it is more than the
    /// estimate: how long the answer would have taken, nobody knows.
    pub fn observe_silence(&mut self, waited: Duration, now: Ticks) {
        let micros = waited.as_secs_f64() * MICROS;
        if self.estimate.is_none_or(|estimate| micros > estimate.micros) {
            self.estimate = Some(Estimate { micros, at: now });
        }
    }

    /// The estimate in microseconds, or `None` before the first answer.
    #[must_use]
    pub fn micros(&self, now: Ticks) -> Option<u64> {
        let Estimate { micros, at } = self.estimate?;
        // Saturates; an estimate is never negative.
        Some((micros * share_kept(now.since(at))) as u64)
    }
}

/// How much of an estimate is left after so long.
fn share_kept(passed: Duration) -> f64 {
    (-passed.as_secs_f64() / LATENCY_HALF_LIFE.as_secs_f64()).exp2()
}

const MICROS: f64 = 1_000_000.0;
/// After how long half of an estimate is forgotten.
pub const LATENCY_HALF_LIFE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
