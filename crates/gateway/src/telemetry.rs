//! The log: lines on standard error.

use tracing_subscriber::EnvFilter;

use crate::environment;

/// Starts logging at the level of `TOLLGATE_LOG`, or LiteLLM's `LITELLM_LOG`, or `info`.
pub(crate) fn start() {
    let wanted = environment::first(&["TOLLGATE_LOG", "LITELLM_LOG"]).unwrap_or_default();
    let filter = EnvFilter::try_new(wanted.to_lowercase())
        .ok()
        .filter(|_| !wanted.is_empty())
        .unwrap_or_else(|| EnvFilter::new("info,sqlx=warn"));
    // A second start in one process, as in tests, keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .try_init();
}
