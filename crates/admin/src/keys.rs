//! Virtual keys: made, shown, changed and deleted.

mod record;

use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tollgate_domain::{KeyHash, KeyId, Money, Timestamp, VirtualKey};
use tollgate_faults::{Reason, Refusal};
use tollgate_store::{InsertKeyError, KeyRow, LimitFields, UpdateKeyError};

use crate::fields::{Change, Fields};
use crate::gatekeeper::Actor;
use crate::keys::record::{CHANGEABLE, NOT_YET, apply, shown};
use crate::limits::LIMITS;
use crate::problem;
use crate::routes::{Admin, within_limit};

/// Randomness in a key made here, in bytes, as LiteLLM makes them.
const KEY_RANDOM_BYTES: usize = 16;
/// Randomness in a key's public identity, in bytes.
const ID_RANDOM_BYTES: usize = 12;
/// Most keys one request may delete.
const DELETED_MAX: usize = 500;
/// Who made or changed a key, when the master key did.
const MASTER: &str = "master";

/// `POST /key/generate`.
pub(crate) async fn generate(
    State(admin): State<Arc<Admin>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let result = generated(&admin, &headers, body).await;
    admin.answer(result)
}

async fn generated(
    admin: &Admin,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Value, Refusal> {
    admin.gatekeeper.identify(headers).await?.must_be_master()?;
    let fields = Fields::read(&within_limit(body)?, &supported(&["key"]), &NOT_YET)?;
    let key = match fields.parsed("key", VirtualKey::new)? {
        Change::Set(key) => key,
        Change::Unchanged | Change::Removed => fresh_key(admin)?,
    };
    let now = admin.clock.now();
    let mut row = blank(fresh_id(admin)?, &key, now);
    apply(&fields, &mut row, now)?;
    admin.db.insert_key(&row).await.map_err(|problem| match problem {
        InsertKeyError::AliasTaken => alias_taken(&row),
        InsertKeyError::KeyTaken => {
            Refusal::new(Reason::FieldWrongType, "`key`: this key exists").with_param("key")
        }
        InsertKeyError::Store(problem) => problem::store(&problem),
    })?;
    admin.keys.forget(&row.hash);
    let mut answer = shown(&row, Money::ZERO);
    let token = row.hash.expose_hex();
    answer.insert("key".to_owned(), json!(key.expose()));
    answer.insert("token_id".to_owned(), json!(&token));
    answer.insert("token".to_owned(), json!(token));
    Ok(Value::Object(answer))
}

/// The query of `GET /key/info`.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    key: Option<String>,
}

/// `GET /key/info`.
pub(crate) async fn info(
    State(admin): State<Arc<Admin>>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Response {
    let result = described(&admin, &headers, wanted.key.as_deref()).await;
    admin.answer(result)
}

async fn described(
    admin: &Admin,
    headers: &HeaderMap,
    wanted: Option<&str>,
) -> Result<Value, Refusal> {
    let actor = admin.gatekeeper.identify(headers).await?;
    let hash = match (&actor, wanted) {
        (_, Some(wanted)) => identified(wanted)?,
        (Actor::Key(own), None) => own.row.hash,
        (Actor::Master, None) => {
            return Err(
                Refusal::new(Reason::FieldMissing, "name a key with `?key=`").with_param("key")
            );
        }
    };
    if let Actor::Key(own) = &actor
        && !own.row.hash.matches(&hash)
    {
        let message = "a key may only ask about itself";
        return Err(Refusal::new(Reason::ManagementForbidden, message));
    }
    let record = admin
        .keys
        .find(&hash)
        .await
        .map_err(|problem| problem::store(&problem))?
        .ok_or_else(|| no_such_key("there is no such key"))?;
    Ok(json!({ "key": hash.expose_hex(), "info": shown(&record.row, admin.spent(&record)) }))
}

/// `POST /key/update`.
pub(crate) async fn update(
    State(admin): State<Arc<Admin>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let result = updated(&admin, &headers, body).await;
    admin.answer(result)
}

async fn updated(
    admin: &Admin,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Value, Refusal> {
    admin.gatekeeper.identify(headers).await?.must_be_master()?;
    let fields = Fields::read(&within_limit(body)?, &supported(&["key"]), &NOT_YET)?;
    let Change::Set(hash) = fields.parsed("key", read_identifier)? else {
        return Err(
            Refusal::new(Reason::FieldMissing, "`key` names the key to change").with_param("key")
        );
    };
    let found = admin.db.find_key(&hash).await.map_err(|problem| problem::store(&problem))?;
    let mut row = found.ok_or_else(|| no_such_key("there is no such key; nothing was changed"))?;
    let now = admin.clock.now();
    apply(&fields, &mut row, now)?;
    row.updated_at = now;
    row.updated_by = Some(MASTER.to_owned());
    let changed = admin.db.update_key(&row).await.map_err(|problem| match problem {
        UpdateKeyError::AliasTaken => alias_taken(&row),
        UpdateKeyError::KeyTaken => no_such_key("the key changed in the meantime"),
        UpdateKeyError::Store(problem) => problem::store(&problem),
    })?;
    admin.keys.forget(&hash);
    if !changed {
        return Err(no_such_key("the key was deleted in the meantime"));
    }
    let record = admin.keys.find(&hash).await;
    let spent = record.ok().flatten().map_or(Money::ZERO, |record| admin.spent(&record));
    let mut answer = shown(&row, spent);
    answer.insert("key".to_owned(), json!(hash.expose_hex()));
    Ok(Value::Object(answer))
}

/// `POST /key/delete`.
pub(crate) async fn delete(
    State(admin): State<Arc<Admin>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let result = deleted(&admin, &headers, body).await;
    admin.answer(result)
}

/// Deletes all the named keys, or none when one of them does not exist.
async fn deleted(
    admin: &Admin,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Value, Refusal> {
    admin.gatekeeper.identify(headers).await?.must_be_master()?;
    let fields = Fields::read(&within_limit(body)?, &["keys", "key_aliases"], &[])?;
    let (hashes, named) = named_for_deletion(admin, &fields).await?;
    for hash in &hashes {
        let found = admin.db.find_key(hash).await.map_err(|problem| problem::store(&problem))?;
        found.ok_or_else(|| no_such_key("one of the keys does not exist; nothing was deleted"))?;
    }
    let now = admin.clock.now();
    admin
        .db
        .delete_keys(&hashes, now, Some(MASTER))
        .await
        .map_err(|problem| problem::store(&problem))?;
    for hash in &hashes {
        admin.keys.forget(hash);
    }
    Ok(json!({ "deleted_keys": named }))
}

/// The keys to delete, and how the answer names them: by alias as asked, else by hash.
async fn named_for_deletion(
    admin: &Admin,
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
            let found = admin.db.find_key_by_alias(&alias).await;
            let row = found.map_err(|problem| problem::store(&problem))?;
            let row = row.ok_or_else(|| {
                no_such_key("one of the aliases names no key; nothing was deleted")
            })?;
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

fn supported(more: &[&'static str]) -> Vec<&'static str> {
    CHANGEABLE.iter().chain(&LIMITS).chain(more).copied().collect()
}

fn blank(id: KeyId, key: &VirtualKey, now: Timestamp) -> KeyRow {
    KeyRow {
        id,
        hash: key.hash(),
        name: key.display_name(),
        alias: None,
        user: None,
        team: None,
        organization: None,
        models: Vec::new(),
        project: None,
        limits: LimitFields::default(),
        budget: None,
        expires_at: None,
        blocked: false,
        metadata: Map::new(),
        created_at: now,
        created_by: Some(MASTER.to_owned()),
        updated_at: now,
        updated_by: Some(MASTER.to_owned()),
    }
}

fn fresh_key(admin: &Admin) -> Result<VirtualKey, Refusal> {
    let mut bytes = [0; KEY_RANDOM_BYTES];
    admin.random.fill(&mut bytes);
    VirtualKey::new(&format!("sk-{}", URL_SAFE_NO_PAD.encode(bytes)))
        .map_err(|problem| Refusal::new(Reason::GatewayBug, problem.to_string()))
}

fn fresh_id(admin: &Admin) -> Result<KeyId, Refusal> {
    let mut bytes = [0; ID_RANDOM_BYTES];
    admin.random.fill(&mut bytes);
    KeyId::new(&format!("key_{}", URL_SAFE_NO_PAD.encode(bytes)))
        .map_err(|problem| Refusal::new(Reason::GatewayBug, problem.to_string()))
}

/// A key named by its text or by its hash.
pub(crate) fn read_identifier(text: &str) -> Result<KeyHash, &'static str> {
    if text.starts_with("sk-") {
        return Ok(KeyHash::of(text));
    }
    KeyHash::parse_hex(text).ok_or("expected a key (`sk-…`) or its hash of 64 hexadecimal digits")
}

fn identified(text: &str) -> Result<KeyHash, Refusal> {
    read_identifier(text).map_err(|problem| problem::wrong("key", problem))
}

pub(crate) fn no_such_key(message: &str) -> Refusal {
    Refusal::new(Reason::KeyNotFound, message).with_param("key")
}

fn alias_taken(row: &KeyRow) -> Refusal {
    let alias = problem::echo(row.alias.as_deref().unwrap_or_default());
    Refusal::new(Reason::KeyAliasTaken, format!("another key is called `{alias}`"))
        .with_param("key_alias")
}
