//! What a process uses of the machine, read from `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::clock;

/// Resident memory of a process, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) rss_kib: u64,
    /// The most so far.
    pub(crate) rss_kib_max: u64,
}

impl Memory {
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        let file = folder(pid).join("status");
        let read = Self::read(&text(&file)?);
        read.with_context(|| format!("{} does not say how much memory is resident", file.display()))
    }

    fn read(status: &str) -> Option<Self> {
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Some(Self { rss_kib: kib("VmRSS:")?, rss_kib_max: kib("VmHWM:")? })
    }
}

/// The processor time that a process has used so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cpu {
    /// By thread, in nanoseconds.
    threads: BTreeMap<u32, u64>,
    /// Of all threads, ended ones included, to the clock tick.
    ticks: Duration,
}

impl Cpu {
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        let file = folder(pid).join("stat");
        let ticks =
            ticks(&text(&file)?).with_context(|| format!("cannot follow {}", file.display()))?;
        Ok(Self { threads: threads(pid)?, ticks: ticks_to_duration(ticks) })
    }

    /// What was used since an earlier reading: to the nanosecond, or to the tick when a thread has
    /// ended meanwhile and took its own count with it.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let precise = !self.threads.is_empty()
            && earlier.threads.keys().all(|thread| self.threads.contains_key(thread));
        if !precise {
            return self.ticks.saturating_sub(earlier.ticks);
        }
        let nanos = self.threads.iter().map(|(thread, now)| {
            now.saturating_sub(earlier.threads.get(thread).copied().unwrap_or(0))
        });
        Duration::from_nanos(nanos.sum())
    }
}

/// The nanoseconds on a processor of each thread; nothing where the kernel does not count them.
fn threads(pid: u32) -> anyhow::Result<BTreeMap<u32, u64>> {
    let folder = folder(pid).join("task");
    let listed =
        fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut threads = BTreeMap::new();
    for thread in listed {
        let thread = thread.with_context(|| format!("cannot list {}", folder.display()))?;
        let Some(id) = thread.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A thread may end between being listed and being read.
        let Ok(line) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
        if let Some(nanos) = line.split_whitespace().next().and_then(|field| field.parse().ok()) {
            threads.insert(id, nanos);
        }
    }
    Ok(threads)
}

/// User and system time in clock ticks: fields 14 and 15 of `stat`, counted after the name, which
/// may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The time that so many ticks of the kernel's clock are.
pub(crate) fn ticks_to_duration(ticks: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Duration::from_secs_f64(ticks as f64 / per_second as f64)
}

/// Waits until a process has nothing more to do, and reads what it has used by then: what it puts
/// off during a load belongs to that load.
pub(crate) async fn when_quiet(pid: u32) -> anyhow::Result<Cpu> {
    let began = clock::now();
    let mut last = Cpu::of(pid)?;
    while began.elapsed() < QUIET_WAIT_MAX {
        tokio::time::sleep(QUIET_INTERVAL).await;
        let now = Cpu::of(pid)?;
        if now.since(&last) < QUIET_INTERVAL / QUIET_SHARE {
            return Ok(now);
        }
        last = now;
    }
    bail!("the process {pid} is still busy {QUIET_WAIT_MAX:?} after its last answer")
}

fn folder(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}

fn text(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Longest wait for a process to become quiet.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(30);
/// How long it has to be quiet.
const QUIET_INTERVAL: Duration = Duration::from_millis(100);
/// It is quiet when it uses less than one part in so many of a processor.
const QUIET_SHARE: u32 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_followed() {
        let status = "Name:\tx\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\nThreads:\t3\n";
        assert_eq!(Memory::read(status), Some(Memory { rss_kib: 10_240, rss_kib_max: 20_480 }));
        assert_eq!(Memory::read("Name:\tx\n"), None);
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 31 11 0 0 20 0 4 0 5 6 7";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn an_ended_thread_is_not_lost() {
        let reading = |threads: &[(u32, u64)], ticks_ms| Cpu {
            threads: threads.iter().copied().collect(),
            ticks: Duration::from_millis(ticks_ms),
        };
        let before = reading(&[(1, 100), (2, 50)], 10);
        let same = reading(&[(1, 300), (2, 50), (3, 7)], 20);
        assert_eq!(same.since(&before), Duration::from_nanos(207));
        let without = reading(&[(1, 300)], 20);
        assert_eq!(without.since(&before), Duration::from_millis(10));
        let uncounted = reading(&[], 20);
        assert_eq!(uncounted.since(&reading(&[], 10)), Duration::from_millis(10));
    }

    #[test]
    fn this_process_can_be_read() {
        let pid = std::process::id();
        let before = Cpu::of(pid).expect("a reading");
        let memory = Memory::of(pid).expect("a reading");
        assert!(memory.rss_kib > 0 && memory.rss_kib_max >= memory.rss_kib);
        let after = Cpu::of(pid).expect("a reading");
        assert!(after.ticks >= before.ticks);
    }
}
