//! Soft budgets: who has reached one, told once for each window.

use std::sync::Arc;

use tollgate_domain::Timestamp;

use super::KeyDirectory;
use crate::LevelRecord;

impl KeyDirectory {
    /// Those who have reached their soft budgets and were not given before in the present window of
    /// their main budgets. A gateway that starts gives them again.
    ///
    /// Who was given is kept as long as the meters are: one small value for each soft budget that
    /// was reached since the start.
    pub fn newly_over_soft<'l>(
        &self,
        levels: &'l [Arc<LevelRecord>],
        now: Timestamp,
    ) -> impl Iterator<Item = &'l Arc<LevelRecord>> {
        levels.iter().filter(move |level| {
            let Some(window) = level.soft_reached(self.calendar(), now) else { return false };
            self.told.pin().insert(level.subject.clone(), window) != Some(&window)
        })
    }
}
