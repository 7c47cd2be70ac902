//! The management API sees and renews the configuration that the data path has in force.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tollgate_admin::{Actor, Configuration, Examined, Later};
use tollgate_config::{Deployment, Snapshot, StoredDeployment};
use tollgate_domain::ModelName;
use tollgate_faults::{Reason, Refusal};

use crate::in_force::InForce;

impl Configuration for InForce {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.gate.snapshot()
    }

    fn examine(&self, candidate: StoredDeployment) -> Later<'_, Examined> {
        Box::pin(async move {
            let id = candidate.id.clone();
            let compiled = self.with(candidate).await.map_err(|problem| {
                tracing::error!(
                    problem = format!("{problem:#}"),
                    "a deployment cannot be examined"
                );
                let message = "the configuration cannot be read together with the database now";
                Refusal::new(Reason::StoreUnavailable, message)
            })?;
            let is_it = |noun: &str, other: &str| noun == "deployment" && other == id.as_str();
            let mut entries = compiled.snapshot.entries.into_iter();
            Ok(Examined {
                entry: entries.find(|entry| entry.stored && entry.id == id),
                left_out: compiled.left_out.into_iter().find(|out| is_it(out.noun, &out.id)),
            })
        })
    }

    fn renew(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if let Err(problem) = InForce::renew(self).await {
                tracing::warn!(%problem, "what was changed in the database cannot be read yet");
                self.changed.notify_one();
            }
        })
    }

    fn test<'a>(&'a self, deployment: &'a Deployment) -> Later<'a, Duration> {
        Box::pin(tollgate_proxy::probe(&self.gate, deployment))
    }

    fn permitted<'a>(
        &'a self,
        actor: &'a Actor,
        names: BTreeSet<ModelName>,
    ) -> Later<'a, BTreeSet<ModelName>> {
        let record = match actor {
            Actor::Master => None,
            Actor::Key(record) => Some(record),
        };
        Box::pin(tollgate_proxy::permitted(&self.gate, record, names))
    }
}
