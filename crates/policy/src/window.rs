//! The periods that budgets cover: which stretch of time an instant belongs to.
//!
//! A period is a word (`30d`); with a calendar and an anchor it cuts all of time into half-open
//! spans that follow each other without gap or overlap: `start(n+1) = end(n)`. Both edges of a span
//! are starts of the calendar. Neither is ever computed by taking a length from the other one.

mod calendar;
mod days;
mod period;
mod quarters;
mod running;
mod span;

pub use calendar::{
    Calendar, TimeOfDay, TimeOfDayError, WeekStart, WeekStartError, Zone, ZoneError,
};
pub use days::{DaysError, LOCAL_DAYS_MAX, LocalDay};
pub use period::{Period, PeriodError, PeriodProblem};
pub use quarters::QuarterHours;
pub use running::{Cadence, Running};
pub use span::{Anchor, Span};

#[cfg(test)]
mod laws;
