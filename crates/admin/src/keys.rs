//! Virtual keys: made, shown, changed and deleted.

mod list;
mod record;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use tollgate_domain::{Attribution, KeyHash, KeyId, Level, UserId, VirtualKey};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Audience, KeyScope, Scope};
use tollgate_store::{InsertKeyError, KeyRow, LimitFields, UpdateKeyError};

use crate::account::Account;
use crate::asked::Asked;
use crate::desk::Desk;
use crate::fields::{Change, Fields};
use crate::gatekeeper::Actor;
use crate::keys::record::{CHANGEABLE, NOT_YET, apply, shown};
use crate::limits::LIMITS;
use crate::problem;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, Shape, text, texts};

pub(crate) use list::listed;
pub(crate) use record::{alias, empty, models};

/// Randomness in a key made here, in bytes, as LiteLLM makes them.
const KEY_RANDOM_BYTES: usize = 16;
/// Randomness in a key's public identity, in bytes.
const ID_RANDOM_BYTES: usize = 12;
/// Most keys one request may delete.
const DELETED_MAX: usize = 500;
/// The field that names a key.
const KEY: Field = text("key", "The key's text or its hash").required();

pub(crate) fn routes() -> Vec<Route> {
    let own = text("key", "The key's text; a fresh one where it is left out");
    vec![
        Route::question(
            "/key/info",
            Audience::Keys,
            ("A key; the caller's unless another is named", &[text("key", "The key or its hash")]),
            info,
        ),
        Route::command(
            ("POST", "/key/generate"),
            Audience::Admins,
            ("Make a key", shape(own)),
            generate,
        ),
        Route::command(
            ("POST", "/key/update"),
            Audience::Admins,
            ("Change a key", shape(KEY)),
            update,
        ),
        Route::command(
            ("POST", "/key/delete"),
            Audience::Managers,
            (
                "Delete keys, all or none",
                Shape::of(&[
                    texts("keys", "Their texts or hashes"),
                    texts("key_aliases", "Their names"),
                ]),
            ),
            delete,
        ),
        Route::command(
            ("POST", "/key/block"),
            Audience::Admins,
            ("Refuse every call of a key", Shape::of(&[KEY])),
            |desk, fields| block(desk, fields, true),
        ),
        Route::command(
            ("POST", "/key/unblock"),
            Audience::Admins,
            ("Let a key call again", Shape::of(&[KEY])),
            |desk, fields| block(desk, fields, false),
        ),
        Route::question(
            "/key/list",
            Audience::Keys,
            ("Keys, page by page", &list::NAMES),
            list::list,
        ),
    ]
}

fn shape(key: Field) -> Shape {
    Shape::of(&[key]).and(&CHANGEABLE).and(&LIMITS).but_not(&NOT_YET)
}

/// What a request about a key is about.
pub(crate) fn scope(row: &KeyRow) -> Scope<'_> {
    Scope::Key(KeyScope {
        id: Some(&row.id),
        user: row.user.as_ref(),
        team: row.team.as_ref(),
        organization: row.organization.as_ref(),
    })
}

/// The same of a key in memory.
pub(crate) fn scope_of(key: &Attribution) -> Scope<'_> {
    Scope::Key(KeyScope {
        id: Some(&key.key),
        user: key.user.as_ref(),
        team: key.team.as_ref(),
        organization: key.organization.as_ref(),
    })
}

async fn generate(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let key = match fields.parsed("key", VirtualKey::new)? {
        Change::Set(key) => key,
        Change::Unchanged | Change::Removed => fresh_key(&desk)?,
    };
    let mut row = blank(&desk, fresh_id(&desk)?, &key);
    apply(&fields, &mut row, desk.clock.now())?;
    complete(&desk, &fields, &mut row).await?;
    desk.must_change(scope(&row))?;
    Ok(Value::Object(insert(&desk, &row, &key).await?))
}

/// Makes a key for a user.
pub(crate) async fn make_for(desk: &Desk, user: UserId) -> Result<Map<String, Value>, Refusal> {
    let key = fresh_key(desk)?;
    let row = blank(desk, fresh_id(desk)?, &key);
    insert(desk, &KeyRow { user: Some(user), ..row }, &key).await
}

/// Stores a new key. Its text is shown this once.
async fn insert(
    desk: &Desk,
    row: &KeyRow,
    key: &VirtualKey,
) -> Result<Map<String, Value>, Refusal> {
    desk.edit().insert_key(row).await.map_err(|problem| match problem {
        InsertKeyError::AliasTaken => alias_taken(row),
        InsertKeyError::KeyTaken => {
            Refusal::new(Reason::FieldWrongType, "`key`: this key exists").with_param("key")
        }
        InsertKeyError::Store(problem) => problem::store(&problem),
    })?;
    desk.keys.forget(&row.hash);
    let mut answer = shown(row, &account(desk, row).await?);
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

/// `GET /key/info`: the caller's key, or another that they may see.
async fn info(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let hash = match (desk.actor(), asked.text("key")) {
        (_, Some(named)) => identified(named)?,
        (Actor::Key(own), None) => own.hash,
        (Actor::Master, None) => {
            return Err(problem::missing("key", "name a key with `?key=`"));
        }
    };
    let found = desk.db.find_key(&hash).await.map_err(|problem| problem::store(&problem))?;
    let Some(row) = found else {
        // Whoever may not see keys does not learn which there are.
        desk.must_see(Scope::Gateway)?;
        return Err(no_such_key("there is no such key"));
    };
    desk.must_see(scope(&row))?;
    let account = account(&desk, &row).await?;
    Ok(json!({ "key": hash.expose_hex(), "info": shown(&row, &account) }))
}

async fn update(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let mut row = named(&desk, &fields).await?;
    apply(&fields, &mut row, desk.clock.now())?;
    complete(&desk, &fields, &mut row).await?;
    save(&desk, &mut row).await?;
    let mut answer = shown(&row, &account(&desk, &row).await?);
    answer.insert("key".to_owned(), json!(row.hash.expose_hex()));
    Ok(Value::Object(answer))
}

async fn block(desk: Desk, fields: Fields, blocked: bool) -> Result<Value, Refusal> {
    let mut row = named(&desk, &fields).await?;
    row.blocked = blocked;
    save(&desk, &mut row).await?;
    let mut answer = shown(&row, &account(&desk, &row).await?);
    answer.insert("token".to_owned(), json!(row.hash.expose_hex()));
    Ok(Value::Object(answer))
}

/// The key that a request is to change.
async fn named(desk: &Desk, fields: &Fields) -> Result<KeyRow, Refusal> {
    let hash = fields.required("key", read_identifier)?;
    changeable(desk, &hash).await
}

/// A key that there is, and that the caller may change.
async fn changeable(desk: &Desk, hash: &KeyHash) -> Result<KeyRow, Refusal> {
    let found = desk.db.find_key(hash).await.map_err(|problem| problem::store(&problem))?;
    let Some(row) = found else {
        desk.must_change(Scope::Gateway)?;
        return Err(no_such_key("there is no such key; nothing was changed"));
    };
    desk.must_change(scope(&row))?;
    Ok(row)
}

/// Stores a changed key.
async fn save(desk: &Desk, row: &mut KeyRow) -> Result<(), Refusal> {
    let changed = desk.edit().update_key(row).await.map_err(|problem| match problem {
        UpdateKeyError::AliasTaken => alias_taken(row),
        UpdateKeyError::KeyTaken => no_such_key("the key changed in the meantime"),
        UpdateKeyError::Store(problem) => problem::store(&problem),
    })?;
    desk.keys.forget(&row.hash);
    let deleted = || no_such_key("the key was deleted in the meantime");
    problem::replaced(changed)?.ok_or_else(deleted)
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

fn blank(desk: &Desk, id: KeyId, key: &VirtualKey) -> KeyRow {
    let (now, by) = (desk.clock.now(), Some(desk.name()));
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
        created_by: by.clone(),
        updated_at: now,
        updated_by: by,
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
