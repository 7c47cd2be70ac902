//! Entries and openings on disk, for when the gateway ends while they are not in the database.
//!
//! A process that ends in an orderly way leaves the entries that wait in one file. While it
//! lives it keeps files of its own, locked; those of a process that was killed are found unlocked.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::entry::EntryRow;
use super::opening::OpenRow;
use crate::StoreError;

/// The file of spooled entries, one JSON object a line. The files of living processes have a number
/// after it.
const FILE: &str = "ledger.spool";
/// Where lines go that could not be read, for a person to look at.
const UNREADABLE_FILE: &str = "ledger.spool.unreadable";
/// The mode of all: they say who spent what.
const PRIVATE_FILE_MODE: u32 = 0o600;
/// Most files that the processes of one folder have at one time.
const FILES_MAX: u32 = 10_000;

/// A folder that may hold spooled entries.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
}

/// One line.
#[derive(Debug)]
pub(super) enum Line<'a> {
    Opening(&'a OpenRow),
    Entry(&'a EntryRow),
}

/// The line of an opening; that of an entry is the entry.
#[derive(Debug, Serialize, Deserialize)]
struct Opening<T> {
    opening: T,
}

/// A file that no living process has, locked for as long as this lives.
#[derive(Debug)]
pub(super) struct Abandoned {
    path: PathBuf,
    _locked: File,
    pub(super) entries: Vec<EntryRow>,
    pub(super) openings: Vec<OpenRow>,
    pub(super) unreadable: Vec<String>,
}

impl Line<'_> {
    pub(super) fn append_to(&self, bytes: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Opening(opening) => serde_json::to_writer(bytes, &Opening { opening })?,
            Self::Entry(entry) => serde_json::to_writer(bytes, entry)?,
        }
        Ok(())
    }
}

impl Spool {
    /// The spool in a folder that exists.
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where the entries are that an orderly end left.
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
            if Line::Entry(entry).append_to(&mut lines).is_ok() {
                lines.push(b'\n');
            }
        }
        self.append_bytes(FILE, &lines)
    }

    /// Makes a file for this process, and locks it.
    pub(super) fn create_own(&self) -> io::Result<(PathBuf, File)> {
        let mut options = OpenOptions::new();
        options.create_new(true).append(true).mode(PRIVATE_FILE_MODE);
        for number in 1..=FILES_MAX {
            let path = self.folder.join(format!("{FILE}.{number}"));
            let file = match options.open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            // Another process may have found it before it was locked, and removed it as abandoned.
            if file.try_lock().is_ok() && file.metadata()?.nlink() > 0 {
                return Ok((path, file));
            }
        }
        Err(io::Error::other("there are too many spool files"))
    }

    /// The files that no living process has.
    pub(super) fn abandoned(&self) -> Result<Vec<Abandoned>, StoreError> {
        let failed = |source| StoreError::File { path: self.folder.clone(), source };
        let mut paths = Vec::new();
        for item in fs::read_dir(&self.folder).map_err(failed)? {
            let item = item.map_err(failed)?;
            if item.file_name().to_str().is_some_and(is_spool) {
                paths.push(item.path());
            }
        }
        paths.sort_unstable();
        let read = paths
            .into_iter()
            .map(|path| Abandoned::read(&path).map_err(|source| StoreError::File { path, source }));
        read.filter_map(Result::transpose).collect()
    }

    /// Removes a file, after what it holds is in the database. What could not be read is kept.
    pub(super) fn clear(&self, abandoned: Abandoned) -> Result<(), StoreError> {
        if !abandoned.unreadable.is_empty() {
            let lines = abandoned.unreadable.join("\n") + "\n";
            self.append_bytes(UNREADABLE_FILE, lines.as_bytes())?;
        }
        fs::remove_file(&abandoned.path)
            .map_err(|source| StoreError::File { path: abandoned.path, source })?;
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

impl Abandoned {
    /// Reads a file; `None` when a living process has it, or another one took care of it.
    fn read(path: &Path) -> io::Result<Option<Self>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if file.metadata()?.nlink() == 0 {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let path = path.to_owned();
        let (entries, openings, unreadable) = (Vec::new(), Vec::new(), Vec::new());
        let mut abandoned = Self { path, _locked: file, entries, openings, unreadable };
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            abandoned.take(line);
        }
        Ok(Some(abandoned))
    }

    fn take(&mut self, line: &[u8]) {
        if let Ok(entry) = serde_json::from_slice(line) {
            self.entries.push(entry);
        } else if let Ok(Opening { opening }) = serde_json::from_slice(line) {
            self.openings.push(opening);
        } else {
            self.unreadable.push(String::from_utf8_lossy(line).into_owned());
        }
    }
}

/// Whether a file of this name may hold lines.
fn is_spool(name: &str) -> bool {
    let number =
        |rest: &str| rest.strip_prefix('.').is_some_and(|rest| rest.parse::<u32>().is_ok());
    name.strip_prefix(FILE).is_some_and(|rest| rest.is_empty() || number(rest))
}
