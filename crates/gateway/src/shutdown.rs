//! When to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask the process to end. They are listened for from the moment this is made, and
/// no longer kill it.
pub(crate) struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the system does not let us.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let (terminate, interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt })
    }

    /// Returns when the process is asked to end by SIGTERM or SIGINT.
    pub(crate) async fn requested(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
