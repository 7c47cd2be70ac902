//! Changing the key that secrets are sealed with: all of them in one transaction, or none.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::UnreadableRow;
use super::row::{CREDENTIALS, DEPLOYMENTS, unopened};
use crate::audit::{By, Difference, Object, record};
use crate::batch::{Statement, Value};
use crate::transaction::Transaction;
use crate::vault::{CHECK_SETTING, Place, SealError, Vault};
use crate::{Db, StoreError};

/// Keeps every other writer of secrets away until the transaction ends, whichever their key is.
const LOCK_CHECK: &str = "UPDATE settings SET value = value WHERE name = $1 RETURNING value";
const PUT_CHECK: &str = "UPDATE settings SET value = $2 WHERE name = $1";
const DEPLOYMENT_SECRETS: &str = "SELECT id AS name, secrets FROM deployments \
     WHERE secrets <> '{}' ORDER BY id";
const CREDENTIAL_SECRETS: &str = "SELECT name, secrets FROM credentials \
     WHERE secrets <> '{}' ORDER BY name";
/// The rest of the row stays as it is, the instant of its last change included.
const PUT_DEPLOYMENT: &str = "UPDATE deployments SET secrets = $2 WHERE id = $1";
const PUT_CREDENTIAL: &str = "UPDATE credentials SET secrets = $2 WHERE name = $1";

/// What was sealed anew, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Deployments with a secret.
    pub deployments: usize,
    /// Credentials with a secret.
    pub credentials: usize,
    /// Their secrets.
    pub secrets: usize,
}

/// Why nothing was sealed anew.
#[derive(Debug, Error)]
pub enum ResealError {
    /// The secrets are sealed with the new key already.
    #[error("the secrets in the database are sealed with the new key already")]
    AlreadyDone,
    /// The old key does not open these.
    #[error("the old key does not open everything that is sealed in the database")]
    Unopened(Vec<UnreadableRow>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Db {
    /// Opens every secret with the old key and seals it with the new one, all in one transaction,
    /// and records by whom. Without `write` everything is tried and nothing is kept. Other gateways
    /// are not told: they go on with what they have read until they are started with the new key.
    ///
    /// # Errors
    /// [`ResealError`]; nothing is written then.
    pub async fn reseal(
        &self,
        (old, new): (&Vault, &Vault),
        by: &By,
        write: bool,
    ) -> Result<Resealed, ResealError> {
        let mut transaction = Transaction::begin(self).await?;
        let lock = Statement::new(LOCK_CHECK, [Value::from(CHECK_SETTING)]);
        let check = transaction.fetch(lock, |row| row.text("value")).await?;
        if check.first().is_some_and(|check| check == new.check()) {
            return Err(ResealError::AlreadyDone);
        }
        let mut resealing = Resealing { keys: (old, new), secrets: 0, unopened: Vec::new() };
        let deployments = resealing.table(&mut transaction, DEPLOYMENTS, TABLES[0]).await?;
        let credentials = resealing.table(&mut transaction, CREDENTIALS, TABLES[1]).await?;
        if !resealing.unopened.is_empty() {
            return Err(ResealError::Unopened(resealing.unopened));
        }
        let resealed = Resealed { deployments, credentials, secrets: resealing.secrets };
        let values = [Value::from(CHECK_SETTING), Value::from(new.check())];
        transaction.execute(Statement::new(PUT_CHECK, values)).await?;
        if !write || resealed.secrets == 0 {
            transaction.roll_back().await?;
            return Ok(resealed);
        }
        let object = Object { kind: "salt_key", within: "", id: "" };
        let difference = Difference { before: Some(Map::new()), after: Some(resealed.described()) };
        record(&mut transaction, by, object, difference).await?;
        transaction.commit().await?;
        Ok(resealed)
    }
}

impl Resealed {
    fn described(self) -> Map<String, Json> {
        let counts = [
            ("deployments", self.deployments),
            ("credentials", self.credentials),
            ("secrets", self.secrets),
        ];
        counts.map(|(name, count)| (name.to_owned(), Json::from(count))).into_iter().collect()
    }
}

/// How each table's secrets are read and written.
const TABLES: [(&str, &str); 2] =
    [(DEPLOYMENT_SECRETS, PUT_DEPLOYMENT), (CREDENTIAL_SECRETS, PUT_CREDENTIAL)];

struct Resealing<'a> {
    keys: (&'a Vault, &'a Vault),
    secrets: usize,
    unopened: Vec<UnreadableRow>,
}

impl Resealing<'_> {
    /// Seals a table's secrets anew and says how many rows have any.
    async fn table(
        &mut self,
        transaction: &mut Transaction,
        (table, noun): (&'static str, &'static str),
        (list, put): (&'static str, &'static str),
    ) -> Result<usize, StoreError> {
        let read = |row: &dyn crate::db::Columns| Ok((row.text("name")?, row.text("secrets")?));
        let rows = transaction.fetch(Statement::new(list, []), read).await?;
        for (name, secrets) in &rows {
            match self.row((table, name), secrets) {
                Ok(sealed) => {
                    let values = [Value::from(name), Value::from(&sealed)];
                    transaction.execute(Statement::new(put, values)).await?;
                }
                Err(problem) => self.unopened.push(unopened(noun, name, problem)),
            }
        }
        Ok(rows.len())
    }

    /// The column of one row, sealed anew.
    fn row(
        &mut self,
        (table, row): (&'static str, &str),
        secrets: &str,
    ) -> Result<String, (String, SealError)> {
        let texts: BTreeMap<String, String> = serde_json::from_str(secrets)
            .map_err(|_| ("secrets".to_owned(), SealError::Malformed))?;
        let (old, new) = self.keys;
        let mut sealed = Map::new();
        for (field, text) in texts {
            let place = Place { table, row, field: &field };
            let secret = old.open(place, &text).map_err(|problem| (field.clone(), problem))?;
            let text = new.seal(place, &secret);
            sealed.insert(field, Json::from(text));
            self.secrets += 1;
        }
        Ok(Json::Object(sealed).to_string())
    }
}
