//! A wall clock that a test sets: the gateway's `--clock-file` reads it at each use.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tollgate_domain::Timestamp;

/// A file with an instant, moved only by the test.
#[derive(Debug)]
pub struct ClockFile {
    folder: TempDir,
    file: std::path::PathBuf,
}

impl ClockFile {
    /// A clock that stands at an RFC 3339 instant.
    ///
    /// # Panics
    /// When the text is no instant or the temporary folder cannot be written.
    #[must_use]
    pub fn at(instant: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("now");
        let clock = Self { folder, file };
        clock.set(instant);
        clock
    }

    /// Moves the clock, at once for whoever reads it next.
    ///
    /// # Panics
    /// When the text is no instant or the temporary folder cannot be written.
    pub fn set(&self, instant: &str) {
        Timestamp::parse(instant).expect("the test names an instant");
        let fresh = self.folder.path().join("next");
        fs::write(&fresh, instant).expect("the temporary folder can be written");
        fs::rename(&fresh, &self.file).expect("the temporary folder can be written");
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file
    }
}
