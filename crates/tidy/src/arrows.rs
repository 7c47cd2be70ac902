//! Which crate may use which: imports go down the levels, never up and never sideways.

use std::collections::BTreeMap;

use crate::problem::Problem;
use crate::tree::Tree;

mod manifest;
#[cfg(test)]
mod tests;

pub use manifest::{Kind, Manifest};

/// Where a crate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the building, at this level, counted from below.
    Level(u8),
    /// A fake provider: it may use the words of the house, and the binary and tests may use it.
    Simulator,
    /// For tests of the crates above it; never part of what is shipped.
    Testkit,
    /// Checks the others as text, and uses none of them.
    Tidy,
}

/// Every crate of the workspace. A new crate is entered here, at its place, or the check fails.
const PLACES: [(&str, Place); 15] = [
    ("tollgate-domain", Place::Level(0)),
    ("tollgate-wire", Place::Level(1)),
    ("tollgate-policy", Place::Level(1)),
    ("tollgate-faults", Place::Level(1)),
    ("tollgate-tokens", Place::Level(1)),
    ("tollgate-config", Place::Level(2)),
    ("tollgate-store", Place::Level(2)),
    ("tollgate-upstream", Place::Level(2)),
    ("tollgate-proxy", Place::Level(3)),
    ("tollgate-admin", Place::Level(3)),
    ("tollgate-takeover", Place::Level(3)),
    ("tollgate", Place::Level(4)),
    ("tollgate-simulator", Place::Simulator),
    ("tollgate-testkit", Place::Testkit),
    ("tollgate-tidy", Place::Tidy),
];

/// The level of the binary, which is the only shipped crate that may use the simulator.
const GATEWAY: Place = Place::Level(4);

/// Checks every manifest of the tree.
#[must_use]
pub fn check_tree(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let manifests = tree
        .under("crates/")
        .filter(|file| file.name() == "Cargo.toml")
        .filter_map(|file| Manifest::read(file).map_err(|problem| problems.push(problem)).ok());
    let manifests: Vec<Manifest> = manifests.collect();
    problems.extend(check(&manifests));
    problems
}

/// Checks the arrows between these crates.
#[must_use]
pub fn check(manifests: &[Manifest]) -> Vec<Problem> {
    let places: BTreeMap<&str, Place> = PLACES.into_iter().collect();
    let mut problems = Vec::new();
    for manifest in manifests {
        let Some(from) = places.get(manifest.name.as_str()).copied() else {
            problems.push(Problem::of(
                &manifest.path,
                format!(
                    "`{}` has no place in the building; enter it in tidy's list",
                    manifest.name
                ),
            ));
            continue;
        };
        for (name, kind) in &manifest.uses {
            let Some(to) = places.get(name.as_str()).copied() else { continue };
            if !allowed(from, to, *kind) {
                problems.push(Problem::of(
                    &manifest.path,
                    format!("`{}` may not use `{name}` {}", manifest.name, kind.phrase()),
                ));
            }
        }
    }
    problems
}

fn allowed(from: Place, to: Place, kind: Kind) -> bool {
    match (from, to) {
        (Place::Tidy, _) | (_, Place::Tidy) => false,
        (Place::Level(from), Place::Level(to)) => to < from,
        (Place::Level(_), Place::Simulator) => kind == Kind::Test || from == GATEWAY,
        (_, Place::Testkit) => kind == Kind::Test,
        (Place::Simulator, Place::Level(level)) => level == 0,
        (Place::Simulator, Place::Simulator) => false,
        (Place::Testkit, Place::Level(_)) => to != GATEWAY,
        (Place::Testkit, Place::Simulator) => true,
    }
}
