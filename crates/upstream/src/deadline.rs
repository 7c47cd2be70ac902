//! A moment by which a phase must be over, and the error for when it is not.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use tollgate_domain::{Clock, Ticks};

use crate::error::{DispatchError, Phase};

/// The end of a phase.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    phase: Phase,
    limit: Duration,
    began: Ticks,
}

impl Deadline {
    /// The deadline of a phase that begins now.
    pub(crate) fn start(phase: Phase, limit: Duration, clock: &dyn Clock) -> Self {
        // A limit too large for an instant is no limit; adding it as it is would panic.
        let at = Instant::now() + limit.min(FAR);
        Self { at, phase, limit, began: clock.ticks() }
    }

    /// How long it is until then.
    pub(crate) fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Whichever comes first.
    pub(crate) fn or_earlier(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if other.at < self.at => other,
            _ => self,
        }
    }

    /// Waits for what is awaited, but not longer than this.
    pub(crate) async fn bound<T>(
        self,
        clock: &dyn Clock,
        awaited: impl Future<Output = T>,
    ) -> Result<T, DispatchError> {
        let outcome = tokio::time::timeout_at(self.at, awaited).await;
        outcome.map_err(|_| self.expired(clock))
    }

    /// The error that says so.
    pub(crate) fn expired(self, clock: &dyn Clock) -> DispatchError {
        let elapsed = clock.ticks().since(self.began);
        DispatchError::Timeout { phase: self.phase, limit: self.limit, elapsed }
    }
}

/// Longer than any process lives: 30 years.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tollgate_domain::Timestamp;

    use super::*;

    /// Each reading is one millisecond after the last.
    #[derive(Default)]
    struct Stepping(AtomicU64);

    impl Clock for Stepping {
        fn now(&self) -> Timestamp {
            Timestamp::EPOCH
        }

        fn ticks(&self) -> Ticks {
            Ticks::from_nanos(self.0.fetch_add(1_000_000, Ordering::Relaxed))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_earlier_deadline_names_the_phase_and_the_clock_the_time_it_took() {
        let clock = Stepping::default();
        let seconds = Duration::from_secs;
        for (idle, total, phase, limit) in
            [(5, Some(9), Phase::Idle, 5), (9, Some(5), Phase::Total, 5), (9, None, Phase::Idle, 9)]
        {
            let total = total.map(|limit| Deadline::start(Phase::Total, seconds(limit), &clock));
            let idle = Deadline::start(Phase::Idle, seconds(idle), &clock).or_earlier(total);
            let outcome = idle.bound(&clock, std::future::pending::<()>()).await;
            let Err(DispatchError::Timeout { phase: p, limit: l, elapsed }) = outcome else {
                panic!("no deadline: {outcome:?}");
            };
            assert_eq!((p, l), (phase, seconds(limit)));
            assert!(elapsed > Duration::ZERO && elapsed < Duration::from_millis(5));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_of_a_limit_is_what_nothing_before_has_taken() {
        let deadline =
            Deadline::start(Phase::Connect, Duration::from_secs(5), &Stepping::default());
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(deadline.left(), Duration::from_secs(2));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(deadline.left(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_limit_is_no_limit() {
        let clock = Stepping::default();
        let deadline = Deadline::start(Phase::Idle, Duration::MAX, &clock);
        assert_eq!(deadline.bound(&clock, async { 7 }).await, Ok(7));
    }
}
