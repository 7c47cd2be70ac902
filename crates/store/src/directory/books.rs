//! What the ledger says of a limit, from which its counter counts on.

use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::{Clock, Money, Subject, Timestamp};
use tollgate_policy::{Cadence, Calendar, Counter, Measure, Span, Tally, Window};

use crate::{Db, StoreError};

/// The period that spend is summed by.
const QUARTER_HOUR: Duration = Duration::from_secs(15 * 60);

/// The ledger, with the calendar and the clock that its windows go by.
pub(crate) struct Books {
    db: Db,
    clock: Arc<dyn Clock>,
    calendar: Arc<Calendar>,
}

impl Books {
    pub(crate) const fn new(db: Db, clock: Arc<dyn Clock>, calendar: Arc<Calendar>) -> Self {
        Self { db, clock, calendar }
    }

    pub(crate) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// A limit's counter with what was spent in the present window and not waived. What no ledger
    /// knows counts from zero.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub(crate) async fn spent_so_far(
        &self,
        subject: &Subject,
        tally: &Tally,
        cadence: Cadence,
    ) -> Result<Counter, StoreError> {
        if tally.measure != Measure::Money {
            return Ok(Counter::default());
        }
        let now = self.clock.now();
        let start = match tally.window(&self.calendar, cadence, now) {
            Window::Between(start, _) => start,
            Window::Forever | Window::Opened { .. } => Timestamp::EPOCH,
        };
        // Nothing later has been admitted, and to the end of a quarter-hour sums are exact.
        let span = Span { start, end: now.quarter_hour().plus(QUARTER_HOUR) };
        let model = tally.model.as_ref().map(|model| model.as_str());
        let spent = self.db.spent(subject, model, span).await?;
        let waived = self.db.waived(subject, &tally.to_string(), start).await?;
        let counted = spent.saturating_sub(waived).max(Money::ZERO);
        Ok(Counter::new(start.micros(), counted.nanos()))
    }
}
