//! LiteLLM's own client and command line, unmodified, on our management API.

use serde_json::json;

use crate::clients::python;
use crate::stage::Stage;

#[tokio::test]
async fn litellm_s_client_and_its_commands_manage_this_gateway() {
    let stage = Stage::new().await;
    let task = json!({
        "base_url": stage.gateway.base_url(),
        "api_key": stage.gateway.master_key(),
    });
    let seen = python("litellm_client.py", &task).await;
    let client = &seen["client"];
    assert_eq!(client["models"], json!(["chat"]));
    assert_eq!(client["listed"], json!(["from-litellm"]), "{seen:#}");
    assert_eq!(client["info"]["user_id"], "ada", "{seen:#}");
    assert_eq!(client["updated"]["models"], json!(["chat"]), "{seen:#}");
    assert_eq!(client["users"], json!(["ada"]), "{seen:#}");
    assert_eq!(client["teams"], json!(["loom"]), "{seen:#}");
    assert_eq!(client["unauthorized"], true, "{seen:#}");
    assert_eq!(client["left"], json!([]), "{seen:#}");
    let commands = &seen["commands"];
    for (name, says) in [
        ("models list", "chat"),
        ("keys generate", "sk-"),
        ("keys list", "by-command"),
        ("keys delete", "by-command"),
        ("users list", "ada"),
        ("teams list", "loom"),
    ] {
        let said = commands[name].as_str().unwrap_or_else(|| panic!("{name} failed: {seen:#}"));
        assert!(said.contains(says), "{name}: {said}");
    }
}
