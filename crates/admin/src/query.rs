//! What the queries of usage and of the log have in common.

use tollgate_faults::{Reason, Refusal};
use tollgate_store::KeyRecord;

use crate::gatekeeper::Actor;
use crate::keys::{no_such_key, read_identifier};
use crate::problem;
use crate::routes::Admin;

/// A whole number above zero.
pub(crate) fn number(field: &str, text: Option<&str>, usual: usize) -> Result<usize, Refusal> {
    let Some(text) = text else { return Ok(usual) };
    let read = text.parse().ok().filter(|number| *number > 0);
    read.ok_or_else(|| problem::wrong(field, "expected a whole number above zero"))
}

/// The id of the key that `?api_key=` names, or of the key that asks; `None` when the master key
/// names none.
///
/// # Errors
/// Refused when a key asks about another one, or there is no such key.
pub(crate) async fn key_id(
    admin: &Admin,
    actor: &Actor,
    named: Option<&str>,
) -> Result<Option<String>, Refusal> {
    let named = named.map(read_identifier).transpose();
    let named = named.map_err(|problem| problem::wrong("api_key", problem))?;
    let id = |key: &KeyRecord| Some(key.attribution.key.as_str().to_owned());
    match (actor, named) {
        (Actor::Key(own), named) if named.is_none_or(|hash| own.hash.matches(&hash)) => Ok(id(own)),
        (Actor::Key(_), _) => Err(forbidden("a key may only ask about itself")),
        (Actor::Master, None) => Ok(None),
        (Actor::Master, Some(hash)) => {
            let found = admin.keys.find(&hash).await.map_err(|problem| problem::store(&problem))?;
            let record = found.ok_or_else(|| no_such_key("there is no such key"))?;
            Ok(id(&record))
        }
    }
}

/// The caller may not ask this.
pub(crate) fn forbidden(message: &str) -> Refusal {
    Refusal::new(Reason::ManagementForbidden, message)
}
