//! How fast a queue drains, measured, for telling callers when to come back.

use std::time::Duration;

use tollgate_domain::Ticks;

/// The time between two slots that become free while calls wait, as a moving average. Time in which
/// nobody waits does not count: slots that become free then say nothing of how fast they could.
#[derive(Debug, Default)]
pub(super) struct Drain {
    /// The average, once anything was measured.
    interval: Option<Duration>,
    /// When a slot last became free, or the waiting began; `None` while nobody waits.
    since: Option<Ticks>,
}

impl Drain {
    /// Somebody waits. It is the beginning where nobody waited before.
    pub(super) fn waiting(&mut self, now: Ticks) {
        self.since.get_or_insert(now);
    }

    /// Nobody waits any more.
    pub(super) const fn idle(&mut self) {
        self.since = None;
    }

    /// A slot became free.
    pub(super) fn freed(&mut self, now: Ticks) {
        let Some(since) = self.since.replace(now) else {
            self.since = None;
            return;
        };
        let sample = now.since(since);
        self.interval = Some(match self.interval {
            None => sample,
            Some(average) => {
                (average.saturating_mul(SMOOTHING - 1).saturating_add(sample)) / SMOOTHING
            }
        });
    }

    /// How long it takes until so many slots have become free. A slot that is overdue counts with
    /// the time that has passed, so that a deployment that stands still is not told as fast.
    pub(super) fn wait(&self, slots: usize, now: Ticks) -> Duration {
        let average = self.interval.unwrap_or_default();
        let passed = self.since.map_or(Duration::ZERO, |since| now.since(since));
        average.max(passed).saturating_mul(u32::try_from(slots).unwrap_or(u32::MAX))
    }
}

/// How many samples the average remembers.
const SMOOTHING: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Ticks {
        Ticks::from_nanos(millis * 1_000_000)
    }

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_first_sample_is_the_average_and_later_ones_move_it_by_an_eighth() {
        let mut drain = Drain::default();
        drain.waiting(at(100));
        drain.freed(at(300));
        assert_eq!(drain.wait(5, at(300)), millis(1000));
        drain.freed(at(300));
        assert_eq!(drain.wait(4, at(300)), millis(700));
    }

    #[test]
    fn slots_that_become_free_while_nobody_waits_do_not_count() {
        let mut drain = Drain::default();
        drain.freed(at(50));
        drain.waiting(at(1000));
        drain.freed(at(1010));
        drain.idle();
        drain.freed(at(9000));
        drain.waiting(at(20_000));
        assert_eq!(drain.wait(3, at(20_000)), millis(30));
    }

    #[test]
    fn a_queue_that_stands_still_is_told_by_how_long_it_does() {
        let mut drain = Drain::default();
        assert_eq!(drain.wait(7, at(5)), Duration::ZERO);
        drain.waiting(at(0));
        assert_eq!(drain.wait(2, at(4000)), millis(8000));
        drain.freed(at(4000));
        assert_eq!(drain.wait(2, at(5000)), millis(8000));
        assert_eq!(drain.wait(usize::MAX, at(5000)), millis(4000) * u32::MAX);
    }
}
