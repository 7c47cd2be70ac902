//! The configuration in force, as whoever holds it lets the management API see and renew it.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tollgate_config::{Deployment, LeftOut, ModelEntry, Snapshot, StoredDeployment};
use tollgate_domain::ModelName;
use tollgate_faults::Refusal;

use crate::gatekeeper::Actor;

/// An answer that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + Send + 'a>>;

/// What would become of a deployment if it were stored.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The entry that it would be; none where the file has one of its id.
    pub entry: Option<ModelEntry>,
    /// Why it would be left out.
    pub left_out: Option<LeftOut>,
}

/// What the management API asks of the configuration.
pub trait Configuration: Send + Sync + 'static {
    /// The configuration as it is now.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// What would become of a deployment; nothing is stored.
    ///
    /// # Errors
    /// Refused when the database cannot be asked.
    fn examine(&self, candidate: StoredDeployment) -> Later<'_, Examined>;

    /// Takes what the database holds now. It is done once this has come, on this node; where it
    /// cannot be done yet, it is done as soon as it can.
    fn renew(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Calls a deployment once, as cheaply as it can be called, and gives how long that took.
    ///
    /// # Errors
    /// What a client would be told.
    fn test<'a>(&'a self, deployment: &'a Deployment) -> Later<'a, Duration>;

    /// Those of these model names that whoever calls may use.
    ///
    /// # Errors
    /// Refused when the database cannot be asked.
    fn permitted<'a>(
        &'a self,
        actor: &'a Actor,
        names: BTreeSet<ModelName>,
    ) -> Later<'a, BTreeSet<ModelName>>;
}
