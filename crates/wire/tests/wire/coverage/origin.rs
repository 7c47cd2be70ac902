//! Where a fixture comes from: `origin.toml`, which every case has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// What `origin.toml` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Origin {
    /// `recorded` from a live upstream, `documented` by its vendor, or `made` for a purpose.
    kind: String,
    /// Where the facts come from, and for what a made case was made.
    source: String,
    /// The HTTP status of an error.
    pub(crate) status: Option<u16>,
    /// The headers of an error that say something about it.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// What an error means: one of [`ERRORS`](super::columns::ERRORS).
    pub(crate) means: Option<String>,
}

impl Origin {
    /// Reads the origin of a case.
    ///
    /// # Panics
    /// When it is not there, cannot be read, or names no source.
    pub(crate) fn of(case: &Path) -> Self {
        let named = case.display();
        let text = fs::read_to_string(case.join("origin.toml"));
        let text = text.unwrap_or_else(|error| panic!("{named} has no origin: {error}"));
        let origin: Self = toml::from_str(&text).unwrap_or_else(|error| panic!("{named}: {error}"));
        assert!(matches!(&*origin.kind, "recorded" | "documented" | "made"), "{named}");
        let known = |reference: &&str| origin.source.contains(*reference);
        let source = &origin.source;
        assert!(REFERENCES.iter().any(known), "{named}: `{source}` names no reference");
        let error = case.join("error.json").exists();
        assert_eq!(origin.status.is_some(), error, "{named}: the status of an error");
        assert!(origin.headers.is_empty() || error, "{named}: the headers of an error");
        assert!(origin.means.is_some() || !error, "{named}: what an error means");
        origin
    }
}

/// What facts are taken from: a source names one of these.
const REFERENCES: [&str; 12] = [
    "API reference",
    "service model",
    "common errors",
    " guide",
    "documentation",
    "error codes",
    "Claude Code 2.",
    "Codex CLI 0.",
    "founding failure",
    "vLLM",
    "OpenRouter",
    "Azure",
];
