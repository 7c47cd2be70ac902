//! Entries on disk, for when the gateway ends while the database is away.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::entry::EntryRow;
use crate::StoreError;

/// The file of spooled entries, one JSON object a line.
const FILE: &str = "ledger.spool";
/// Where lines go that could not be read, for a person to look at.
const UNREADABLE_FILE: &str = "ledger.spool.unreadable";
/// The mode of both: they say who spent what.
const PRIVATE_FILE_MODE: u32 = 0o600;

/// A folder that may hold spooled entries.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
}

/// What a spool file holds.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) entries: Vec<EntryRow>,
    pub(super) unreadable: Vec<String>,
}

impl Spool {
    /// The spool in a folder that exists.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where the entries are.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Appends entries and returns when they are on the disk.
    pub(super) fn append<'a>(
        &self,
        entries: impl Iterator<Item = &'a EntryRow>,
    ) -> Result<(), StoreError> {
        // A line that a crash cut short before must not swallow the next one.
        let mut lines = vec![b'\n'];
        for entry in entries {
            // A row is texts and numbers: writing it as JSON to memory cannot fail.
            if serde_json::to_writer(&mut lines, entry).is_ok() {
                lines.push(b'\n');
            }
        }
        self.append_bytes(FILE, &lines)
    }

    pub(super) fn read(&self) -> Result<Option<Contents>, StoreError> {
        let bytes = match fs::read(self.path()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::File { path: self.path(), source }),
        };
        let mut contents = Contents { entries: Vec::new(), unreadable: Vec::new() };
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(entry) => contents.entries.push(entry),
                Err(_) => contents.unreadable.push(String::from_utf8_lossy(line).into_owned()),
            }
        }
        Ok(Some(contents))
    }

    /// Removes the file, after its entries are in the database. What could not be read is kept.
    pub(super) fn clear(&self, contents: &Contents) -> Result<(), StoreError> {
        if !contents.unreadable.is_empty() {
            let lines = contents.unreadable.join("\n") + "\n";
            self.append_bytes(UNREADABLE_FILE, lines.as_bytes())?;
        }
        fs::remove_file(self.path())
            .map_err(|source| StoreError::File { path: self.path(), source })?;
        self.sync_folder()
    }

    fn append_bytes(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.folder.join(name);
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(PRIVATE_FILE_MODE);
        let write = |path: &Path| {
            let mut file = options.open(path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write(&path).map_err(|source| StoreError::File { path, source })?;
        self.sync_folder()
    }

    /// Makes the file's name as durable as its contents.
    fn sync_folder(&self) -> Result<(), StoreError> {
        let sync = File::open(&self.folder).and_then(|folder| folder.sync_all());
        sync.map_err(|source| StoreError::File { path: self.folder.clone(), source })
    }
}
