//! The configuration in force, as whoever holds it lets the management API see it.

use std::sync::Arc;

use tollgate_config::Snapshot;

/// What the management API asks of the configuration.
pub trait Configuration: Send + Sync + 'static {
    /// The configuration as it is now.
    fn snapshot(&self) -> Arc<Snapshot>;
}
