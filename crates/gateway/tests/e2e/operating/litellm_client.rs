//! LiteLLM's own client and command line, unmodified, on our management API.

use serde_json::{Value, json};
use tollgate_simulator::{Script, Simulator};
use tollgate_testkit::config_text::ConfigText;

use crate::clients::python;
use crate::stage::{GROUP, Stage, Storage};

/// The credential of the deployments that are made.
const SECRET: &str = "sk-made-by-the-client-of-others";

#[tokio::test]
async fn litellm_s_client_and_its_commands_manage_this_gateway() {
    let config = |simulator: &Simulator| {
        let text = ConfigText::simulated(GROUP, simulator);
        text.setting("general_settings", "store_model_in_db: true")
    };
    let stage = Stage::with(Storage::Sqlite, Script::default(), config, |home| home).await;
    let task = json!({
        "base_url": stage.gateway.base_url(),
        "api_key": stage.gateway.master_key(),
        "upstream": stage.simulator.base_url(),
        "secret": SECRET,
    });
    let seen = python("litellm_client.py", &task).await;
    assert!(!seen.to_string().contains(SECRET), "{seen:#}");
    let client = &seen["client"];
    people(client);
    models(client);
    commands(&seen["commands"]);
    let calls = stage.simulator.calls().kept();
    let sent = calls.iter().filter_map(|call| call.header("authorization"));
    assert_eq!(sent.collect::<Vec<_>>(), [format!("Bearer {SECRET}")]);
}

fn people(client: &Value) {
    for (name, expected) in [
        ("models", json!(["chat"])),
        ("listed", json!(["from-litellm"])),
        ("users", json!(["ada"])),
        ("user_v2", json!("ada")),
        ("teams", json!(["loom"])),
        ("teams_v2", json!([1, ["loom"]])),
        ("available", json!([])),
        ("unauthorized", json!(true)),
        ("left", json!([])),
    ] {
        assert_eq!(client[name], expected, "{name}: {client:#}");
    }
    assert_eq!(client["info"]["user_id"], "ada", "{client:#}");
    assert_eq!(client["updated"]["models"], json!(["chat"]), "{client:#}");
}

fn models(client: &Value) {
    let masked = json!("sk-m****hers");
    for (name, expected) in [
        (
            "credential_made",
            json!({ "success": true, "message": "Credential created successfully" }),
        ),
        ("model_made", json!(["one", "added"])),
        ("called", json!("assistant")),
        ("model_changed", json!(9)),
        ("model_info", json!(["added", "chat"])),
        ("models_v2", json!([1, "one"])),
        ("groups", json!(["added", "chat"])),
        ("model_deleted", json!("Model: one deleted successfully")),
        ("models_left", json!(["chat"])),
    ] {
        assert_eq!(client[name], expected, "{name}: {client:#}");
    }
    assert_eq!(client["credentials"], json!([client["credential"]]));
    assert_eq!(client["credential"]["credential_values"]["api_key"], masked, "{client:#}");
    assert_eq!(client["model"]["litellm_credential_name"], "kept");
}

fn commands(commands: &Value) {
    for (name, says) in [
        ("models list", "chat"),
        ("keys generate", "sk-"),
        ("keys list", "by-command"),
        ("keys delete", "by-command"),
        ("users list", "ada"),
        ("users get", "ada"),
        ("teams list", "loom"),
        ("teams available", ""),
        ("credentials create", "created successfully"),
        ("credentials list", "by-command"),
        ("credentials get", "by-command"),
        ("models add", "commanded"),
        ("models info", "commanded"),
        ("models get", "by-command"),
        ("models update", "engine"),
        ("model-groups list", "commanded"),
        ("models delete", "Model: two deleted successfully"),
        ("credentials delete", "deleted successfully"),
    ] {
        let said = commands[name].as_str().unwrap_or_else(|| panic!("{name} failed: {commands:#}"));
        assert!(said.contains(says), "{name}: {said}");
    }
}
