//! What the queries of usage and of the log have in common.

use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Scope;
use tollgate_store::KeyRecord;

use crate::desk::Desk;
use crate::gatekeeper::Actor;
use crate::keys::{self, no_such_key, read_identifier};
use crate::problem;

/// The id of the key that `?api_key=` names, or of the key that asks; `None` when whoever sees
/// everything names none.
///
/// # Errors
/// Refused when there is no such key, or it is not the caller's to see.
pub(crate) async fn key_id(desk: &Desk, named: Option<&str>) -> Result<Option<String>, Refusal> {
    let id = |key: &KeyRecord| Some(key.attribution.key.as_str().to_owned());
    let Some(named) = named else {
        return Ok(match desk.actor() {
            Actor::Key(own) if !desk.by.sees_all() => id(own),
            _ => None,
        });
    };
    let hash = read_identifier(named).map_err(|problem| problem::wrong("api_key", problem))?;
    let found = desk.keys.find(&hash).await.map_err(|problem| problem::store(&problem))?;
    let Some(record) = found else {
        desk.must_see(Scope::Gateway)?;
        return Err(no_such_key("there is no such key"));
    };
    desk.must_see(keys::scope_of(&record.attribution))?;
    Ok(id(&record))
}

/// The caller may not ask this.
pub(crate) fn forbidden(message: &str) -> Refusal {
    Refusal::new(Reason::ManagementForbidden, message)
}
