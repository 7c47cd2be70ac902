//! What a directory forgets when another gateway changed it.

use std::collections::HashSet;

use tollgate_domain::{KeyId, Level};

use super::KeyDirectory;

impl KeyDirectory {
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
            let member = record.subject.level == Level::Member;
            member && record.subject.id.split_once('\u{1f}').is_some_and(|(of, _)| of == team)
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
