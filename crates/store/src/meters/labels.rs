//! What meters count and what they are called, kept once for all that count the same.

use std::sync::Arc;

use papaya::HashMap;
use tollgate_policy::Tally;

/// What a meter counts, and its name.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) tally: Tally,
    /// What the meter is called where counters are shared; empty where they are not.
    pub(crate) name: Box<str>,
}

/// The labels without a name: a hundred thousand keys have the same few kinds of limits.
#[derive(Debug, Default)]
pub(super) struct Labels {
    known: HashMap<Tally, Arc<Label>>,
}

/// How many labels are kept to be found again; a meter of one more kind has a label of its own.
const LABELS_MAX: usize = 1_000;

impl Label {
    pub(super) fn named(tally: &Tally, name: &str) -> Arc<Self> {
        Arc::new(Self { tally: tally.clone(), name: Box::from(name) })
    }
}

impl Labels {
    /// The label of every meter without a name that counts this.
    pub(super) fn of(&self, tally: &Tally) -> Arc<Label> {
        let known = self.known.pin();
        if let Some(label) = known.get(tally) {
            return Arc::clone(label);
        }
        let label = Label::named(tally, "");
        if known.len() >= LABELS_MAX {
            return label;
        }
        Arc::clone(known.get_or_insert(tally.clone(), label))
    }
}

#[cfg(test)]
mod tests {
    use tollgate_domain::ModelName;
    use tollgate_policy::Measure;

    use super::*;

    fn of_model(number: usize) -> Tally {
        let model = ModelName::new(&format!("model-{number}")).ok();
        Tally { measure: Measure::Money, model, period: None }
    }

    #[test]
    fn what_counts_the_same_has_one_label() {
        let labels = Labels::default();
        let (one, same, other) =
            (labels.of(&of_model(1)), labels.of(&of_model(1)), labels.of(&of_model(2)));
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
        assert_eq!(other.tally, of_model(2));
    }

    #[test]
    fn a_flood_of_kinds_takes_bounded_memory() {
        let labels = Labels::default();
        for number in 0..LABELS_MAX + 10 {
            assert_eq!(labels.of(&of_model(number)).tally, of_model(number));
        }
        assert_eq!(labels.known.len(), LABELS_MAX);
    }
}
