//! How well each row came over: exact, approximated, by hand, or not at all.

use std::collections::BTreeMap;

use serde::Serialize;
pub use tollgate_config::Grade;

/// What is to be said about one row.
#[derive(Debug, Default)]
pub struct Marks(Vec<(Grade, String)>);

impl Marks {
    /// It does nearly the same.
    pub fn approximated(&mut self, note: impl Into<String>) {
        self.0.push((Grade::Approximated, note.into()));
    }

    /// Somebody has to do something.
    pub fn manual(&mut self, note: impl Into<String>) {
        self.0.push((Grade::Manual, note.into()));
    }

    /// There is nothing like it here.
    pub fn unsupported(&mut self, note: impl Into<String>) {
        self.0.push((Grade::Unsupported, note.into()));
    }

    /// Whether nothing is to be said.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The grade of the whole row: the worst of its marks.
    fn worst(&self) -> Grade {
        self.0.iter().map(|(grade, _)| *grade).max().unwrap_or(Grade::Exact)
    }
}

/// How many rows of a kind came over how well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All rows of the source.
    pub rows: u64,
    /// Those that do the same here.
    pub exact: u64,
    /// Those that do nearly the same.
    pub approximated: u64,
    /// Those that somebody has to do something about.
    pub manual: u64,
    /// Those that nothing here is like, wholly or in part.
    pub unsupported: u64,
}

/// A remark that applies to some rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// How well they came over.
    pub grade: Grade,
    /// What they are: `keys`, `teams` and so on.
    pub what: &'static str,
    /// What changes, or what is to be done.
    pub note: String,
    /// How many they are.
    pub count: u64,
    /// The first of them, by names that are no secrets.
    pub examples: Vec<String>,
}

/// The grades of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grades {
    counts: BTreeMap<&'static str, Counts>,
    remarks: BTreeMap<(Grade, &'static str, String), (u64, Vec<String>)>,
}

impl Grades {
    /// Enters a row with its marks. `name` is shown with them and must be no secret.
    pub fn enter(&mut self, what: &'static str, name: &str, marks: Marks) {
        let counts = self.counts.entry(what).or_default();
        counts.rows += 1;
        match marks.worst() {
            Grade::Exact => counts.exact += 1,
            Grade::Approximated => counts.approximated += 1,
            Grade::Manual => counts.manual += 1,
            Grade::Unsupported => counts.unsupported += 1,
        }
        for (grade, note) in marks.0 {
            self.remark(grade, what, note, name);
        }
    }

    /// Says that a row which was entered as exact has to be seen to after all.
    pub fn retract(&mut self, what: &'static str, note: String, name: &str) {
        if let Some(counts) = self.counts.get_mut(what) {
            counts.exact = counts.exact.saturating_sub(1);
            counts.manual += 1;
        }
        self.remark(Grade::Manual, what, note, name);
    }

    /// Adds rows of which nothing comes over.
    pub fn leave(&mut self, what: &'static str, note: impl Into<String>, rows: u64) {
        let counts = self.counts.entry(what).or_default();
        counts.rows += rows;
        counts.unsupported += rows;
        let place = self.remarks.entry((Grade::Unsupported, what, note.into())).or_default();
        place.0 += rows;
    }

    /// Adds a remark about something that is no row.
    pub fn remark(&mut self, grade: Grade, what: &'static str, note: String, name: &str) {
        let (count, examples) = self.remarks.entry((grade, what, note)).or_default();
        *count += 1;
        if examples.len() < EXAMPLES_MAX && !name.is_empty() {
            examples.push(name.to_owned());
        }
    }

    /// The counts, by what was counted.
    #[must_use]
    pub const fn counts(&self) -> &BTreeMap<&'static str, Counts> {
        &self.counts
    }

    /// Every remark, the mildest first.
    #[must_use]
    pub fn remarks(&self) -> Vec<Remark> {
        let mut remarks = Vec::with_capacity(self.remarks.len());
        for ((grade, what, note), (count, examples)) in &self.remarks {
            remarks.push(Remark {
                grade: *grade,
                what,
                note: note.clone(),
                count: *count,
                examples: examples.clone(),
            });
        }
        remarks
    }
}

/// How many rows a remark names.
const EXAMPLES_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_counts_once_by_its_worst_mark_and_each_mark_is_a_remark() {
        let mut grades = Grades::default();
        grades.enter("keys", "a", Marks::default());
        for name in ["b", "c"] {
            let mut marks = Marks::default();
            marks.approximated("nearly");
            marks.manual("by hand");
            grades.enter("keys", name, marks);
        }
        grades.leave("other tables", "`X`", 7);
        let counts = grades.counts()["keys"];
        assert_eq!((counts.rows, counts.exact, counts.approximated, counts.manual), (3, 1, 0, 2));
        let remarks = grades.remarks();
        let grade: Vec<Grade> = remarks.iter().map(|remark| remark.grade).collect();
        assert_eq!(grade, [Grade::Approximated, Grade::Manual, Grade::Unsupported]);
        assert_eq!((remarks[0].count, remarks[0].examples.join(" ")), (2, "b c".to_owned()));
        assert_eq!((remarks[2].count, remarks[2].examples.len()), (7, 0));
    }
}
