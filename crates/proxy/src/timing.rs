//! How long each phase of a call took, told to the client as `server-timing`.

use std::fmt::Write as _;
use std::time::Duration;

use tollgate_domain::Ticks;

/// The phases a client is told about, in the order of the line.
const PHASES: [&str; 4] = ["read", "admit", "upstream", "relay"];

/// The instants at which phases of one call ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    arrived: Ticks,
    marks: [Option<Ticks>; PHASES.len()],
}

/// A phase of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Phase {
    /// Caller known and body read.
    Read = 0,
    /// Model, money and place in the ledger granted, deployments planned.
    Admit = 1,
    /// The upstream's answer began, or for a buffered answer ended; earlier attempts included.
    Upstream = 2,
    /// The answer was made ready for the client.
    Relay = 3,
}

impl Timing {
    pub(crate) const fn start(arrived: Ticks) -> Self {
        Self { arrived, marks: [None; PHASES.len()] }
    }

    /// Marks the end of a phase.
    pub(crate) const fn mark(&mut self, phase: Phase, now: Ticks) {
        self.marks[phase as usize] = Some(now);
    }

    /// The time from arrival to the last mark.
    pub(crate) fn total(&self) -> Duration {
        self.last().since(self.arrived)
    }

    /// The time that was the gateway's own: all of it but the upstream's.
    pub(crate) fn overhead(&self) -> Duration {
        self.total().saturating_sub(self.of(Phase::Upstream))
    }

    /// The header's value, such as `read;dur=0.04, admit;dur=0.01, upstream;dur=812.30`.
    pub(crate) fn server_timing(&self) -> String {
        let mut value = String::with_capacity(96);
        for (index, name) in PHASES.iter().enumerate() {
            if let Some(took) = self.at(index) {
                let separator = if value.is_empty() { "" } else { ", " };
                // Writing to a String cannot fail.
                let _ = write!(value, "{separator}{name};dur={}", millis(took));
            }
        }
        value
    }

    fn of(&self, phase: Phase) -> Duration {
        self.at(phase as usize).unwrap_or(Duration::ZERO)
    }

    fn at(&self, index: usize) -> Option<Duration> {
        let end = *self.marks.get(index)?;
        let before = self.marks.iter().take(index).flatten().last().copied();
        end.map(|end| end.since(before.unwrap_or(self.arrived)))
    }

    fn last(&self) -> Ticks {
        self.marks.iter().flatten().last().copied().unwrap_or(self.arrived)
    }
}

/// Milliseconds with two decimals.
pub(crate) fn millis(duration: Duration) -> String {
    let hundredths = duration.as_micros() / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_add_up_and_the_upstream_is_not_overhead() {
        let mut timing = Timing::start(Ticks::from_nanos(1_000_000));
        timing.mark(Phase::Read, Ticks::from_nanos(1_200_000));
        timing.mark(Phase::Admit, Ticks::from_nanos(1_250_000));
        timing.mark(Phase::Upstream, Ticks::from_nanos(101_250_000));
        timing.mark(Phase::Relay, Ticks::from_nanos(101_300_000));
        assert_eq!(
            timing.server_timing(),
            "read;dur=0.20, admit;dur=0.05, upstream;dur=100.00, relay;dur=0.05"
        );
        assert_eq!(timing.overhead(), Duration::from_micros(300));
        assert_eq!(timing.total(), Duration::from_micros(100_300));
    }

    #[test]
    fn a_call_that_ended_early_reports_what_it_reached() {
        let mut timing = Timing::start(Ticks::from_nanos(0));
        assert_eq!(timing.server_timing(), "");
        timing.mark(Phase::Read, Ticks::from_nanos(50_000));
        assert_eq!(timing.server_timing(), "read;dur=0.05");
    }
}
