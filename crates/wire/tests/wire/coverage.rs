//! The fixtures are complete: a table of wire format × direction × what is said, with a fixture for
//! every cell but those that [`absent`] says cannot be, and a source for every fixture.

mod absent;
pub(crate) mod case;
mod columns;
pub(crate) mod origin;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use self::absent::ABSENT;
use self::case::{Case, folders};
use self::columns::{COLUMNS, ERRORS};
use self::origin::Origin;
use crate::bodies::formats::{UPSTREAMS, client};

/// Which way something goes, and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    /// A client's request, read.
    RequestIn,
    /// A request written for an upstream.
    RequestOut,
    /// An upstream's whole answer, read.
    AnswerIn,
    /// A whole answer written for a client.
    AnswerOut,
    /// An upstream's stream, read.
    StreamIn,
    /// A stream written for a client.
    StreamOut,
    /// An upstream's error, read.
    ErrorIn,
    /// A refusal written for a client, as a body and inside a stream.
    ErrorOut,
}

use Direction::{
    AnswerIn, AnswerOut, ErrorIn, ErrorOut, RequestIn, RequestOut, StreamIn, StreamOut,
};

/// One cell of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    format: &'static str,
    direction: Direction,
    column: &'static str,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.format, self.direction, self.column)
    }
}

/// Every cell of the table.
fn table() -> Vec<Cell> {
    let mut cells = Vec::new();
    for upstream in &UPSTREAMS {
        let format = upstream.name;
        let both = [RequestIn, RequestOut, AnswerIn, AnswerOut, StreamIn, StreamOut];
        let spoken = client(format).is_some();
        let takes = |d: &Direction| spoken || !matches!(d, RequestIn | AnswerOut | StreamOut);
        for direction in both.into_iter().filter(takes) {
            cells.extend(COLUMNS.map(|column| Cell { format, direction, column }));
        }
        let errors = ERRORS.into_iter().chain(["within an answer", "within a stream"]);
        cells.extend(errors.map(|column| Cell { format, direction: ErrorIn, column }));
        let told = ERRORS.into_iter().chain(["mid_stream"]).filter(|_| spoken);
        cells.extend(told.map(|column| Cell { format, direction: ErrorOut, column }));
    }
    cells
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Whether a refusal of this category is there as clients of a format get it. What it says is
/// checked where refusals are worded; that its event is that of its body, here.
fn is_told(format: &str, category: &str) -> bool {
    let case = fixtures().join("refusals").join(category);
    let file = |ending: &str| fs::read_to_string(case.join(format!("to.{format}.{ending}"))).ok();
    let (Some(body), Some(event)) = (file("json"), file("sse")) else { return false };
    Origin::of(&case);
    let client = client(format).expect("a format of clients");
    let written = (client.error_event)(&body);
    let written = std::str::from_utf8(&written).expect("text").replace("\r\n", "\n");
    assert_eq!(written, event, "{}", case.display());
    true
}

#[test]
fn every_cell_of_the_table_has_a_fixture_or_a_reason() {
    let mut covered: BTreeMap<Cell, usize> = BTreeMap::new();
    for upstream in &UPSTREAMS {
        for path in folders(&fixtures().join(upstream.name)) {
            for cell in Case::read(upstream, path).cells() {
                *covered.entry(cell).or_default() += 1;
            }
        }
    }
    for cell in table().into_iter().filter(|cell| cell.direction == ErrorOut) {
        if is_told(cell.format, cell.column) {
            covered.insert(cell, 1);
        }
    }
    let mut wrong = Vec::new();
    for cell in table() {
        let reason = ABSENT.iter().find(|absent| absent.names(&cell)).map(|absent| absent.because);
        match (covered.contains_key(&cell), reason) {
            (false, None) => wrong.push(format!("{cell}: no fixture")),
            (true, Some(reason)) => wrong.push(format!("{cell}: there is one, though {reason}")),
            (true, None) | (false, Some(_)) => {}
        }
    }
    assert!(wrong.is_empty(), "{} cells:\n{}", wrong.len(), wrong.join("\n"));
}
