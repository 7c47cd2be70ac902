//! Which processor core each process runs on: the measured one has a core of its own.

use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Serialize;

/// The cores in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Cores {
    /// The gateway's, and nginx's.
    pub(crate) measured: u32,
    /// The simulator's and the load generator's.
    pub(crate) load: u32,
}

impl Cores {
    /// The first two cores that this process may use; `None` when there is only one.
    ///
    /// # Errors
    /// When the kernel does not say which cores those are.
    pub(crate) fn choose() -> anyhow::Result<Option<Self>> {
        let status = std::fs::read_to_string("/proc/self/status")
            .context("cannot read /proc/self/status")?;
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let allowed =
            list.and_then(allowed).context("the kernel does not say which cores may be used")?;
        Ok(match allowed.as_slice() {
            [measured, load, ..] => Some(Self { measured: *measured, load: *load }),
            _ => None,
        })
    }

    /// Moves this process, and with it all that it starts, to the core of the load.
    ///
    /// # Errors
    /// When `taskset` is missing or refuses.
    pub(crate) fn take_load(self) -> anyhow::Result<()> {
        let (core, pid) = (self.load.to_string(), std::process::id().to_string());
        let moved = Command::new(TASKSET)
            .args(["--all-tasks", "--pid", "--cpu-list", &core, &pid])
            .output()
            .context("cannot run `taskset`; it is part of util-linux")?;
        let problem = String::from_utf8_lossy(&moved.stderr);
        ensure!(moved.status.success(), "`taskset` failed: {}", problem.trim());
        Ok(())
    }
}

/// The program that starts another on one core.
pub(crate) const TASKSET: &str = "taskset";

/// The numbers in a list such as `0-2,5`.
fn allowed(list: &str) -> Option<Vec<u32>> {
    let mut cores = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let last = last.parse::<u32>().ok()?.min(CORE_MAX);
        cores.extend(first.parse::<u32>().ok()?..=last);
    }
    Some(cores)
}

/// The highest core that is looked at.
const CORE_MAX: u32 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_cores_is_read() {
        for (list, cores) in [
            ("\t0-1\n", Some(vec![0, 1])),
            ("3", Some(vec![3])),
            ("0-1,4,6-7", Some(vec![0, 1, 4, 6, 7])),
            ("", None),
            ("a-b", None),
        ] {
            assert_eq!(allowed(list), cores, "{list}");
        }
    }
}
