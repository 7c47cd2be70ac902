//! LiteLLM's routes of its response cache. There is none, and they say so.

use serde_json::Value;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Audience;

use crate::asked::Asked;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::route::Route;
use crate::shape::{Shape, texts};

/// LiteLLM's kind of error for it.
const KIND: &str = "cache_ping_error";
const ABOUT: &str = "Refused: answers are not cached";

pub(super) fn routes() -> Vec<Route> {
    let keys = Shape::of(&[texts("keys", "The entries")]);
    let question = |path| Route::question(path, Audience::Admins, (ABOUT, &[]), asked);
    let command =
        |path, takes| Route::command(("POST", path), Audience::Admins, (ABOUT, takes), changed);
    let refused = |path| Route::refused((("POST", path), Audience::Admins, ABOUT), &[], unkept);
    vec![
        Route::question("/cache/settings", Audience::Admins, (ABOUT, &[]), settings),
        refused("/cache/settings"),
        refused("/cache/settings/test"),
        question("/cache/ping"),
        question("/cache/redis/info"),
        command("/cache/delete", keys),
        command("/cache/flushall", Shape::default()),
    ]
}

async fn asked(_: Desk, _: Asked) -> Result<Value, Refusal> {
    Err(none())
}

async fn changed(_: Desk, _: Fields) -> Result<Value, Refusal> {
    Err(none())
}

async fn settings(_: Desk, _: Asked) -> Result<Value, Refusal> {
    Err(unkept())
}

/// Nothing went wrong here, as it has with a cache that does not answer.
fn unkept() -> Refusal {
    let message = "this gateway keeps no answers to give them again";
    Refusal::new(Reason::ParameterUnsupported, message)
        .with_fix("nothing is cached, so there is nothing to set")
}

fn none() -> Refusal {
    let message = "Cache not initialized: this gateway keeps no answers to give them again";
    Refusal::new(Reason::ParameterUnsupported, message)
        .with_status(503)
        .with_kind(KIND)
        .with_fix("nothing is cached, so there is nothing to ask or to delete")
}
