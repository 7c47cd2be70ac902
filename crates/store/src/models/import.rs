//! Deployments and credentials of another gateway.

use super::edit::{self, confirm_key, finish, room};
use super::{
    CREDENTIALS_MAX, CredentialRow, DEPLOYMENTS_MAX, DeploymentRow, FIND_CREDENTIAL,
    FIND_DEPLOYMENT, WriteModelError,
};
use crate::audit::{By, Difference, Object, record};
use crate::batch::{Statement, Value};
use crate::editor::Editor;
use crate::imports::{LOCK, Written, judged};
use crate::transaction::Transaction;
use crate::vault::Vault;
use crate::{Db, StoreError};

/// What was last done with something.
const LAST_ACTION: &str = "SELECT action FROM audit_log WHERE kind = $1 AND object_id = $2 \
     ORDER BY number DESC LIMIT 1";

impl Editor<'_> {
    /// Writes deployments in one transaction and says what became of each, in their order. One that
    /// is here already is replaced only when its `updated_by` is still that of the one to write;
    /// one that was deleted here stays deleted. Each change is recorded.
    ///
    /// # Errors
    /// [`WriteModelError`]; none of them is written then.
    pub async fn import_deployments(
        &self,
        vault: &Vault,
        rows: &[DeploymentRow],
    ) -> Result<Vec<Written>, WriteModelError> {
        let mut transaction = Transaction::begin(self.db).await?;
        transaction.alone(LOCK).await?;
        let mut written = Vec::with_capacity(rows.len());
        for row in rows {
            written.push(deployment(&mut transaction, (self.by, vault), row).await?);
        }
        finish(transaction).await?;
        Ok(written)
    }

    /// The same of credentials.
    ///
    /// # Errors
    /// [`WriteModelError`]; none of them is written then.
    pub async fn import_credentials(
        &self,
        vault: &Vault,
        rows: &[CredentialRow],
    ) -> Result<Vec<Written>, WriteModelError> {
        let mut transaction = Transaction::begin(self.db).await?;
        transaction.alone(LOCK).await?;
        let mut written = Vec::with_capacity(rows.len());
        for row in rows {
            written.push(credential(&mut transaction, (self.by, vault), row).await?);
        }
        finish(transaction).await?;
        Ok(written)
    }
}

impl Db {
    /// How many of these deployments are here and open with this key; one that was deleted here is
    /// one that came over.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn count_imported_deployments(
        &self,
        vault: &Vault,
        rows: &[DeploymentRow],
    ) -> Result<usize, StoreError> {
        let mut found = 0;
        for row in rows {
            let here = match self.find_deployment(vault, row.id.as_str()).await? {
                Some(here) => here.is_ok(),
                None => self.was_deleted(edit::deployment(&row.id)).await?,
            };
            found += usize::from(here);
        }
        Ok(found)
    }

    /// The same of credentials.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn count_imported_credentials(
        &self,
        vault: &Vault,
        rows: &[CredentialRow],
    ) -> Result<usize, StoreError> {
        let mut found = 0;
        for row in rows {
            let here = match self.find_credential(vault, &row.name).await? {
                Some(here) => here.is_ok(),
                None => self.was_deleted(edit::credential(&row.name)).await?,
            };
            found += usize::from(here);
        }
        Ok(found)
    }

    async fn was_deleted(&self, object: Object<'_>) -> Result<bool, StoreError> {
        is_deleted(&mut Transaction::begin_to_read(self).await?, object).await
    }
}

async fn deployment(
    transaction: &mut Transaction,
    (by, vault): (&By, &Vault),
    row: &DeploymentRow,
) -> Result<Written, WriteModelError> {
    let find = Statement::new(FIND_DEPLOYMENT, [Value::from(row.id.as_str())]);
    let here = transaction.fetch(find, |row| DeploymentRow::read(row, vault)).await?.pop();
    let here = match here.transpose() {
        Ok(here) => here,
        // Whatever it is, an import did not leave it so.
        Err(_) => return Ok(Written::Kept),
    };
    let object = edit::deployment(&row.id);
    let written = judged(row, here.as_ref(), |row| &row.updated_by);
    let text = match written {
        Written::Inserted if is_deleted(transaction, object).await? => return Ok(Written::Deleted),
        Written::Inserted => {
            room(transaction, edit::COUNT_DEPLOYMENTS, DEPLOYMENTS_MAX).await?;
            edit::INSERT_DEPLOYMENT
        }
        Written::Updated => edit::UPDATE_DEPLOYMENT,
        _ => return Ok(written),
    };
    if !row.params.sealed.is_empty() {
        confirm_key(transaction, vault).await?;
    }
    let texts = row.texts(vault);
    if transaction.execute(Statement::new(text, row.values(&texts))).await? == 0 {
        return Ok(Written::Kept);
    }
    let before = here.as_ref().map(DeploymentRow::described);
    let difference = Difference { before, after: Some(row.described()) };
    record(transaction, by, object, difference).await?;
    Ok(written)
}

async fn credential(
    transaction: &mut Transaction,
    (by, vault): (&By, &Vault),
    row: &CredentialRow,
) -> Result<Written, WriteModelError> {
    let find = Statement::new(FIND_CREDENTIAL, [Value::from(&row.name)]);
    let here = transaction.fetch(find, |row| CredentialRow::read(row, vault)).await?.pop();
    let Ok(here) = here.transpose() else { return Ok(Written::Kept) };
    let object = edit::credential(&row.name);
    let written = judged(row, here.as_ref(), |row| &row.updated_by);
    let text = match written {
        Written::Inserted if is_deleted(transaction, object).await? => return Ok(Written::Deleted),
        Written::Inserted => {
            room(transaction, edit::COUNT_CREDENTIALS, CREDENTIALS_MAX).await?;
            edit::INSERT_CREDENTIAL
        }
        Written::Updated => edit::UPDATE_CREDENTIAL,
        _ => return Ok(written),
    };
    confirm_key(transaction, vault).await?;
    let texts = row.texts(vault);
    if transaction.execute(Statement::new(text, row.values(&texts))).await? == 0 {
        return Ok(Written::Kept);
    }
    let before = here.as_ref().map(CredentialRow::described);
    let difference = Difference { before, after: Some(row.described()) };
    record(transaction, by, object, difference).await?;
    Ok(written)
}

/// Whether something was here and somebody deleted it.
async fn is_deleted(transaction: &mut Transaction, object: Object<'_>) -> Result<bool, StoreError> {
    let find = Statement::new(LAST_ACTION, [Value::from(object.kind), Value::from(object.id)]);
    let actions = transaction.fetch(find, |row| row.text("action")).await?;
    Ok(actions.first().is_some_and(|action| action == "deleted"))
}
