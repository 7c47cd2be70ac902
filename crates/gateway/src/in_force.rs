//! The configuration in force: the file as it was last right, with what the database holds.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::{Mutex, Notify};
use tollgate_config::{Compiled, LeftOut, Stored, StoredCredential, StoredDeployment};
use tollgate_proxy::Gate;
use tollgate_store::{
    CredentialRow, Db, DeploymentRow, StoreError, StoredModels, UnreadableRow, Vault,
};

use crate::serve::ConfigSource;

/// The wait before the database is asked again for what changed in it.
const PAUSE: Duration = Duration::from_millis(500);
/// Most rows that a note of readiness names.
const NAMED_MAX: usize = 10;

/// What makes the configuration and puts it into force, one change after the other.
pub(crate) struct InForce {
    pub(crate) source: Arc<ConfigSource>,
    pub(crate) gate: Arc<Gate>,
    db: Db,
    vault: Vault,
    present: Mutex<Present>,
    /// Told when what the database holds may have changed.
    pub(crate) changed: Arc<Notify>,
}

/// What is in force.
struct Present {
    /// The file's text as it was last right.
    text: String,
    /// What the database held when it was last read.
    stored: StoredModels,
    /// What was left out of the database and has been told.
    told: HashSet<(String, String)>,
}

/// The configuration of a file's text with what the database holds.
pub(crate) struct Whole {
    pub(crate) compiled: Compiled,
    stored: StoredModels,
}

impl InForce {
    /// Takes over what is in force at the start.
    pub(crate) fn new(
        source: Arc<ConfigSource>,
        gate: Arc<Gate>,
        (db, vault): (Db, Vault),
        (text, whole): (String, &Whole),
    ) -> Self {
        let stored = whole.stored.clone();
        let mut present = Present { text, stored, told: HashSet::new() };
        present.tell(&gate, whole);
        let present = Mutex::new(present);
        Self { source, gate, db, vault, present, changed: Arc::default() }
    }

    /// Takes the file as it is now, if it is right. A database that is away does not stand in its
    /// way: what it held before is used until it is read again.
    pub(crate) async fn reload(&self) {
        let mut present = self.present.lock().await;
        let stored = self.stored().await.unwrap_or_else(|problem| {
            tracing::warn!(%problem, "the models of the database are those that were read before");
            self.changed.notify_one();
            present.stored.clone()
        });
        let read = self.source.read().and_then(|text| {
            let whole = whole(&self.source, &text, stored)?;
            Ok((text, whole))
        });
        match read {
            Ok((text, Ok(whole))) => {
                let config = self.source.file.display();
                tracing::info!(%config, "the configuration was reloaded");
                self.source.tell(&whole.compiled);
                present.text = text;
                self.put(&mut present, whole);
            }
            Ok((_, Err(findings))) => {
                tracing::error!(
                    "the changed configuration is wrong; the one in force stays\n{findings}"
                );
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the configuration in force stays");
            }
        }
    }

    /// Takes what the database holds now.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read; the configuration in force stays.
    pub(crate) async fn renew(&self) -> Result<(), StoreError> {
        let mut present = self.present.lock().await;
        let stored = self.stored().await?;
        match whole(&self.source, &present.text, stored) {
            Ok(Ok(whole)) => self.put(&mut present, whole),
            // The text was right before; only the environment of the process could differ.
            Ok(Err(findings)) => tracing::error!("the configuration in force stays\n{findings}"),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the configuration in force stays");
            }
        }
        Ok(())
    }

    /// What the configuration would be with a deployment put beside or over those of the database.
    /// It is not put into force.
    ///
    /// # Errors
    /// When the database or the configuration cannot be read.
    pub(crate) async fn with(&self, candidate: StoredDeployment) -> anyhow::Result<Compiled> {
        let mut stored = self.stored().await?;
        stored.deployments.retain(|row| row.id != candidate.id);
        let mut rows = as_stored(&stored);
        rows.deployments.push(candidate);
        let text = self.present.lock().await.text.clone();
        let compiled = self.source.compile(&text, &rows)?;
        compiled.map_err(|findings| anyhow::anyhow!("the file is wrong now\n{findings}"))
    }

    /// Takes what the database holds, each time that it may have changed, for as long as it is
    /// polled.
    pub(crate) async fn follow(self: Arc<Self>) {
        loop {
            self.changed.notified().await;
            let mut told = false;
            while let Err(problem) = self.renew().await {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%problem, "what changed in the database cannot be read yet");
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn stored(&self) -> Result<StoredModels, StoreError> {
        self.db.stored_models(&self.vault).await
    }

    fn put(&self, present: &mut Present, whole: Whole) {
        present.tell(&self.gate, &whole);
        present.stored = whole.stored;
        self.gate.swap_snapshot(Arc::new(whole.compiled.snapshot));
    }
}

/// Compiles a file's text with what the database holds. The inner error is every finding, rendered.
///
/// # Errors
/// When what comes with the program or lies in the data directory is broken.
pub(crate) fn whole(
    source: &ConfigSource,
    text: &str,
    stored: StoredModels,
) -> anyhow::Result<Result<Whole, String>> {
    let compiled = source.compile(text, &as_stored(&stored))?;
    Ok(compiled.map(|compiled| Whole { compiled, stored }))
}

impl Present {
    /// Says what is left out: in the log once, in readiness for as long as it is so.
    fn tell(&mut self, gate: &Gate, whole: &Whole) {
        let mut left_out: Vec<(String, String, bool)> = Vec::new();
        for LeftOut { noun, id, problem, lacking } in &whole.compiled.left_out {
            left_out.push((format!("{noun} `{id}`"), problem.clone(), *lacking));
        }
        for UnreadableRow { noun, id, problem, .. } in &whole.stored.unreadable {
            left_out.push((format!("{noun} `{id}`"), problem.clone(), false));
        }
        let mut told = HashSet::new();
        for (name, problem, lacking) in &left_out {
            let known = (name.clone(), problem.clone());
            if !self.told.contains(&known) {
                if *lacking {
                    tracing::info!("the {name} of the database is left out: {problem}");
                } else {
                    tracing::warn!("the {name} of the database is left out: {problem}");
                }
            }
            told.insert(known);
        }
        self.told = told;
        let mut unreadable = whole.stored.unreadable.iter();
        gate.note(notes(&left_out, unreadable.any(|row| row.sealed_otherwise)));
    }
}

/// What readiness says: names only, since anybody may ask for it.
fn notes(left_out: &[(String, String, bool)], sealed_otherwise: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if !left_out.is_empty() {
        let names: Vec<&str> = left_out.iter().take(NAMED_MAX).map(|(name, ..)| &**name).collect();
        let more = left_out.len().saturating_sub(NAMED_MAX);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let names = names.join(", ");
        notes.push(format!("left out of what the database holds: {names}{more}; the log says why"));
    }
    if sealed_otherwise {
        let fix = "set `TOLLGATE_SALT_KEY` to the same text on every gateway of the database";
        notes.push(format!("secrets in the database are sealed with another key; {fix}"));
    }
    notes
}

/// The rows as the configuration takes them.
pub(crate) fn as_stored(models: &StoredModels) -> Stored {
    Stored {
        deployments: models.deployments.iter().map(deployment).collect(),
        credentials: models.credentials.iter().map(credential).collect(),
    }
}

fn deployment(row: &DeploymentRow) -> StoredDeployment {
    let DeploymentRow { id, model_name, params, blocked, .. } = row;
    let mut info = row.info.clone();
    let stamps = [
        ("created_at", Json::from(row.created_at.to_string())),
        ("created_by", Json::from(row.created_by.clone())),
        ("updated_at", Json::from(row.updated_at.to_string())),
        ("updated_by", Json::from(row.updated_by.clone())),
    ];
    info.extend(stamps.map(|(name, value)| (name.to_owned(), value)));
    StoredDeployment {
        id: id.clone(),
        model_name: model_name.clone(),
        params: params.expose(),
        info,
        blocked: *blocked,
    }
}

fn credential(row: &CredentialRow) -> StoredCredential {
    let CredentialRow { name, values, info, .. } = row;
    StoredCredential { name: name.clone(), values: values.expose(), info: info.clone() }
}
