//! Wrong arrows are reported, right ones are not.

use super::*;
use crate::tree::File;

fn manifest(name: &str, sections: &str) -> File {
    let folder = name.strip_prefix("tollgate-").unwrap_or("gateway");
    let text = format!("[package]\nname = \"{name}\"\n{sections}");
    File::new(format!("crates/{folder}/Cargo.toml"), text)
}

fn messages(files: Vec<File>) -> Vec<String> {
    check_tree(&Tree::of(files)).into_iter().map(|problem| problem.message).collect()
}

#[test]
fn an_arrow_that_goes_up_or_sideways_is_reported() {
    for (from, to) in [
        ("tollgate-domain", "tollgate-wire"),
        ("tollgate-wire", "tollgate-policy"),
        ("tollgate-policy", "tollgate-config"),
        ("tollgate-store", "tollgate-config"),
        ("tollgate-config", "tollgate-proxy"),
        ("tollgate-proxy", "tollgate-admin"),
        ("tollgate-admin", "tollgate"),
        ("tollgate-proxy", "tollgate-simulator"),
        ("tollgate-simulator", "tollgate-wire"),
        ("tollgate", "tollgate-testkit"),
        ("tollgate-testkit", "tollgate"),
        ("tollgate-tidy", "tollgate-domain"),
        ("tollgate", "tollgate-tidy"),
    ] {
        let files = vec![manifest(from, &format!("[dependencies]\n{to}.workspace = true"))];
        assert_eq!(messages(files), [format!("`{from}` may not use `{to}` in `[dependencies]`")]);
    }
}

#[test]
fn arrows_down_and_arrows_of_tests_are_allowed() {
    for (from, section, to) in [
        ("tollgate-wire", "dependencies", "tollgate-domain"),
        ("tollgate-config", "dependencies", "tollgate-faults"),
        ("tollgate-proxy", "dependencies", "tollgate-policy"),
        ("tollgate", "dependencies", "tollgate-simulator"),
        ("tollgate", "dev-dependencies", "tollgate-testkit"),
        ("tollgate-upstream", "dev-dependencies", "tollgate-simulator"),
        ("tollgate-testkit", "dependencies", "tollgate-store"),
        ("tollgate-domain", "dependencies", "thiserror"),
    ] {
        let files = vec![manifest(from, &format!("[{section}]\n{to} = {{ path = \"..\" }}"))];
        assert_eq!(messages(files), Vec::<String>::new(), "{from} -> {to}");
    }
}

#[test]
fn no_spelling_of_a_dependency_hides_an_arrow() {
    for sections in [
        "[build-dependencies]\ntollgate-proxy.workspace = true",
        "[dependencies]\ndoor = { package = \"tollgate-proxy\", path = \"../proxy\" }",
        "[target.'cfg(unix)'.dependencies]\ntollgate-proxy.workspace = true",
        "[dev-dependencies]\ntollgate-proxy.workspace = true",
        "[dependencies.tollgate-proxy]\nworkspace = true",
    ] {
        assert_eq!(messages(vec![manifest("tollgate-store", sections)]).len(), 1, "{sections}");
    }
}

#[test]
fn a_crate_without_a_place_is_reported() {
    let found = messages(vec![manifest("tollgate-annex", "")]);
    assert_eq!(found, ["`tollgate-annex` has no place in the building; enter it in tidy's list"]);
}

#[test]
fn a_broken_manifest_is_reported() {
    let broken = File::new("crates/x/Cargo.toml", "[package\n");
    let nameless = File::new("crates/y/Cargo.toml", "[dependencies]\n");
    assert_eq!(messages(vec![broken, nameless]).len(), 2);
}
