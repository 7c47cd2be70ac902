//! Deployments and credentials that the management API keeps in the database.

mod access_groups;
mod credentials;
mod database;
mod keys;
mod nodes;
mod salt_key;

use http::Method;
use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Script, Simulator};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::Home;
use tollgate_testkit::http::{Answer, Client};

use crate::stage::{CALL, CHAT, GROUP, Key, Stage, Storage};

/// The credential of deployments that these stories add.
const SECRET: &str = "sk-kept-in-the-database-0123456789";
/// A model group that only the database has.
const ADDED: &str = "added";

/// One group in the file, and more may be added.
fn config(simulator: &Simulator) -> ConfigText {
    ConfigText::simulated(GROUP, simulator).setting("general_settings", "store_model_in_db: true")
}

async fn stage(storage: Storage, furnish: impl FnOnce(Home) -> Home) -> Stage {
    Stage::with(storage, Script::new(Behaviour::default()), config, furnish).await
}

/// What adds a deployment of [`ADDED`] with this id, which the simulator serves.
fn added(stage: &Stage, id: &str) -> Value {
    json!({
        "model_name": ADDED,
        "litellm_params": {
            "model": "openai_like/simulated",
            "api_base": stage.simulator.base_url(),
            "api_key": SECRET,
            "input_cost_per_token": 0.000001,
            "output_cost_per_token": 0.000002,
        },
        "model_info": { "id": id },
    })
}

async fn add(stage: &Stage, id: &str) -> Value {
    stage.gateway.master().post("/model/new", added(stage, id).to_string()).await.ok()
}

async fn send(client: &Client, method: Method, path: &str, body: &Value) -> Answer {
    client.try_whole(method, path, body.to_string().into()).await.expect("an answer")
}

/// What a call of [`ADDED`] gets: a status, and the reason of a refusal.
async fn call(client: &Client) -> (u16, String) {
    client.post(CHAT, CALL.replace(GROUP, ADDED)).await.refusal()
}

async fn calls(key: &Key, status: u16, reason: &str) {
    assert_eq!(call(&key.client).await, (status, reason.to_owned()));
}

/// The credentials that the simulator was called with.
fn sent(stage: &Stage) -> Vec<String> {
    let calls = stage.simulator.calls().kept();
    let sent = calls.iter().filter_map(|call| call.header("authorization"));
    sent.map(|value| value.trim_start_matches("Bearer ").to_owned()).collect()
}
