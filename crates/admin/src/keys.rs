//! Virtual keys: made, shown, changed, renewed and deleted.

mod bulk;
mod ceiling;
mod change;
mod delete;
mod list;
mod make;
mod making;
mod record;
mod renew;
mod show;

use serde_json::Value;
use tollgate_domain::{Attribution, KeyHash};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Audience, KeyScope, Scope};
use tollgate_store::{KeyRow, UpdateKeyError};

use crate::account::Account;
use crate::desk::Desk;
use crate::fields::{Change, Fields};
use crate::keys::record::{CHANGEABLE, NOT_YET};
use crate::limits::LIMITS;
use crate::problem;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, Shape, text};

pub(crate) use list::listed;
pub(crate) use make::make_for;
pub(crate) use record::{alias, aliases, empty, models};

/// The field that names a key.
const KEY: Field = text("key", "The key's text or its hash").naming();

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = show::routes();
    routes.extend(make::routes());
    routes.extend(change::routes());
    routes.extend(bulk::routes());
    routes.extend(renew::routes());
    routes.extend(delete::routes());
    routes.extend(list::routes());
    routes
}

/// A route that changes keys, for everybody who manages some of their own.
fn command<F, A>(path: &'static str, about: (&'static str, Shape), run: F) -> Route
where
    F: Fn(Desk, Fields) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<Value, Refusal>> + Send,
{
    Route::command(("POST", path), Audience::Managers, about, run)
}

/// The fields of a key beside this one.
fn shape(key: Field) -> Shape {
    Shape::of(&[key]).and(&CHANGEABLE).and(&LIMITS).but_not(&NOT_YET)
}

/// Whose a key is.
fn theirs(row: &KeyRow) -> KeyScope<'_> {
    KeyScope {
        id: Some(&row.id),
        user: row.user.as_ref(),
        team: row.team.as_ref(),
        organization: row.organization.as_ref(),
    }
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

/// What a request about a key is about.
pub(crate) fn scope(row: &KeyRow) -> Scope<'_> {
    Scope::Key(theirs(row))
}

/// The money of a key; nothing when it was deleted in the meantime.
async fn account(admin: &Admin, row: &KeyRow) -> Result<Account, Refusal> {
    let record = admin.keys.find(&row.hash).await.map_err(|problem| problem::store(&problem))?;
    match record {
        Some(record) => admin.account(&record.own).await,
        None => Ok(Account::default()),
    }
}

/// The key that a request is to change: by its text or hash, else by its name.
async fn named(desk: &Desk, fields: &Fields) -> Result<KeyRow, Refusal> {
    match (fields.parsed("key", read_identifier)?, fields.text("key_alias")?) {
        (Change::Set(hash), _) => changeable(desk, &hash).await,
        (_, Change::Set(alias)) => {
            let found = desk.db.find_key_by_alias(&alias).await;
            permitted(desk, found.map_err(|problem| problem::store(&problem))?)
        }
        _ => Err(problem::missing("key", "name a key by `key` or by `key_alias`")),
    }
}

/// A key that there is, and that the caller may change.
async fn changeable(desk: &Desk, hash: &KeyHash) -> Result<KeyRow, Refusal> {
    let found = desk.db.find_key(hash).await.map_err(|problem| problem::store(&problem))?;
    permitted(desk, found)
}

/// Whoever may not change keys does not learn which there are.
fn permitted(desk: &Desk, found: Option<KeyRow>) -> Result<KeyRow, Refusal> {
    let Some(row) = found else {
        desk.must_change(Scope::Gateway)?;
        return Err(no_such_key("there is no such key; nothing was changed"));
    };
    desk.must_change(scope(&row))?;
    Ok(row)
}

/// Stores a changed key.
async fn save(desk: &Desk, row: &mut KeyRow) -> Result<(), Refusal> {
    let changed =
        desk.edit().update_key(row).await.map_err(|problem| not_updated(row, &problem))?;
    desk.keys.forget(&row.hash);
    let deleted = || no_such_key("the key was deleted in the meantime");
    problem::replaced(changed)?.ok_or_else(deleted)
}

fn not_updated(row: &KeyRow, problem: &UpdateKeyError) -> Refusal {
    match problem {
        UpdateKeyError::AliasTaken => alias_taken(row),
        UpdateKeyError::KeyTaken => no_such_key("the key changed in the meantime"),
        UpdateKeyError::Store(problem) => problem::store(problem),
    }
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
