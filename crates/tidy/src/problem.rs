//! One place where the repository breaks one of its rules.

use std::fmt;

/// A broken rule and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, relative to the repository's root.
    pub path: String,
    /// The line, from 1, or 0 when the problem is the file as a whole.
    pub line: usize,
    /// What is wrong and, where it is not plain, what to do.
    pub message: String,
}

impl Problem {
    /// A problem at one line.
    #[must_use]
    pub fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }

    /// A problem of a whole file.
    #[must_use]
    pub fn of(path: &str, message: impl Into<String>) -> Self {
        Self::at(path, 0, message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}
