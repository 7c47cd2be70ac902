//! This repository keeps its own rules.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tollgate_tidy::problem::Problem;
use tollgate_tidy::tree::{File, Tree};
use tollgate_tidy::{
    addresses, arrows, documents, migrations, packages, providers, sizes, unwraps,
};

#[test]
fn crates_use_only_what_stands_below_them() {
    none(&arrows::check_tree(&tree()));
}

#[test]
fn files_functions_and_lines_are_short_and_every_file_says_what_it_is() {
    none(&each(".rs", sizes::check));
}

#[test]
fn shipped_code_does_not_unwrap() {
    none(&each(".rs", unwraps::check));
}

#[test]
fn no_rust_names_a_provider() {
    let known = providers::providers(&tree());
    assert!(known.len() > 5, "the catalogue was not found: {known:?}");
    none(&each(".rs", |file| providers::check(file, &known)));
}

#[test]
fn paths_named_in_documents_exist() {
    let tree = tree();
    let problems = tree.with_extension(".md").flat_map(|file| documents::check(file, &tree));
    none(&problems.collect::<Vec<_>>());
}

#[test]
fn no_file_names_a_registry_or_one_machine() {
    // Cargo writes the name of its default registry into every lock file.
    none(&each("", |file| match file.name() {
        "Cargo.lock" => Vec::new(),
        _ => addresses::check(file),
    }));
}

#[test]
fn what_is_built_in_is_licensed_and_not_banned() {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["tree", "--workspace", "--locked", "--offline", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", packages::TREE_FORMAT])
        .output()
        .expect("cargo runs, for it runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    none(&packages::check(&String::from_utf8_lossy(&output.stdout)));
}

#[test]
fn every_migration_exists_for_both_engines() {
    none(&migrations::check(&tree()));
}

fn each(extension: &str, check: impl Fn(&File) -> Vec<Problem>) -> Vec<Problem> {
    tree().with_extension(extension).flat_map(check).collect()
}

fn none(problems: &[Problem]) {
    let mut list = String::new();
    for problem in problems {
        let _ = writeln!(list, "  {problem}");
    }
    assert!(problems.is_empty(), "{} problems:\n{list}", problems.len());
}

fn tree() -> Tree {
    let tree = Tree::read(&root()).expect("the repository can be read");
    assert!(!tree.files().is_empty(), "the repository was not found");
    tree
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().and_then(Path::parent).map(Path::to_path_buf).expect("a crate lies in crates/")
}
