//! How long files, functions and lines may be, and that every file says what it is.

use crate::problem::Problem;
use crate::rust::{Function, Kind, Source};
use crate::tree::File;

/// The most lines of a file.
pub const FILE_LINES_MAX: usize = 400;
/// The most lines of a file that is a list or a table.
pub const TABLE_LINES_MAX: usize = 800;
/// The most lines of a function, from `fn` to its closing brace, the further lines of strings that
/// go over several lines not counted: they are text and not code.
pub const FUNCTION_LINES_MAX: usize = 60;
/// The same in a file that is a list or a table.
pub const TABLE_FUNCTION_LINES_MAX: usize = 120;
/// The most characters of a line.
pub const LINE_WIDTH_MAX: usize = 100;

/// Files that are lists or tables and may be longer. The list may only shrink, or grow by a table.
const TABLES: [&str; 2] = ["crates/faults/src/catalogue.rs", "crates/faults/src/reason.rs"];

/// A string at least this long, in characters, may make a line of a test wider: wire text is
/// compared as it is.
pub const TEST_STRING_WIDTH_MIN: usize = 40;

/// Checks one file of Rust.
#[must_use]
pub fn check(file: &File) -> Vec<Problem> {
    let mut problems = Vec::new();
    let lines = file.text.lines().count();
    let most = if is_table(file) { TABLE_LINES_MAX } else { FILE_LINES_MAX };
    if lines > most {
        problems.push(Problem::of(&file.path, format!("{lines} lines; the limit is {most}")));
    }
    if !file.text.starts_with("//!") {
        problems.push(Problem::of(&file.path, "starts without a `//!` line saying what it is"));
    }
    match Source::read(&file.text) {
        Some(source) => {
            problems.extend(wide_lines(file, &source));
            problems.extend(long_functions(file, &source));
        }
        None => problems.push(Problem::of(&file.path, "cannot be read as Rust")),
    }
    problems
}

fn wide_lines(file: &File, source: &Source) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (line, text) in (1..).zip(file.text.lines()) {
        let (width, most) = (text.chars().count(), LINE_WIDTH_MAX);
        if width > most && !holds_test_string(file, source, line) {
            let message = format!("{width} characters; the limit is {most}");
            problems.push(Problem::at(&file.path, line, message));
        }
    }
    problems
}

/// Whether a long string of a test stands on this line.
fn holds_test_string(file: &File, source: &Source, line: usize) -> bool {
    source.tokens.iter().any(|token| {
        let long = matches!(&token.kind, Kind::Text(text)
            if text.chars().count() >= TEST_STRING_WIDTH_MIN);
        long && (token.in_test || file.is_test_code())
            && (token.line..=token.last_line).contains(&line)
    })
}

fn long_functions(file: &File, source: &Source) -> Vec<Problem> {
    let most = if is_table(file) { TABLE_FUNCTION_LINES_MAX } else { FUNCTION_LINES_MAX };
    let mut problems = Vec::new();
    for function in &source.functions {
        let lines = function.lines - lines_of_text(source, function);
        if lines > most {
            let message = format!("`{}` has {lines} lines; the limit is {most}", function.name);
            problems.push(Problem::at(&file.path, function.line, message));
        }
    }
    problems
}

/// The lines of a function that only continue a string.
fn lines_of_text(source: &Source, function: &Function) -> usize {
    let span = function.line..function.line + function.lines;
    let strings = source.tokens.iter().filter(|token| matches!(token.kind, Kind::Text(_)));
    strings.filter(|token| span.contains(&token.line)).map(|t| t.last_line - t.line).sum()
}

fn is_table(file: &File) -> bool {
    TABLES.contains(&file.path.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        check(&File::new("a.rs", text)).iter().map(ToString::to_string).collect()
    }

    fn function(lines: usize) -> String {
        format!("//! a\nfn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2))
    }

    #[test]
    fn each_limit_is_kept_at_its_edge() {
        assert_eq!(found(&format!("//! a\n{}", "\n".repeat(399))), Vec::<String>::new());
        let long = format!("//! a\n{}", "\n".repeat(400));
        assert_eq!(found(&long), ["a.rs: 401 lines; the limit is 400"]);

        assert_eq!(found(&function(60)), Vec::<String>::new());
        assert_eq!(found(&function(61)), ["a.rs:2: `f` has 61 lines; the limit is 60"]);

        let line = |width: usize| format!("//! a\nconst {}: u8 = 0;\n", "A".repeat(width - 15));
        assert_eq!(found(&line(100)), Vec::<String>::new());
        assert_eq!(found(&line(101)), ["a.rs:2: 101 characters; the limit is 100"]);

        let comment = |width: usize| format!("//! a\n// {}\n", "é".repeat(width - 3));
        assert_eq!(found(&comment(100)), Vec::<String>::new());
        assert_eq!(found(&comment(101)), ["a.rs:2: 101 characters; the limit is 100"]);
    }

    #[test]
    fn a_file_says_first_what_it_is() {
        assert_eq!(found("use a;\n"), ["a.rs: starts without a `//!` line saying what it is"]);
    }

    #[test]
    fn what_cannot_be_read_is_reported() {
        assert_eq!(found("//! a\nfn f( {\n"), ["a.rs: cannot be read as Rust"]);
    }

    #[test]
    fn only_tests_may_hold_wide_strings() {
        let wide = format!("//! a\nfn f() {{ g({:?}); }}\n", "x".repeat(120));
        assert_eq!(found(&wide).len(), 1);
        assert_eq!(check(&File::new("crates/a/tests/b.rs", wide)), []);
    }

    #[test]
    fn the_lines_of_a_string_are_not_lines_of_code() {
        let text = |lines| format!("//! a\nfn f() {{\n g(\"{}\");\n}}\n", "x\n".repeat(lines));
        assert_eq!(found(&text(100)), Vec::<String>::new());
    }
}
