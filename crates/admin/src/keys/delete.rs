//! Keys are deleted.

use serde_json::{Value, json};
use tollgate_domain::KeyHash;
use tollgate_faults::{Reason, Refusal};

use super::{changeable, command, identified, permitted};
use crate::desk::Desk;
use crate::fields::{Change, Fields};
use crate::problem;
use crate::route::Route;
use crate::shape::{Shape, texts};

/// Most keys one request may delete.
const DELETED_MAX: usize = 500;

pub(super) fn routes() -> Vec<Route> {
    let fields = [texts("keys", "Their texts or hashes"), texts("key_aliases", "Their names")];
    vec![command("/key/delete", ("Delete keys, all or none", Shape::of(&fields)), delete)]
}

/// Deletes all the named keys, or none when one of them does not exist.
async fn delete(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let (hashes, named) = named_for_deletion(&desk, &fields).await?;
    for hash in &hashes {
        changeable(&desk, hash).await?;
    }
    let deleted = desk.edit().delete_keys(&hashes).await;
    deleted.map_err(|problem| problem::store(&problem))?;
    hashes.iter().for_each(|hash| desk.keys.forget(hash));
    Ok(json!({ "deleted_keys": named }))
}

/// The keys to delete, and how the answer names them: by alias as asked, else by hash.
async fn named_for_deletion(
    desk: &Desk,
    fields: &Fields,
) -> Result<(Vec<KeyHash>, Vec<String>), Refusal> {
    let (keys, aliases) = (fields.texts("keys")?, fields.texts("key_aliases")?);
    let mut hashes = Vec::new();
    let mut named = Vec::new();
    if let Change::Set(keys) = keys {
        for key in keys {
            let hash = identified(&key)?;
            named.push(hash.expose_hex());
            hashes.push(hash);
        }
    }
    if let Change::Set(aliases) = aliases {
        for alias in aliases {
            let found = desk.db.find_key_by_alias(&alias).await;
            let row = permitted(desk, found.map_err(|problem| problem::store(&problem))?)?;
            hashes.push(row.hash);
            named.push(alias);
        }
    }
    hashes.sort_unstable();
    hashes.dedup();
    if hashes.is_empty() || hashes.len() > DELETED_MAX {
        let message = format!("`keys` or `key_aliases` names 1 to {DELETED_MAX} keys");
        return Err(Refusal::new(Reason::FieldMissing, message).with_param("keys"));
    }
    Ok((hashes, named))
}
