//! How every deployment and every credential fares, as calls find it out.
//!
//! What an outcome means is [`tollgate_policy::Health`]'s to say; here is one of them for each
//! deployment and each credential, behind a lock that is held for one step. They outlive
//! configurations, and a deployment whose credential is replaced starts anew.

mod record;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tollgate_config::{Deployment, Snapshot};
use tollgate_domain::{DeploymentId, KeyHash};
use tollgate_policy::{Health, HealthOf};

pub(crate) use record::{Record, Sent};

/// The health of all deployments, by the deployment's id.
#[derive(Debug, Default)]
pub(crate) struct HealthBook {
    records: RwLock<HashMap<DeploymentId, Arc<Record>>>,
}

impl HealthBook {
    /// Takes over a configuration: records of deployments that it does not have, or has with
    /// another credential, are forgotten.
    pub(crate) fn heed(&self, snapshot: &Snapshot) {
        let configured: HashMap<&DeploymentId, Option<KeyHash>> =
            snapshot.deployments().map(|one| (&one.id, credential(one))).collect();
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        records.retain(|id, record| configured.get(id) == Some(&record.credential()));
    }

    /// The record of a deployment; it is well when nobody has called it.
    pub(crate) fn of(&self, deployment: &Deployment) -> Arc<Record> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = records.get(&deployment.id) {
            return Arc::clone(record);
        }
        drop(records);
        let credential = credential(deployment);
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        let shared = || {
            let same = |record: &&Arc<Record>| record.credential() == credential;
            let of_others = credential.and_then(|_| records.values().find(same));
            let new = || Arc::new(Mutex::new(Health::new(HealthOf::Credential)));
            of_others.map_or_else(new, |record| record.health_of_credential())
        };
        let shared = shared();
        let record = records
            .entry(deployment.id.clone())
            .or_insert_with(|| Arc::new(Record::new(deployment.id.clone(), credential, shared)));
        Arc::clone(record)
    }
}

/// What tells a deployment's credential from others; nothing where it has none of its own text.
fn credential(deployment: &Deployment) -> Option<KeyHash> {
    let key = deployment.key.as_ref()?;
    Some(KeyHash::of(&format!("{}\n{}", deployment.provider.name, key.expose())))
}

#[cfg(test)]
mod tests;
