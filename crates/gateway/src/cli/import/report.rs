//! What an import found, wrote and compared, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tollgate_config::Grade;
use tollgate_domain::Timestamp;
use tollgate_takeover::grade::{Counts, Remark};
use tollgate_takeover::{Applied, Check, Plan};

use crate::cli::grades::Grades;

/// The outcome of an import.
#[derive(Debug)]
pub(super) struct Report {
    read_at: Timestamp,
    counts: Vec<(&'static str, Counts)>,
    remarks: Vec<Remark>,
    config: Grades,
    /// What was written, when anything was to be.
    pub(super) applied: Option<Applied>,
    /// What both sides were compared by.
    pub(super) checks: Vec<Check>,
    /// Whether a gateway works on the database that was written to.
    pub(super) serving: bool,
    /// Whether the counters that nodes share know of what was written.
    pub(super) counted: bool,
}

impl Report {
    pub(super) fn new(read_at: Timestamp, plan: &Plan, config: Grades) -> Self {
        Self {
            read_at,
            counts: plan.grades.counts().iter().map(|(what, counts)| (*what, *counts)).collect(),
            remarks: plan.grades.remarks(),
            config,
            applied: None,
            checks: Vec::new(),
            serving: false,
            counted: true,
        }
    }

    /// Whether both sides agree on everything that was compared.
    pub(super) fn agrees(&self) -> bool {
        self.checks.iter().all(|check| check.agrees)
    }

    pub(super) fn json(&self) -> Value {
        let rows: serde_json::Map<String, Value> =
            self.counts.iter().map(|(what, counts)| ((*what).to_owned(), json!(counts))).collect();
        json!({
            "read_at": self.read_at.to_string(),
            "rows": rows,
            "remarks": self.remarks,
            "config": self.config.json(),
            "applied": self.applied,
            "checks": self.checks,
            "agrees": self.agrees(),
            "restart_needed": self.serving,
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("LiteLLM's database as it was at {}\n\n", self.read_at);
        self.write_counts(&mut text);
        for grade in Grade::ALL {
            self.write_remarks(grade, &mut text);
        }
        let _ = write!(text, "\nconfiguration: {}\n", self.config.table());
        match &self.applied {
            Some(applied) => self.write_applied(applied, &mut text),
            None => text.push_str("\nnothing was written: --apply does"),
        }
        text
    }

    fn write_counts(&self, text: &mut String) {
        let width = self.counts.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
        let head = ["rows", "exact", "approximated", "manual", "unsupported"];
        let _ = write!(text, "{:width$}", "");
        for name in head {
            let _ = write!(text, "  {name:>COLUMN$}");
        }
        text.push('\n');
        for (what, counts) in &self.counts {
            let _ = write!(text, "{what:width$}");
            let Counts { rows, exact, approximated, manual, unsupported } = counts;
            for count in [rows, exact, approximated, manual, unsupported] {
                let _ = write!(text, "  {count:>COLUMN$}");
            }
            text.push('\n');
        }
    }

    fn write_remarks(&self, grade: Grade, text: &mut String) {
        let mut remarks = self.remarks.iter().filter(|remark| remark.grade == grade).peekable();
        if remarks.peek().is_none() {
            return;
        }
        let _ = write!(text, "\n{}\n", grade.as_str());
        for Remark { what, note, count, examples, .. } in remarks {
            let _ = write!(text, "  {what}, {count}: {note}");
            let shown = &examples[..examples.len().min(EXAMPLES_SHOWN)];
            if !shown.is_empty() {
                let more = if shown.len() as u64 == *count { "" } else { ", …" };
                let _ = write!(text, " ({}{more})", shown.join(", "));
            }
            text.push('\n');
        }
    }

    fn write_applied(&self, applied: &Applied, text: &mut String) {
        let rows = applied.rows.with(applied.models);
        let _ = write!(
            text,
            "\nwritten: {} rows new, {} changed, {} as they were; {} sums by day, {} opening \
             balances\n",
            rows.inserted + rows.without_alias,
            rows.updated,
            rows.unchanged,
            applied.sums,
            applied.openings
        );
        if rows.kept + rows.deleted > 0 {
            let _ = writeln!(
                text,
                "left alone: {} rows that were made or changed here, {} that were deleted",
                rows.kept, rows.deleted
            );
        }
        if !applied.changes() {
            text.push_str("nothing is new since the last import\n");
        }
        text.push('\n');
        self.write_checks(text);
        if !self.counted {
            text.push_str(
                "\nRedis is away: its counters lack what was spent until it is started again",
            );
        }
        if self.serving {
            text.push_str(
                "\na gateway works on this database: start it anew, so that it counts what was \
                 spent",
            );
        }
    }

    fn write_checks(&self, text: &mut String) {
        let width = self.checks.iter().map(|check| check.what.len()).max().unwrap_or(0);
        let _ = writeln!(text, "{:width$}  {:>MONEY$}  {:>MONEY$}", "", "LiteLLM", "here");
        for Check { what, source, here, agrees } in &self.checks {
            let sign = if *agrees { "" } else { "  differs" };
            let _ = writeln!(text, "{what:width$}  {source:>MONEY$}  {here:>MONEY$}{sign}");
        }
        text.push_str(if self.agrees() {
            "both sides agree"
        } else {
            "the two sides differ: import again, and if they still do, report it"
        });
    }
}

/// How many rows a remark names; the JSON names more.
const EXAMPLES_SHOWN: usize = 5;
/// The width of a column of counts.
const COLUMN: usize = 12;
/// The width of a column of money.
const MONEY: usize = 20;
