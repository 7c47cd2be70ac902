//! The files of the repository that people wrote: what is built or installed is left out.

use std::path::Path;
use std::{fs, io};

/// A text file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Relative to the root, with `/` between the parts.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl File {
    /// A file from parts.
    #[must_use]
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// The name without folders.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether this is Rust code that only tests run: its strings and panics are free.
    #[must_use]
    pub fn is_test_code(&self) -> bool {
        let parts: Vec<&str> = self.path.split('/').collect();
        let (name, folders) =
            parts.split_last().map_or(("", &[][..]), |(name, rest)| (*name, rest));
        name == "tests.rs"
            || folders.iter().any(|folder| TEST_FOLDERS.contains(folder))
            || TEST_CRATES.iter().any(|krate| self.path.starts_with(krate))
    }
}

/// The files of a repository, in the order of their paths.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// Reads every text file below `root`. Files that are not UTF-8 are left out.
    ///
    /// # Errors
    /// When a folder or a file cannot be read.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        collect(root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// A tree of these files.
    #[must_use]
    pub fn of(files: Vec<File>) -> Self {
        Self { files }
    }

    /// Every file.
    #[must_use]
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The files with this extension, which starts with a dot.
    pub fn with_extension<'a>(&'a self, extension: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.ends_with(extension))
    }

    /// The files below this folder, which ends with a slash.
    pub fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.starts_with(folder))
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED_FOLDERS.contains(&name.as_str()) {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
        {
            files.push(File { path, text });
        }
    }
    Ok(())
}

/// Built, installed or written at run time; the same folders as in `.gitignore`.
const SKIPPED_FOLDERS: [&str; 8] =
    [".git", "target", ".venv", ".cache", "node_modules", "tollgate-data", "__pycache__", "dist"];

const TEST_FOLDERS: [&str; 3] = ["tests", "benches", "fuzz"];
const TEST_CRATES: [&str; 2] = ["crates/testkit/", "crates/tidy/"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_code_is_known_by_its_place() {
        for path in ["crates/a/src/b/tests.rs", "crates/a/tests/c.rs", "crates/testkit/src/http.rs"]
        {
            assert!(File::new(path, "").is_test_code(), "{path}");
        }
        for path in
            ["crates/a/src/tests_of_b.rs", "crates/a/src/lib.rs", "crates/tidyness/src/x.rs"]
        {
            assert!(!File::new(path, "").is_test_code(), "{path}");
        }
    }
}
