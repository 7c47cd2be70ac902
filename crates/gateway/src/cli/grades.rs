//! The grades of a LiteLLM configuration as text and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tollgate_config::{Compiled, Finding, Findings, Grade, GradedKey, grade};

/// The grades of every key of a file.
#[derive(Debug)]
pub(super) struct Grades(Vec<GradedKey>);

impl Grades {
    /// Grades a text by what compiling it gave.
    pub(super) fn of(text: &str, compiled: &Result<Compiled, Findings>) -> Self {
        let findings: &[Finding] = match compiled {
            Ok(compiled) => &compiled.warnings,
            Err(findings) => findings,
        };
        Self(grade(text, findings))
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        json!(self.0)
    }

    /// Counts, then every key that is not exact with what is to be said about it.
    pub(super) fn table(&self) -> String {
        let count = |grade: Grade| self.0.iter().filter(|key| key.grade == grade).count();
        let counts: Vec<String> = Grade::ALL
            .into_iter()
            .map(|grade| format!("{} {}", count(grade), grade.as_str()))
            .collect();
        let mut text = format!("{} keys: {}\n", self.0.len(), counts.join(", "));
        for grade in Grade::ALL.into_iter().skip(1) {
            for key in self.0.iter().filter(|key| key.grade == grade) {
                // Writing to a String cannot fail.
                let _ = write!(text, "\n{}  {}", grade.as_str(), key.key);
                if key.places > 1 {
                    let _ = write!(text, "  ({} places)", key.places);
                }
                text.push('\n');
                for note in &key.notes {
                    let _ = writeln!(text, "    {note}");
                }
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}
