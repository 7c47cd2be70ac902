//! No `.unwrap()` outside tests: either the error has a place to go, or `expect` says why not.

use crate::problem::Problem;
use crate::rust::{Kind, Source};
use crate::tree::File;

/// Checks one file of Rust.
#[must_use]
pub fn check(file: &File) -> Vec<Problem> {
    let Some(source) = Source::read(&file.text) else { return Vec::new() };
    if file.is_test_code() {
        return Vec::new();
    }
    let calls = source.tokens.windows(3).filter(|tokens| match tokens {
        [dot, name, open] => {
            dot.kind == Kind::Punct('.')
                && name.kind == Kind::Ident("unwrap".to_owned())
                && open.kind == Kind::Punct('(')
                && !name.in_test
        }
        _ => false,
    });
    calls
        .filter_map(|tokens| tokens.first())
        .map(|dot| Problem::at(&file.path, dot.line, "`.unwrap()` outside a test"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
        /// `x.unwrap()` in a comment
        fn f() { x.unwrap_or(1); y.expect("unwrap()"); z
            .unwrap(); }
        #[cfg(test)] mod tests { fn g() { x.unwrap(); } }
    "#;

    #[test]
    fn only_real_calls_in_shipped_code_are_reported() {
        let problems = check(&File::new("crates/a/src/b.rs", SOURCE));
        assert_eq!(problems, [Problem::at("crates/a/src/b.rs", 4, "`.unwrap()` outside a test")]);
        assert_eq!(check(&File::new("crates/a/src/b/tests.rs", SOURCE)), []);
    }
}
