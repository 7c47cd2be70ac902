//! How long to wait before a retry.

use std::time::Duration;

/// The wait before attempt number `tries` + 1 at a deployment.
///
/// Half a second, doubled for each earlier try, at most [`BACK_OFF_MAX`], a quarter more or less by
/// `draw`, which is a uniform 64-bit number; never less than `least` (errors.md §2). A wait that
/// the upstream asked for stands instead, and up to a tenth more so that not everybody comes back
/// at the same instant.
#[must_use]
pub fn back_off(tries: u32, hint: Option<Duration>, least: Duration, draw: u64) -> Duration {
    let wait = match hint.filter(|hint| !hint.is_zero()) {
        Some(hint) => hint.saturating_add(part(hint / 10, draw)),
        None => {
            let doublings = tries.saturating_sub(1).min(DOUBLINGS_MAX);
            let whole = FIRST.saturating_mul(1 << doublings).min(BACK_OFF_MAX);
            (whole - whole / 4).saturating_add(part(whole / 2, draw))
        }
    };
    wait.max(least)
}

/// The part of a whole that a uniform 64-bit number stands for.
fn part(whole: Duration, draw: u64) -> Duration {
    let nanos = (whole.as_nanos().min(u128::from(u64::MAX)) * u128::from(draw)) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

const FIRST: Duration = Duration::from_millis(500);
/// The longest back-off before its quarter more or less, where the upstream names no wait.
pub const BACK_OFF_MAX: Duration = Duration::from_secs(8);
/// How often the first wait doubles until it is the longest.
const DOUBLINGS_MAX: u32 = 4;
