//! What a directory forgets because it changed, here or at another gateway.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use tollgate_domain::{BudgetId, KeyHash, KeyId, Level, Subject};

use super::KeyDirectory;

impl KeyDirectory {
    /// Forgets what is known about a hash. To be called after the key was inserted, updated or
    /// deleted and before that is answered, so that the next request is decided by the new state.
    pub fn forget(&self, hash: &KeyHash) {
        self.keys.forget(hash);
        self.unknown.forget(hash);
        // The same key may be known by texts that it had before.
        if self.knows_retired.load(Ordering::Relaxed) {
            self.keys.forget_where(|record| record.hash == *hash);
        }
    }

    /// Forgets one that is no key, likewise.
    pub fn forget_level(&self, subject: &Subject) {
        self.levels.forget(subject);
        if subject.level == Level::Team {
            self.forget_members(&subject.id);
        }
    }

    /// Forgets everybody who takes rules from a shared budget, likewise.
    pub fn forget_budget(&self, budget: &BudgetId) {
        self.levels.forget_where(|record| record.budget() == Some(budget));
        self.keys.forget_where(|record| record.own.budget() == Some(budget));
    }

    /// Forgets keys by their public identities, in one pass. Hashes without a key are forgotten as
    /// well: one of them may be the hash of a key that is new or whose text was renewed.
    pub fn forget_keys(&self, ids: &HashSet<KeyId>) {
        if ids.is_empty() {
            return;
        }
        self.keys.forget_where(|record| ids.contains(&record.attribution.key));
        self.unknown.forget_where(|()| true);
    }

    /// Forgets the members of a team, which may have rules from it.
    pub(super) fn forget_members(&self, team: &str) {
        self.levels.forget_where(|record| {
            record.subject.level == Level::Member && record.subject.parts().0 == team
        });
    }

    /// Forgets everything that the database may have changed since; what calls hold and spent stays
    /// counted.
    pub fn forget_all(&self) {
        self.keys.forget_where(|_| true);
        self.unknown.forget_where(|()| true);
        self.levels.forget_where(|_| true);
    }
}
