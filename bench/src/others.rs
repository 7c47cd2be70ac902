//! What the rest of the machine did meanwhile: figures taken beside other work are worth little.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::clock;
use crate::gauge::{Cpu, ticks_to_duration};

/// The beginning of a time in which others are watched.
pub(crate) struct Others {
    ours: Vec<(u32, Cpu)>,
    machine: Duration,
    began: Instant,
}

impl Others {
    /// Begins to watch everything but this process and these.
    ///
    /// # Errors
    /// When the kernel does not say what the processors do.
    pub(crate) fn watch(ours: impl IntoIterator<Item = u32>) -> anyhow::Result<Self> {
        let ours = ours.into_iter().chain([std::process::id()]);
        let ours = ours.map(|pid| anyhow::Ok((pid, Cpu::of(pid)?)));
        let ours = ours.collect::<anyhow::Result<_>>()?;
        Ok(Self { ours, machine: machine()?, began: clock::now() })
    }

    /// How many cores the others kept busy since then, on average.
    ///
    /// # Errors
    /// When one of our own processes has ended, or the kernel does not say what the processors do.
    pub(crate) fn cores_busy(&self) -> anyhow::Result<f64> {
        let mut ours = Duration::ZERO;
        for (pid, before) in &self.ours {
            ours += Cpu::of(*pid)?.since(before);
        }
        let others = machine()?.saturating_sub(self.machine).saturating_sub(ours);
        Ok((others.as_secs_f64() / self.began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0)
    }
}

fn machine() -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
    busy_ticks(&text).map(ticks_to_duration).context("cannot follow /proc/stat")
}

/// What all processors spent on programs, of this machine and, as stolen time, of others.
/// Interrupts are left out: they come with our own traffic.
fn busy_ticks(stat: &str) -> Option<u64> {
    let all = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let mut fields = Vec::new();
    for field in all.split_whitespace() {
        fields.push(field.parse::<u64>().ok()?);
    }
    match fields.as_slice() {
        [user, nice, system, _idle, _wait, _irq, _softirq, stolen, ..] => {
            Some(user + nice + system + stolen)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_stolen_time_are_counted_and_idling_is_not() {
        let stat = "cpu  1 20 300 4000 50000 600000 7000000 80000000 9 9\ncpu0 9 9 9 9\n";
        assert_eq!(busy_ticks(stat), Some(80_000_321));
        assert_eq!(busy_ticks("cpu  1 2 3\n"), None);
        assert_eq!(busy_ticks("intr 1\n"), None);
    }
}
