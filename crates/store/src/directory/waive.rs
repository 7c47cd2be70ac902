//! What a subject's budgets no longer count.

use tollgate_domain::Money;

use super::KeyDirectory;
use crate::{Editor, LevelRecord, StoreError, Waiver};

impl KeyDirectory {
    /// Lowers what every budget of a subject counts in its present window to at most `target`. What
    /// was spent stays in the ledger; that it no longer counts is recorded beside it. `id` tells
    /// apart what is waived at one instant.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing is lowered then.
    pub async fn waive(
        &self,
        editor: Editor<'_>,
        level: &LevelRecord,
        target: Money,
        id: &str,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let counted = level.money_counted(self.calendar(), now);
        let above: Vec<_> =
            counted.filter(|(_, _, counter)| counter.used > target.nanos()).collect();
        let excess = |used: i64| used.saturating_sub(target.nanos());
        let waivers: Vec<Waiver> = above
            .iter()
            .map(|(rule, _, counter)| Waiver {
                rule: rule.clone(),
                amount: Money::from_nanos(excess(counter.used)),
            })
            .collect();
        if waivers.is_empty() {
            return Ok(());
        }
        editor.waive(&level.subject, &waivers, (now, id)).await?;
        for (_, meter, counter) in &above {
            meter.waive(counter.start, excess(counter.used));
        }
        if let Some(shared) = &self.shared {
            let names: Vec<&str> = above.iter().map(|(_, meter, _)| meter.name()).collect();
            shared.doubt(&names).await;
        }
        Ok(())
    }
}
