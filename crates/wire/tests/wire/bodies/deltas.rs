//! The laws of deltas, whatever an upstream sent.

use std::collections::{BTreeMap, BTreeSet};

use tollgate_wire::delta::{Delta, PartKind};

/// What deltas said so far.
#[derive(Debug, Default)]
struct Told {
    begun: bool,
    over: bool,
    parts: u32,
    open: BTreeMap<u32, (u32, PartKind)>,
    finished: BTreeSet<u32>,
}

/// # Panics
/// When these deltas of a whole or broken-off answer break a law.
pub(crate) fn obey_the_laws(deltas: &[Delta]) {
    let mut told = Told::default();
    for delta in deltas {
        assert!(!told.over, "something follows the end: {deltas:#?}");
        assert!(told.takes(delta), "{delta:?} breaks a law: {told:?}: {deltas:#?}");
    }
    assert!(told.open.is_empty(), "what is opened is closed: {deltas:#?}");
}

impl Told {
    fn takes(&mut self, delta: &Delta) -> bool {
        match delta {
            Delta::Begin { .. } => !std::mem::replace(&mut self.begun, true),
            Delta::Open { choice, part, kind } => {
                self.open.insert(*part, (*choice, kind.clone()));
                self.parts += 1;
                self.begun && *part + 1 == self.parts && !self.finished.contains(choice)
            }
            Delta::More { part, text } => {
                let redacted = matches!(self.kind(*part), Some(PartKind::Redacted { .. }) | None);
                !redacted && !text.is_empty()
            }
            Delta::Seal { part, .. } => matches!(
                self.kind(*part),
                Some(PartKind::Reasoning { .. } | PartKind::ToolCall { .. })
            ),
            Delta::Cite { part, .. } => self.kind(*part) == Some(&PartKind::Text),
            Delta::Close { part } => self.open.remove(part).is_some(),
            Delta::Finish { choice, .. } => {
                let silent = self.open.values().all(|(of, _)| of != choice);
                self.begun && silent && self.finished.insert(*choice)
            }
            Delta::Usage(usage) => self.begun && !usage.is_unknown(),
            Delta::Failed(_) => std::mem::replace(&mut self.over, true) || self.open.is_empty(),
            Delta::End => {
                self.over = true;
                self.begun && self.open.is_empty()
            }
        }
    }

    fn kind(&self, part: u32) -> Option<&PartKind> {
        self.open.get(&part).map(|(_, kind)| kind)
    }
}
