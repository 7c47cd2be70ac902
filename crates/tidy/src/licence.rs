//! Licence expressions, and which of them this project can be shipped under.

/// Licences that ask for no more than a notice.
const ALLOWED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Whether an SPDX expression can be met with allowed licences alone: an `OR` needs one side, an
/// `AND` both. The slash of old manifests means `OR`. What cannot be read is not allowed.
#[must_use]
pub fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    matches!(any_of(&words), Some((true, [])))
}

/// Reads `a OR b OR …`; gives whether it is allowed, and what follows.
fn any_of<'a>(words: &'a [&'a str]) -> Option<(bool, &'a [&'a str])> {
    let (mut allowed, mut rest) = all_of(words)?;
    while let ["OR", after @ ..] = rest {
        let (right, after) = all_of(after)?;
        (allowed, rest) = (allowed || right, after);
    }
    Some((allowed, rest))
}

/// Reads `a AND b AND …`, which binds tighter.
fn all_of<'a>(words: &'a [&'a str]) -> Option<(bool, &'a [&'a str])> {
    let (mut allowed, mut rest) = one(words)?;
    while let ["AND", after @ ..] = rest {
        let (right, after) = one(after)?;
        (allowed, rest) = (allowed && right, after);
    }
    Some((allowed, rest))
}

fn one<'a>(words: &'a [&'a str]) -> Option<(bool, &'a [&'a str])> {
    match words {
        ["(", inner @ ..] => match any_of(inner)? {
            (allowed, [")", after @ ..]) => Some((allowed, after)),
            _ => None,
        },
        [name, "WITH", exception, after @ ..] => {
            Some((ALLOWED.contains(&format!("{name} WITH {exception}").as_str()), after))
        }
        ["AND" | "OR" | "WITH" | ")", ..] | [] => None,
        [name, after @ ..] => Some((ALLOWED.contains(name), after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_or_not() {
        for (expression, allowed) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT", true),
            ("MIT AND GPL-3.0-only", false),
            ("MIT/Apache-2.0", true),
            ("MIT OR GPL-3.0-only AND GPL-2.0-only", true),
            ("(MIT OR GPL-3.0-only) AND BSD-3-Clause", true),
            ("(MIT OR Apache-2.0) AND LGPL-2.1-only", false),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only", true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", false),
            ("", false),
            ("MIT OR", false),
            ("(MIT", false),
            ("MIT MIT", false),
        ] {
            assert_eq!(is_allowed(expression), allowed, "{expression}");
        }
    }
}
