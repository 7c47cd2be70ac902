//! The one place of the benchmark that reads clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use tollgate_domain::{Clock, Ticks, Timestamp};

/// This moment, by the monotonic clock.
#[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The processor time that this thread has used so far.
pub(crate) fn thread_cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// The system's clocks.
pub(crate) struct SystemClock {
    started: Instant,
}

impl SystemClock {
    pub(crate) fn start() -> Self {
        Self { started: now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "what is measured is of the present")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn ticks(&self) -> Ticks {
        Ticks::from_nanos(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}
