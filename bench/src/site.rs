//! Where everything runs: the binary, the working folder, the cores; and the processes started
//! there.

mod gateway;
mod hop;
mod messages;
mod nginx;
mod simulator;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;

pub(crate) use gateway::{GATEWAY, Gateway, MASTER_KEY};
pub(crate) use hop::Hop;
pub(crate) use messages::{MessagesUpstream, STREAM_DELTAS};
pub(crate) use nginx::Nginx;
pub(crate) use simulator::Simulator;

use crate::cores::Cores;

/// What every process is started with.
pub(crate) struct Site {
    /// The `tollgate` binary.
    binary: PathBuf,
    /// Removed with all that is in it at the end.
    folder: TempDir,
    cores: Option<Cores>,
}

/// Something that answers chat calls.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    /// The credential to send.
    pub(crate) key: String,
    /// The process whose cost is measured, when there is one.
    pub(crate) watched: Option<u32>,
}

impl Site {
    /// A working folder under `results`, so that databases lie on a disk and not in memory.
    ///
    /// # Errors
    /// When the folder cannot be made, or there is no such binary.
    pub(crate) fn prepare(
        binary: &Path,
        results: &Path,
        cores: Option<Cores>,
    ) -> anyhow::Result<Self> {
        let binary = binary.canonicalize();
        let binary =
            binary.context("there is no gateway to measure: build it, or name it with --binary")?;
        std::fs::create_dir_all(results)
            .with_context(|| format!("cannot make {}", results.display()))?;
        let results = results.canonicalize().context("cannot find the folder of the results")?;
        let folder =
            TempDir::with_prefix_in("work-", results).context("cannot make a working folder")?;
        Ok(Self { binary, folder, cores })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn binary(&self) -> &Path {
        &self.binary
    }

    pub(crate) fn cores(&self) -> Option<Cores> {
        self.cores
    }

    /// A file or folder in the working folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the working folder.
    fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let file = self.file(name);
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }
}
