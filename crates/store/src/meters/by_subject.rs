//! Every meter of this process, found by whose it is and what it counts.

use std::sync::Arc;

use papaya::{Compute, HashMap, Operation};
use tollgate_domain::Subject;
use tollgate_policy::{Counter, Tally};

use super::Meter;
use super::labels::{Label, Labels};

/// Every meter of this process, by whose it is.
///
/// A meter stays for as long as its limit is set, because calls may hold of it and entries may be
/// under way to the database: one small value for every limit that was met since the start.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    of: HashMap<Subject, Row>,
    labels: Labels,
    /// Whether its meters have names, which cost memory.
    named: bool,
}

/// The meters of one subject, each of another tally.
#[derive(Debug, Default)]
struct Row {
    meters: Box<[Arc<Meter>]>,
    /// How many of them, the first, were kept: those behind were made for what is still read, or
    /// for limits that the configuration sets.
    kept: usize,
}

impl Meters {
    /// The same with meters that have names, for counters that are shared.
    pub(crate) fn with_names(self) -> Self {
        Self { named: true, ..self }
    }

    /// A subject's meter of this tally, if it was made.
    pub(crate) fn get(&self, subject: &Subject, tally: &Tally) -> Option<Arc<Meter>> {
        self.of.pin().get(subject).and_then(|row| row.find(tally)).map(Arc::clone)
    }

    /// A subject's meter of a tally, made of `counter` when there is none. When two make it at
    /// once, the first gives it to both.
    pub(crate) fn get_or_make(
        &self,
        subject: &Subject,
        tally: &Tally,
        counter: Counter,
    ) -> Arc<Meter> {
        let new = Arc::new(self.make(subject, tally, counter));
        let of = self.of.pin();
        let nobody = Row::default();
        let made = of.compute(subject.clone(), |row| {
            let row = row.map_or(&nobody, |(_, row)| row);
            match row.find(tally) {
                Some(meter) => Operation::Abort(Arc::clone(meter)),
                None => Operation::Insert(row.with(&new)),
            }
        });
        match made {
            Compute::Aborted(meter) => meter,
            Compute::Inserted(..) | Compute::Updated { .. } | Compute::Removed(..) => new,
        }
    }

    /// Keeps these meters of a subject, and lets go of those that were kept before. A limit that is
    /// set again later counts on from the ledger, and not from when it was removed.
    pub(crate) fn keep(&self, subject: &Subject, meters: &[Arc<Meter>]) {
        let nobody = Row::default();
        self.of.pin().compute(subject.clone(), |row| {
            let present = row.map_or(&nobody, |(_, row)| row);
            let kept = present.keeping(meters);
            match row {
                _ if !kept.meters.is_empty() => Operation::Insert(kept),
                Some(_) => Operation::Remove,
                None => Operation::Abort(()),
            }
        });
    }

    fn make(&self, subject: &Subject, tally: &Tally, counter: Counter) -> Meter {
        let whose = || format!("{}:{}:{tally}", subject.level.as_str(), subject.id);
        let named = self.named.then(|| Label::named(tally, &whose()));
        Meter::new(named.unwrap_or_else(|| self.labels.of(tally)), counter)
    }
}

impl Row {
    fn find(&self, tally: &Tally) -> Option<&Arc<Meter>> {
        self.meters.iter().find(|meter| meter.tally() == tally)
    }

    /// The same with one more.
    fn with(&self, meter: &Arc<Meter>) -> Self {
        let meters = self.meters.iter().chain([meter]).map(Arc::clone).collect();
        Self { meters, kept: self.kept }
    }

    /// Keeps these, beside those behind what was kept.
    fn keeping(&self, kept: &[Arc<Meter>]) -> Self {
        let behind = self.meters.iter().skip(self.kept);
        let others = behind.filter(|meter| !kept.iter().any(|kept| kept.tally() == meter.tally()));
        let meters = kept.iter().chain(others).map(Arc::clone).collect();
        Self { meters, kept: kept.len() }
    }
}

#[cfg(test)]
mod tests;
