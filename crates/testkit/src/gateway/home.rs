//! What a gateway lives in: a configuration file, a data directory and an environment.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::clock_file::ClockFile;
use crate::gateway::MASTER_KEY;

/// A temporary folder for one gateway, which outlives its restarts. Removed when dropped.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    master_key: Option<String>,
}

impl Home {
    /// A home with this configuration, the database in its data directory, and [`MASTER_KEY`].
    ///
    /// # Panics
    /// When the temporary folder cannot be written.
    #[must_use]
    pub fn new(config: &str) -> Self {
        let home = Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
            environment: Vec::new(),
            arguments: Vec::new(),
            master_key: Some(MASTER_KEY.to_owned()),
        };
        home.rewrite_config(config);
        home
    }

    /// The same with an environment variable.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with more arguments of `serve`.
    #[must_use]
    pub fn with_arguments<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.arguments.extend(arguments.map(str::to_owned));
        self
    }

    /// The same with this wall clock.
    #[must_use]
    pub fn with_clock(self, clock: &ClockFile) -> Self {
        let file = clock.path().display().to_string();
        self.with_arguments(["--clock-file", &file])
    }

    /// The same with the database at this address.
    #[must_use]
    pub fn with_database(self, url: &str) -> Self {
        self.with_env("DATABASE_URL", url)
    }

    /// The same without a master key, so that the gateway makes one at its first start.
    #[must_use]
    pub fn without_master_key(mut self) -> Self {
        self.master_key = None;
        self
    }

    /// Replaces the configuration file at once, as a careful editor does.
    ///
    /// # Panics
    /// When the temporary folder cannot be written.
    pub fn rewrite_config(&self, config: &str) {
        let fresh = self.folder.path().join("config.yaml.new");
        fs::write(&fresh, config).expect("the temporary folder can be written");
        fs::rename(&fresh, self.config_file()).expect("the temporary folder can be written");
    }

    /// The configuration file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("config.yaml")
    }

    /// The data directory. The gateway makes it.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder itself, for whatever else a test needs beside the gateway.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn master_key(&self) -> Option<&str> {
        self.master_key.as_deref()
    }

    pub(super) fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.master_key().map(|key| ("TOLLGATE_MASTER_KEY", key));
        own.into_iter().chain(self.environment.iter().map(|(name, value)| (&**name, &**value)))
    }

    pub(super) fn arguments(&self) -> &[String] {
        &self.arguments
    }
}
