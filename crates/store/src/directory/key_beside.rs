//! What few keys have beside their limits, so that the others take no memory for it.

use tollgate_domain::Timestamp;

use super::KeyRecord;
use crate::KeyRules;

/// What few keys have.
#[derive(Debug, Default, PartialEq)]
pub(super) struct KeyBeside {
    /// What its calls go by beside its limits.
    pub(super) rules: Option<KeyRules>,
    /// What people may see of a key that they call by an alias.
    pub(super) shown: Option<Box<str>>,
    /// Until when the text is taken for the key, where the key has another by now.
    pub(super) retires_at: Option<Timestamp>,
}

impl KeyBeside {
    /// To be kept, or nothing where there is nothing.
    pub(super) fn kept(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

impl KeyRecord {
    /// What people may see of the key: never its alias.
    #[must_use]
    pub fn name(&self) -> &str {
        let shown = self.beside.as_ref().and_then(|beside| beside.shown.as_deref());
        shown.unwrap_or(&self.own.name)
    }

    /// What its calls go by beside its limits; nothing where there is nothing.
    #[must_use]
    pub fn rules(&self) -> Option<&KeyRules> {
        self.beside.as_ref()?.rules.as_ref()
    }

    /// Until when the text is taken for the key, where the key has another by now.
    pub(super) fn retires_at(&self) -> Option<Timestamp> {
        self.beside.as_ref()?.retires_at
    }
}
