//! Which packages of others may be built in, and under which licences.

use crate::licence::is_allowed;
use crate::problem::Problem;

/// Packages that must not be built in, and why.
const BANNED: [(&str, &str); 4] = [
    ("ring", "one crypto library: aws-lc-rs"),
    ("openssl", "one TLS library: rustls"),
    ("openssl-sys", "one TLS library: rustls"),
    ("native-tls", "one TLS library: rustls"),
];

/// The format that [`check`] reads, for `cargo tree --prefix none --format`.
pub const TREE_FORMAT: &str = "{p}|{l}";

/// Checks the output of `cargo tree` in [`TREE_FORMAT`]. A lock file is no use here: it also lists
/// what no enabled feature builds.
#[must_use]
pub fn check(tree: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for line in tree.lines() {
        let Some((package, licence)) = line.split_once('|') else { continue };
        let name = package.split_whitespace().next().unwrap_or_default();
        if let Some((_, reason)) = BANNED.iter().find(|(banned, _)| *banned == name) {
            problems.push(Problem::of("Cargo.lock", format!("builds in `{name}`: {reason}")));
        }
        let licence = licence.trim_end_matches(" (*)");
        if !is_allowed(licence) {
            let message = format!("`{name}` comes under `{licence}`, which is not in the list");
            problems.push(Problem::of("Cargo.lock", message));
        }
    }
    problems.sort();
    problems.dedup();
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banned_packages_and_licences_are_reported_once() {
        let tree = "tollgate v0.1.0 (/x)|Apache-2.0\n\nserde v1.0.0|MIT OR Apache-2.0\n\
            ring v0.17.0|Apache-2.0 AND ISC\nring v0.17.0|Apache-2.0 AND ISC (*)\n\
            copyleft v1.0.0|GPL-3.0-only\nnone v1.0.0|\n";
        let messages: Vec<_> = check(tree).into_iter().map(|problem| problem.message).collect();
        assert_eq!(
            messages,
            [
                "`copyleft` comes under `GPL-3.0-only`, which is not in the list",
                "`none` comes under ``, which is not in the list",
                "builds in `ring`: one crypto library: aws-lc-rs",
            ]
        );
    }
}
