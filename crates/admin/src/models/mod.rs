//! Deployments, credentials and access groups: those of the file to see, those of the database to
//! change (management-api §8).

mod access_groups;
mod connection;
mod credentials;
mod groups;
mod info;
mod shown;
mod write;

use tollgate_faults::{Reason, Refusal};
use tollgate_store::{DeploymentRow, StoredModels, UnreadableRow, WriteModelError};

use crate::problem::{self, echo};
use crate::route::Route;
use crate::routes::Admin;
pub(crate) use info::theirs;

/// The fields of a deployment.
const PARAMS: &str = "litellm_params";
const INFO: &str = "model_info";
const NAME: &str = "model_name";
/// The field that names a deployment.
const ID: &str = "model_id";

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = write::routes();
    routes.extend(info::routes());
    routes.extend(groups::routes());
    routes.extend(credentials::routes());
    routes.extend(access_groups::routes());
    routes.extend(connection::routes());
    routes
}

impl Admin {
    /// Refused unless the operator lets models be kept in the database.
    fn must_store_models(&self) -> Result<(), Refusal> {
        if self.configuration.snapshot().settings.store_models {
            return Ok(());
        }
        let message = "this gateway keeps no models in its database: \
             `general_settings.store_model_in_db` is not set";
        Err(Refusal::new(Reason::ModelStorageDisabled, message))
    }

    /// Everything that the database holds.
    async fn stored_models(&self) -> Result<StoredModels, Refusal> {
        let stored = self.db.stored_models(&self.vault).await;
        stored.map_err(|problem| problem::store(&problem))
    }

    /// The deployment of the database with this id. `field` names it in the request.
    async fn deployment_row(&self, field: &str, id: &str) -> Result<DeploymentRow, Refusal> {
        let found = self.db.find_deployment(&self.vault, id).await;
        match found.map_err(|problem| problem::store(&problem))? {
            Some(Ok(row)) => Ok(row),
            Some(Err(row)) => Err(unreadable(&row)),
            None => Err(self.not_stored(field, id)),
        }
    }

    /// Why there is no deployment of the database with this id.
    fn not_stored(&self, field: &str, id: &str) -> Refusal {
        let snapshot = self.configuration.snapshot();
        if snapshot.entries.iter().any(|entry| !entry.stored && entry.id.as_str() == id) {
            return read_only("deployment", field, id);
        }
        problem::absent("deployment", field, id)
    }
}

/// The configuration file holds it.
fn read_only(noun: &str, field: &str, id: &str) -> Refusal {
    let message =
        format!("the {noun} `{}` is one of the configuration file; nothing was changed", echo(id));
    Refusal::new(Reason::EntryReadOnly, message).with_param(field)
}

/// A row whose secrets cannot be read cannot be changed; it can be deleted.
fn unreadable(row: &UnreadableRow) -> Refusal {
    let message = format!("the {} `{}`: {}", row.noun, echo(&row.id), row.problem);
    if row.sealed_otherwise {
        return Refusal::new(Reason::SaltKeyDiffers, message);
    }
    Refusal::new(Reason::EntryUnusable, message).with_fix("delete it and add it again")
}

/// Why a row was not written.
fn not_written(problem: &WriteModelError, (noun, field): (&str, &str), id: &str) -> Refusal {
    match problem {
        WriteModelError::Taken => problem::exists(noun, field, id),
        WriteModelError::OtherKey => Refusal::new(Reason::SaltKeyDiffers, problem.to_string()),
        WriteModelError::TooMany(_) => Refusal::new(Reason::FieldOutOfRange, problem.to_string())
            .with_fix("delete what is not needed any more"),
        WriteModelError::Store(problem) => problem::store(problem),
    }
}
