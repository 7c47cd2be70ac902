//! What a `Cargo.toml` says about a crate's name and what it uses.

use toml::Table;

use crate::problem::Problem;
use crate::tree::File;

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Part of what is shipped, or of building it.
    Shipped,
    /// Only tests use it.
    Test,
}

impl Kind {
    pub(super) fn phrase(self) -> &'static str {
        match self {
            Self::Shipped => "in `[dependencies]`",
            Self::Test => "in `[dev-dependencies]`",
        }
    }
}

/// One crate of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The manifest's own path.
    pub path: String,
    /// The package's name.
    pub name: String,
    /// The packages it uses, renames resolved.
    pub uses: Vec<(String, Kind)>,
}

impl Manifest {
    /// Reads a manifest, with the dependencies of every target.
    ///
    /// # Errors
    /// A problem when the text is no manifest with a name.
    pub fn read(file: &File) -> Result<Self, Problem> {
        let table: Table = file
            .text
            .parse()
            .map_err(|error| Problem::of(&file.path, format!("not TOML: {error}")))?;
        let name = table
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(|name| name.as_str())
            .ok_or_else(|| Problem::of(&file.path, "the manifest names no package"))?
            .to_owned();
        let mut uses = uses_of(&table);
        if let Some(targets) = table.get("target").and_then(|targets| targets.as_table()) {
            uses.extend(targets.values().filter_map(|target| target.as_table()).flat_map(uses_of));
        }
        Ok(Self { path: file.path.clone(), name, uses })
    }
}

fn uses_of(table: &Table) -> Vec<(String, Kind)> {
    SECTIONS
        .into_iter()
        .filter_map(|(section, kind)| Some((table.get(section)?.as_table()?, kind)))
        .flat_map(|(section, kind)| {
            section.iter().map(move |(key, value)| {
                let renamed = value.get("package").and_then(|package| package.as_str());
                (renamed.unwrap_or(key).to_owned(), kind)
            })
        })
        .collect()
}

const SECTIONS: [(&str, Kind); 3] = [
    ("dependencies", Kind::Shipped),
    ("build-dependencies", Kind::Shipped),
    ("dev-dependencies", Kind::Test),
];
