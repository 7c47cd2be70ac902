//! Closed days, summed once more.
//!
//! A page of thirty days would read 2,880 quarter-hours for each of its sums. Days that ended a
//! while ago are therefore summed into rows of their own, by a task that runs beside the calls and
//! also finds what an older program left. They are never the truth: whoever writes to an old
//! quarter-hour takes back the sums of its day in the same transaction, and every reader takes what
//! no summed day covers from the quarter-hours.
//!
//! A day is one of the gateway's own zone. When the operator changes it, the days of the other zone
//! go as those of the new one are made; two summed days never overlap.

mod marks;
mod plan;
mod rows;
mod task;

use std::time::Duration;

use tollgate_domain::Timestamp;

pub(crate) use marks::{reopen, reopen_old, summed_within};
pub use task::ClosedDays;

/// How long after its end a day is closed.
const CLOSED_AFTER: Duration = Duration::from_secs(2 * 3_600);
/// From which age on a quarter-hour may be one of a closed day, for those who write to it. The time
/// between the two is for nodes whose clocks differ, and for transactions under way.
const OLD_AFTER: Duration = Duration::from_secs(3_600);
/// How many days back are summed: three years, which is three times what one page shows.
const DAYS_SUMMED_MAX: usize = 3 * tollgate_policy::LOCAL_DAYS_MAX;
/// How many sums are read, written or removed before other writers get their turn.
const ROWS_AT_ONCE: usize = 512;

/// The instant that was so long before this one.
fn before(at: Timestamp, ago: Duration) -> Timestamp {
    let ago = i64::try_from(ago.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(at.micros().saturating_sub(ago))
}
