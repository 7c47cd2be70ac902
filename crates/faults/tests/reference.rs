//! The reference of all reasons is the table itself.

use std::fmt::Write as _;

use expect_test::expect_file;
use tollgate_faults::{Reason, row};

#[test]
fn the_reference_of_reasons_is_the_table_itself() {
    let mut text = String::from(
        "# Reasons\n\nWhy a call gets no answer: `error.gateway.reason` in every refusal. Each links \
         to its article at `/errors/<reason>`. This page is written by a test from the table in \
         `crates/faults/src/catalogue.rs`.\n\n\
         | reason | status | origin | retry | what is so | what to do |\n\
         |---|---|---|---|---|---|\n",
    );
    for reason in Reason::ALL {
        let row = row(reason);
        let retry = if row.retryable { "yes" } else { "no" };
        let (origin, title, fix) = (row.origin.as_str(), row.title, row.fix);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {origin} | {retry} | {title} | {fix} |",
            reason.slug(),
            row.status
        );
    }
    expect_file!["../../../docs/reference/reasons.md"].assert_eq(&text);
}
