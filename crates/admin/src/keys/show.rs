//! Keys as they are shown, one or several.

use serde_json::{Value, json};
use tollgate_domain::KeyHash;
use tollgate_faults::Refusal;
use tollgate_policy::{Audience, Scope};
use tollgate_store::KeyRow;

use super::record::shown;
use super::{account, identified, no_such_key, scope};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::gatekeeper::Actor;
use crate::problem;
use crate::route::Route;
use crate::shape::{Shape, text, texts};

/// Most keys that one request asks for.
const ASKED_MAX: usize = 500;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::question(
            "/key/info",
            Audience::Keys,
            ("A key; the caller's unless another is named", &[text("key", "The key or its hash")]),
            info,
        ),
        Route::lookup(
            "/v2/key/info",
            Audience::Keys,
            ("Keys", Shape::of(&[texts("keys", "Their texts or hashes").required()])),
            infos,
        ),
        Route::lookup(
            "/key/health",
            Audience::Keys,
            ("Whether the calling key can be used", Shape::default()),
            health,
        ),
    ]
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
    let Some(row) = found(&desk, &hash).await? else {
        // Whoever may not see keys does not learn which there are.
        desk.must_see(Scope::Gateway)?;
        return Err(no_such_key("there is no such key"));
    };
    desk.must_see(scope(&row))?;
    let account = account(&desk, &row).await?;
    Ok(json!({ "key": hash.expose_hex(), "info": shown(&row, &account) }))
}

/// The key with this hash, or whose text had it before and is still taken.
async fn found(desk: &Desk, hash: &KeyHash) -> Result<Option<KeyRow>, Refusal> {
    let own = desk.db.find_key(hash).await.map_err(|problem| problem::store(&problem))?;
    if own.is_some() {
        return Ok(own);
    }
    let retired =
        desk.db.find_retired_key(hash).await.map_err(|problem| problem::store(&problem))?;
    Ok(retired.filter(|(_, until)| desk.clock.now() < *until).map(|(row, _)| row))
}

/// Several keys; those that the caller may not see are left out, like those that there are not.
async fn infos(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let asked = fields.texts("keys")?.value().unwrap_or_default();
    if asked.is_empty() || asked.len() > ASKED_MAX {
        let message = format!("`keys` names 1 to {ASKED_MAX} keys");
        return Err(problem::missing("keys", &message));
    }
    let (mut keys, mut infos) = (Vec::new(), Vec::new());
    for text in &asked {
        let hash = identified(text)?;
        let found = found(&desk, &hash).await?;
        let Some(row) = found.filter(|row| desk.may_see(scope(row))) else { continue };
        keys.push(hash.expose_hex());
        let account = account(&desk, &row).await?;
        infos.push(Value::Object(shown(&row, &account)));
    }
    Ok(json!({ "key": keys, "info": infos }))
}

/// Whoever is answered here could call: a key that cannot is refused before.
async fn health(_: Desk, _: Fields) -> Result<Value, Refusal> {
    let callbacks = json!({
        "callbacks": [],
        "status": "healthy",
        "details": "no key has logging callbacks of its own",
    });
    Ok(json!({ "key": "healthy", "logging_callbacks": callbacks }))
}
