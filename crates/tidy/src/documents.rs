//! Paths that documents name exist.

use std::collections::BTreeSet;

use crate::problem::Problem;
use crate::tree::{File, Tree};

/// Checks one Markdown document against the files of the tree.
#[must_use]
pub fn check(file: &File, tree: &Tree) -> Vec<Problem> {
    let places = places(tree);
    let mut problems = Vec::new();
    let mut fenced = false;
    for (index, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let missing = spans(line).filter(|span| names_a_path(span, &places));
            let missing = missing.filter(|span| !exists(span, tree, &places));
            problems.extend(missing.map(|span| {
                Problem::at(&file.path, index + 1, format!("names `{span}`, which does not exist"))
            }));
        }
    }
    problems
}

/// What stands between backticks.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Whether the text means a file or folder of this repository: it is below one of the root's
/// folders, or it is the name of a source file or a document.
fn names_a_path(text: &str, places: &BTreeSet<String>) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if text.is_empty() || text.starts_with('/') || !text.chars().all(plain) {
        return false;
    }
    match text.split_once('/') {
        Some((first, _)) => places.contains(first) || has_our_extension(text),
        None => has_our_extension(text),
    }
}

fn has_our_extension(text: &str) -> bool {
    EXTENSIONS.iter().any(|extension| text.len() > extension.len() && text.ends_with(extension))
}

/// A path may be written from the root, or from any folder on the way to the file.
fn exists(text: &str, tree: &Tree, places: &BTreeSet<String>) -> bool {
    let path = text.trim_end_matches('/');
    let suffix = format!("/{path}");
    places.contains(path)
        || tree.files().iter().any(|file| file.path == path || file.path.ends_with(&suffix))
}

/// Every folder of the tree, by its whole path.
fn places(tree: &Tree) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for file in tree.files() {
        for (end, _) in file.path.match_indices('/') {
            places.insert(file.path.get(..end).unwrap_or_default().to_owned());
        }
    }
    places
}

const EXTENSIONS: [&str; 3] = [".rs", ".md", ".sql"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_paths_are_reported_and_other_words_are_not() {
        let tree = Tree::of(vec![
            File::new("crates/proxy/src/pipeline.rs", ""),
            File::new("docs/guide/start.md", ""),
        ]);
        let text = "See `crates/proxy/src/pipeline.rs`, `proxy/src/pipeline.rs`, `crates/proxy/`,\n\
            `pipeline.rs`, `/v1/models`, `a/b`, `crates/*/src`, `gpt-4o`, `config.yaml`.\n\
            ```\n`crates/none`\n```\n\
            `crates/none`, `gone.rs`, `docs/none.md`";
        let messages: Vec<_> = check(&File::new("README.md", text), &tree)
            .into_iter()
            .map(|problem| (problem.line, problem.message))
            .collect();
        let gone = |path: &str| (6, format!("names `{path}`, which does not exist"));
        assert_eq!(messages, [gone("crates/none"), gone("gone.rs"), gone("docs/none.md")]);
    }
}
