//! A steady beat, exact to microseconds: the runtime's own timers are exact to a millisecond only.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

use crate::clock;

/// A timer that fires at a fixed rate and never skips a beat: beats that were missed are given
/// late.
pub(crate) struct Pace {
    timer: AsyncFd<OwnedFd>,
    started: Instant,
    interval: Duration,
    given: u32,
    fired: u64,
}

impl Pace {
    /// Starts the beat, at this many per second, one or more.
    pub(crate) fn start(per_second: u32) -> anyhow::Result<Self> {
        let interval = Duration::from_secs(1) / per_second.max(1);
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, flags).context("cannot make a timer")?;
        let each = Timespec::try_from(interval).context("the interval is too long")?;
        let started = clock::now();
        let times = Itimerspec { it_interval: each, it_value: each };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &times)
            .context("cannot set a timer")?;
        let timer = registered(timer)?;
        Ok(Self { timer, started, interval, given: 0, fired: 0 })
    }

    /// Waits for the next beat, and returns the moment at which it was due.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Instant> {
        while self.fired <= u64::from(self.given) {
            let mut ready = self.timer.readable().await.context("cannot wait for a timer")?;
            let mut count = [0; 8];
            let read = ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut count)?));
            match read {
                Ok(read) => {
                    read.context("cannot read a timer")?;
                    self.fired += u64::from_ne_bytes(count);
                }
                Err(_would_block) => {}
            }
        }
        self.given += 1;
        Ok(self.started + self.interval * self.given)
    }
}

#[expect(
    deprecated,
    reason = "its successor is unsafe, for descriptors that others close; nobody closes this"
)]
fn registered(timer: OwnedFd) -> anyhow::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(timer).context("cannot wait for a timer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn beats_are_due_one_interval_apart_and_never_given_early() {
        let mut pace = Pace::start(2000).expect("a timer");
        let started = pace.started;
        for beat in 1..=100_u32 {
            let due = pace.next().await.expect("a beat");
            assert_eq!(due - started, Duration::from_micros(500) * beat);
            assert!(clock::now() >= due);
        }
    }
}
