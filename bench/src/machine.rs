//! What the figures were measured on. A fact that this machine does not tell is left out.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

use crate::cores::Cores;
use crate::site::Site;

/// Facts about the machine and the build.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: Option<String>,
    pub(crate) cores_online: Option<usize>,
    pub(crate) cores: Option<Cores>,
    /// The hardware threads that share a core with the measured one.
    pub(crate) siblings: Option<String>,
    pub(crate) memory_kib: Option<u64>,
    pub(crate) kernel: Option<String>,
    /// The kind of file system that the databases lie on.
    pub(crate) file_system: Option<String>,
    /// What else was going on: the load averages before the first run.
    pub(crate) load_average: Option<String>,
    pub(crate) commit: Option<String>,
    /// Whether the work tree differs from the commit.
    pub(crate) changed: Option<bool>,
    pub(crate) binary_bytes: Option<u64>,
    /// nginx's version, or that it is not installed.
    pub(crate) nginx: String,
}

impl Machine {
    pub(crate) fn look(site: &Site, nginx: Option<&str>) -> Self {
        let cpu = read("/proc/cpuinfo").unwrap_or_default();
        let memory = read("/proc/meminfo").unwrap_or_default();
        let measured = site.cores().map_or(0, |cores| cores.measured);
        let siblings =
            format!("/sys/devices/system/cpu/cpu{measured}/topology/thread_siblings_list");
        Self {
            processor: field(&cpu, "model name").map(str::to_owned),
            cores_online: Some(cpu.lines().filter(|line| line.starts_with("processor")).count()),
            cores: site.cores(),
            siblings: read(&siblings).map(|list| list.trim().to_owned()),
            memory_kib: field(&memory, "MemTotal").and_then(first_number),
            kernel: read("/proc/sys/kernel/osrelease").map(|release| release.trim().to_owned()),
            file_system: said("stat", &["-f", "-c", "%T"], Some(site.folder())),
            load_average: read("/proc/loadavg").map(|load| load.trim().to_owned()),
            commit: said("git", &["rev-parse", "--short=12", "HEAD"], None),
            changed: said("git", &["status", "--porcelain", "--untracked-files=no"], None)
                .map(|changes| !changes.is_empty()),
            binary_bytes: std::fs::metadata(site.binary()).ok().map(|file| file.len()),
            nginx: nginx.unwrap_or("not installed").to_owned(),
        }
    }
}

fn read(file: &str) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

/// The value of the first line `name : value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

fn first_number(value: &str) -> Option<u64> {
    value.split_whitespace().next()?.parse().ok()
}

/// What a program says, when it is there and succeeds.
fn said(program: &str, arguments: &[&str], file: Option<&Path>) -> Option<String> {
    let output = Command::new(program).args(arguments).args(file).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_kernel_are_read() {
        let memory = "MemTotal:       24684032 kB\nMemFree:  1 kB\n";
        assert_eq!(field(memory, "MemTotal").and_then(first_number), Some(24_684_032));
        assert_eq!(field("model name\t: A processor\n", "model name"), Some("A processor"));
        assert_eq!(field(memory, "Absent"), None);
    }

    #[test]
    fn what_cannot_be_asked_is_left_out() {
        assert_eq!(said("no-such-program-here", &[], None), None);
        assert_eq!(said("false", &[], None), None);
    }
}
