//! How long a test waits before it fails: waits are for events, and every one of them is bounded.

use std::future::Future;
use std::time::Duration;

/// The longest wait for anything that should happen at once. Generous, because the machine may be
/// busy with other tests; a passing test does not wait for it.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something that should happen at once.
///
/// # Panics
/// When it does not happen within [`PATIENCE`], naming `what`.
pub async fn eventually<T>(what: &str, future: impl Future<Output = T>) -> T {
    within(PATIENCE, what, future).await
}

/// Waits for something that must happen within a limit of its own.
///
/// # Panics
/// When it does not, naming `what`.
pub async fn within<T>(limit: Duration, what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(limit, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {limit:?} in vain for {what}"),
    }
}

/// Asks again until the answer is there. For what another process does without saying when.
///
/// # Panics
/// When there is no answer within [`PATIENCE`], naming `what`.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    eventually(what, async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await
}

/// Between two questions of [`until`].
const PAUSE: Duration = Duration::from_millis(10);
