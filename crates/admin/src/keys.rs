//! Virtual keys: made, shown, changed and deleted.

mod list;
mod record;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tollgate_domain::{KeyHash, KeyId, Level, Timestamp, UserId, VirtualKey};
use tollgate_faults::{Reason, Refusal};
use tollgate_store::{InsertKeyError, KeyRow, LimitFields, UpdateKeyError};

use crate::account::Account;
use crate::fields::{Change, Fields};
use crate::gatekeeper::Actor;
use crate::keys::record::{CHANGEABLE, NOT_YET, apply, shown};
use crate::limits::LIMITS;
use crate::problem;
use crate::routes::{Admin, Route};

pub(crate) use list::listed;
pub(crate) use record::{alias, empty, models};

/// Randomness in a key made here, in bytes, as LiteLLM makes them.
const KEY_RANDOM_BYTES: usize = 16;
/// Randomness in a key's public identity, in bytes.
const ID_RANDOM_BYTES: usize = 12;
/// Most keys one request may delete.
const DELETED_MAX: usize = 500;
/// Who made or changed something, when the master key did.
pub(crate) const MASTER: &str = "master";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::command("POST", "/key/generate", generate),
        Route::command("POST", "/key/update", update),
        Route::command("POST", "/key/delete", delete),
        Route::command("POST", "/key/block", |admin, body| block(admin, body, true)),
        Route::command("POST", "/key/unblock", |admin, body| block(admin, body, false)),
        Route::question("/key/list", list::list),
    ]
}

async fn generate(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = Fields::read(&body, &supported(&["key"]), &NOT_YET)?;
    let key = match fields.parsed("key", VirtualKey::new)? {
        Change::Set(key) => key,
        Change::Unchanged | Change::Removed => fresh_key(&admin)?,
    };
    let now = admin.clock.now();
    let mut row = blank(fresh_id(&admin)?, &key, now);
    apply(&fields, &mut row, now)?;
    complete(&admin, &fields, &mut row).await?;
    Ok(Value::Object(insert(&admin, &row, &key).await?))
}

/// Makes a key for a user.
pub(crate) async fn make_for(admin: &Admin, user: UserId) -> Result<Map<String, Value>, Refusal> {
    let key = fresh_key(admin)?;
    let row = blank(fresh_id(admin)?, &key, admin.clock.now());
    insert(admin, &KeyRow { user: Some(user), ..row }, &key).await
}

/// Stores a new key. Its text is shown this once.
async fn insert(
    admin: &Admin,
    row: &KeyRow,
    key: &VirtualKey,
) -> Result<Map<String, Value>, Refusal> {
    admin.db.insert_key(row).await.map_err(|problem| match problem {
        InsertKeyError::AliasTaken => alias_taken(row),
        InsertKeyError::KeyTaken => {
            Refusal::new(Reason::FieldWrongType, "`key`: this key exists").with_param("key")
        }
        InsertKeyError::Store(problem) => problem::store(&problem),
    })?;
    admin.keys.forget(&row.hash);
    let mut answer = shown(row, &account(admin, row).await?);
    let token = row.hash.expose_hex();
    answer.insert("key".to_owned(), json!(key.expose()));
    answer.insert("token_id".to_owned(), json!(&token));
    answer.insert("token".to_owned(), json!(token));
    Ok(answer)
}

/// What depends on other rows: the shared budget has to exist, and a key that is put in a team
/// belongs to the team's organization unless the request names one. The team need not exist.
async fn complete(admin: &Admin, fields: &Fields, row: &mut KeyRow) -> Result<(), Refusal> {
    if fields.has("budget_id") {
        admin.must_have_budget(row.budget.as_ref()).await?;
    }
    if let (Some(team), true, false) =
        (&row.team, fields.has("team_id"), fields.has("organization_id"))
    {
        let team = admin.db.find_entity(Level::Team, "", team.as_str()).await;
        let team = team.map_err(|problem| problem::store(&problem))?;
        row.organization = team.and_then(|team| team.organization);
    }
    Ok(())
}

/// The money of a key; nothing when it was deleted in the meantime.
async fn account(admin: &Admin, row: &KeyRow) -> Result<Account, Refusal> {
    let record = admin.keys.find(&row.hash).await.map_err(|problem| problem::store(&problem))?;
    match record {
        Some(record) => admin.account(&record.own).await,
        None => Ok(Account::default()),
    }
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
        (Actor::Key(own), None) => own.hash,
        (Actor::Master, None) => {
            return Err(
                Refusal::new(Reason::FieldMissing, "name a key with `?key=`").with_param("key")
            );
        }
    };
    if let Actor::Key(own) = &actor
        && !own.hash.matches(&hash)
    {
        let message = "a key may only ask about itself";
        return Err(Refusal::new(Reason::ManagementForbidden, message));
    }
    let row = admin.db.find_key(&hash).await.map_err(|problem| problem::store(&problem))?;
    let row = row.ok_or_else(|| no_such_key("there is no such key"))?;
    let account = account(admin, &row).await?;
    Ok(json!({ "key": hash.expose_hex(), "info": shown(&row, &account) }))
}

async fn update(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = Fields::read(&body, &supported(&["key"]), &NOT_YET)?;
    let mut row = named(&admin, &fields).await?;
    apply(&fields, &mut row, admin.clock.now())?;
    complete(&admin, &fields, &mut row).await?;
    save(&admin, &mut row).await?;
    let mut answer = shown(&row, &account(&admin, &row).await?);
    answer.insert("key".to_owned(), json!(row.hash.expose_hex()));
    Ok(Value::Object(answer))
}

async fn block(admin: Arc<Admin>, body: Bytes, blocked: bool) -> Result<Value, Refusal> {
    let fields = Fields::read(&body, &["key"], &[])?;
    let mut row = named(&admin, &fields).await?;
    row.blocked = blocked;
    save(&admin, &mut row).await?;
    let mut answer = shown(&row, &account(&admin, &row).await?);
    answer.insert("token".to_owned(), json!(row.hash.expose_hex()));
    Ok(Value::Object(answer))
}

/// The key that a request is about.
async fn named(admin: &Admin, fields: &Fields) -> Result<KeyRow, Refusal> {
    let Change::Set(hash) = fields.parsed("key", read_identifier)? else {
        return Err(problem::missing("key", "`key` names the key to change"));
    };
    let found = admin.db.find_key(&hash).await.map_err(|problem| problem::store(&problem))?;
    found.ok_or_else(|| no_such_key("there is no such key; nothing was changed"))
}

/// Stores a changed key.
async fn save(admin: &Admin, row: &mut KeyRow) -> Result<(), Refusal> {
    row.updated_at = admin.clock.now();
    row.updated_by = Some(MASTER.to_owned());
    let changed = admin.db.update_key(row).await.map_err(|problem| match problem {
        UpdateKeyError::AliasTaken => alias_taken(row),
        UpdateKeyError::KeyTaken => no_such_key("the key changed in the meantime"),
        UpdateKeyError::Store(problem) => problem::store(&problem),
    })?;
    admin.keys.forget(&row.hash);
    if changed { Ok(()) } else { Err(no_such_key("the key was deleted in the meantime")) }
}

/// Deletes all the named keys, or none when one of them does not exist.
async fn delete(admin: Arc<Admin>, body: Bytes) -> Result<Value, Refusal> {
    let fields = Fields::read(&body, &["keys", "key_aliases"], &[])?;
    let (hashes, named) = named_for_deletion(&admin, &fields).await?;
    for hash in &hashes {
        let found = admin.db.find_key(hash).await.map_err(|problem| problem::store(&problem))?;
        found.ok_or_else(|| no_such_key("one of the keys does not exist; nothing was deleted"))?;
    }
    let deleted = admin.db.delete_keys(&hashes, admin.clock.now(), Some(MASTER)).await;
    deleted.map_err(|problem| problem::store(&problem))?;
    hashes.iter().for_each(|hash| admin.keys.forget(hash));
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
