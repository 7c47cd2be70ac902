//! When to end.

use tokio::signal::unix::{SignalKind, signal};

/// Returns when the process is asked to end by SIGTERM or SIGINT.
///
/// # Errors
/// When the signals cannot be listened for.
pub(crate) async fn requested() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
