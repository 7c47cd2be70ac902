//! Keys are renewed: the same key with another text. What it spent and what it may stay.

use std::time::Duration;

use serde_json::Value;
use tollgate_domain::{VirtualKey, parse_lifetime};
use tollgate_faults::Refusal;
use tollgate_store::UpdateKeyError;

use super::change::alter;
use super::make::{fresh_key, key_taken, with_text};
use super::{KEY, ceiling, command, named, no_such_key, not_updated, shape};
use crate::desk::Desk;
use crate::fields::{Change, Fields};
use crate::problem;
use crate::route::Route;
use crate::shape::{Field, Shape, text};

/// What a renewal has beside the fields of a key.
const NEW: [Field; 2] = [
    text("new_key", "The new text; a fresh one where it is left out"),
    text("grace_period", "For how long the text before is taken too, such as `24h`"),
];

pub(super) fn routes() -> Vec<Route> {
    let about = "Give a key another text";
    ["/key/regenerate", "/key/{key}/regenerate"]
        .map(|path| command(path, (about, renewed()), regenerate))
        .into()
}

fn renewed() -> Shape {
    shape(KEY.required()).and(&NEW).but_not(&["new_master_key"])
}

async fn regenerate(desk: Desk, fields: Fields) -> Result<Value, Refusal> {
    let before = named(&desk, &fields).await?;
    ceiling::may_hold(&desk, &before).await?;
    let key = match fields.parsed("new_key", VirtualKey::new)? {
        Change::Set(key) => key,
        Change::Unchanged | Change::Removed => fresh_key(&desk)?,
    };
    let mut row = before.clone();
    alter(&desk, &fields, (&before, &mut row)).await?;
    (row.hash, row.name) = (key.hash(), key.display_name());
    let until = grace(&desk, &fields)?.map(|grace| desk.clock.now().plus(grace));
    let renewed = desk.edit().renew_key(&mut row, until).await;
    let renewed = renewed.map_err(|problem| match problem {
        UpdateKeyError::KeyTaken => key_taken(),
        problem => not_updated(&row, &problem),
    })?;
    desk.keys.forget(&before.hash);
    desk.keys.forget(&row.hash);
    let deleted = || no_such_key("the key was deleted in the meantime");
    problem::replaced(renewed)?.ok_or_else(deleted)?;
    Ok(Value::Object(with_text(&desk, &row, &key).await?))
}

/// How long the text before is still taken: as the request says, else as the operator does.
fn grace(desk: &Desk, fields: &Fields) -> Result<Option<Duration>, Refusal> {
    let asked = fields.parsed("grace_period", |text| match text {
        // What LiteLLM's clients send to end the text at once.
        "" | "0" | "0s" => Ok(None),
        text => parse_lifetime(text).map(Some),
    })?;
    Ok(match asked {
        Change::Set(grace) => grace,
        Change::Unchanged | Change::Removed => desk.gatekeeper.snapshot().settings.key_making.grace,
    })
}
