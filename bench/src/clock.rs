//! The one place of the benchmark that reads a clock.

use std::time::Instant;

/// This moment, by the monotonic clock.
#[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
