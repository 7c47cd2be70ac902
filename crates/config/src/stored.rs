//! What a database adds to a configuration: deployments and credentials beside those of the file.

use serde_json::{Map, Value as Json};
use tollgate_domain::{DeploymentId, ModelName};

/// Deployments and credentials that are kept in a database. It has no `Debug`: it holds secrets.
#[derive(Clone, Default)]
pub struct Stored {
    /// In the order in which their groups list them.
    pub deployments: Vec<StoredDeployment>,
    /// In any order.
    pub credentials: Vec<StoredCredential>,
}

/// One deployment of a database.
#[derive(Clone)]
pub struct StoredDeployment {
    /// Its identity.
    pub id: DeploymentId,
    /// The name of its model group, or a pattern.
    pub model_name: ModelName,
    /// `litellm_params`, its secrets among them.
    pub params: Map<String, Json>,
    /// `model_info`.
    pub info: Map<String, Json>,
    /// Whether it gets no calls for now.
    pub blocked: bool,
}

/// Values of a database that deployments take by name.
#[derive(Clone)]
pub struct StoredCredential {
    /// The name that `litellm_credential_name` refers to.
    pub name: String,
    /// The values, its secrets among them.
    pub values: Map<String, Json>,
    /// `credential_info`.
    pub info: Map<String, Json>,
}

/// Something of a database that is not part of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// `deployment` or `credential`.
    pub noun: &'static str,
    /// Its identity or name.
    pub id: String,
    /// What is wrong; it never holds a credential.
    pub problem: String,
    /// Whether nothing is wrong but that the environment of this gateway lacks something.
    pub lacking: bool,
}

#[cfg(test)]
mod tests;
