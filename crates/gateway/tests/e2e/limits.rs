//! Whoever limits bind, at every level of the tree: what is managed over HTTP binds the next call.

mod billing;
mod changes;
mod customers;
mod edges;
mod grants;
mod lists;
mod members;
mod race;
mod rates;
mod round_trips;
mod shared;
mod tags;
mod teams;
mod users;
mod windows;

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Fault, Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText, OUTPUT_PRICE};
use tollgate_testkit::gateway::Home;
use tollgate_testkit::http::Answer;

use crate::stage::{CHAT, GROUP, Key, Stage, Storage};

/// What a call of these stories costs in nano-dollars: sixteen output tokens. It can cost no more,
/// so that what is held for a call is what it will have cost, and no story depends on when a call
/// settles.
const CALL_NANOS: i64 = 16 * 2_000;

/// A gateway whose groups answer with sixteen tokens, which alone cost money. `slow` falls silent
/// after the first of them.
async fn stage() -> Stage {
    furnished(|config| config, |home| home).await
}

/// The same with this in its configuration and in its home.
async fn furnished(
    config: impl FnOnce(ConfigText) -> ConfigText,
    furnish: impl FnOnce(Home) -> Home,
) -> Stage {
    let slow = Behaviour { fault: Fault::Stall { after_tokens: 1 }, ..Behaviour::default() };
    let script = Script::new(Behaviour::default()).for_model("slow", slow);
    let groups = |simulator: &Simulator| {
        let at = |model: &str| {
            DeploymentText::at(&simulator.base_url(), model).priced("0", OUTPUT_PRICE)
        };
        config(ConfigText::new().group(GROUP, &at("simulated")).group("slow", &at("slow")))
    };
    Stage::with(Storage::Sqlite, script, groups, furnish).await
}

/// The price of so many calls in dollars.
fn price_of(calls: i64) -> f64 {
    (calls * CALL_NANOS) as f64 / 1e9
}

/// What a management route answers to the master key.
async fn manage(stage: &Stage, path: &str, fields: Value) -> Value {
    stage.gateway.master().post(path, fields.to_string()).await.ok()
}

/// How a management route refuses the master key.
async fn refused(stage: &Stage, path: &str, fields: Value) -> (u16, String) {
    stage.gateway.master().post(path, fields.to_string()).await.refusal()
}

/// What a question gets as its answer.
async fn ask(stage: &Stage, path: &str) -> Value {
    stage.gateway.master().get(path).await.ok()
}

/// One call with more fields in its body.
async fn call_with(key: &Key, more: Value) -> Answer {
    let mut body = json!({
        "model": GROUP,
        "max_tokens": 16,
        "messages": [{"role": "user", "content": "one two three"}],
    });
    let fields = more.as_object().cloned().expect("an object");
    body.as_object_mut().expect("an object").extend(fields);
    key.client.post(CHAT, body.to_string()).await
}

async fn call(key: &Key) -> Answer {
    call_with(key, json!({})).await
}

/// One call that has to be served.
#[track_caller]
fn served(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// One call that no budget has the money for, and whose budget that is.
#[track_caller]
fn too_dear(answer: &Answer, whose: &str) {
    let (status, reason) = answer.refusal();
    assert!(status == 429 && reason.starts_with("budget_"), "{status} {reason}");
    let message = answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains(whose), "{message}");
}
