//! A migration exists for every engine, under the same name.

use std::collections::BTreeSet;

use crate::problem::Problem;
use crate::tree::Tree;

/// Checks that the engines' folders hold the same names.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (engine, other) in [(ENGINES[0], ENGINES[1]), (ENGINES[1], ENGINES[0])] {
        let (here, there) = (names(tree, engine), names(tree, other));
        if here.is_empty() {
            problems.push(Problem::of(&folder(engine), "holds no migration"));
        }
        problems.extend(here.difference(&there).map(|name| {
            let path = format!("{}{name}", folder(engine));
            Problem::of(&path, format!("has no counterpart for {other}"))
        }));
    }
    problems
}

fn names<'a>(tree: &'a Tree, engine: &str) -> BTreeSet<&'a str> {
    let folder = folder(engine);
    let migrations = tree.files().iter().filter(|file| file.path.starts_with(&folder));
    migrations.filter(|file| file.path.ends_with(".sql")).map(|file| file.name()).collect()
}

fn folder(engine: &str) -> String {
    format!("crates/store/migrations/{engine}/")
}

const ENGINES: [&str; 2] = ["sqlite", "postgres"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::File;

    fn found(paths: &[&str]) -> Vec<String> {
        let files =
            paths.iter().map(|path| File::new(format!("crates/store/migrations/{path}"), ""));
        check(&Tree::of(files.collect())).iter().map(|problem| problem.message.clone()).collect()
    }

    #[test]
    fn a_migration_without_its_pair_is_reported() {
        assert_eq!(found(&["sqlite/0001_a.sql", "postgres/0001_a.sql"]), Vec::<String>::new());
        assert_eq!(
            found(&["sqlite/0001_a.sql", "postgres/0001_a.sql", "postgres/0002_b.sql"]),
            ["has no counterpart for sqlite"]
        );
        assert_eq!(found(&[]).len(), 2);
    }
}
