//! A picture that a client names by its address, before an upstream that wants its bytes.

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_simulator::{Replay, Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText, INPUT_PRICE, OUTPUT_PRICE};

use crate::stage::{CHAT, GROUP, Stage, Storage};

/// The upstream's answer on its own API, and on other paths what is fetched from it.
fn answer(path: &str, _: &[u8]) -> Replay {
    let said = json!({"model": "m", "message": {"role": "assistant", "content": "a cat"},
        "done": true, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2});
    match path {
        "/cat" => Replay::new("image/png", [Bytes::from_static(b"meow")]),
        "/page" => Replay::new("text/html", [Bytes::from_static(b"<p>")]),
        _ => Replay::new("application/json", [said.to_string().into()]),
    }
}

async fn stage(fetch: &str) -> Stage {
    let config = |simulator: &Simulator| {
        let base = simulator.base_url();
        let at = DeploymentText::of(base.trim_end_matches("/v1"), "ollama_chat/llava");
        ConfigText::new()
            .setting("general_settings", &format!("fetch_media: {{{fetch}}}"))
            .group(GROUP, &at.priced(INPUT_PRICE, OUTPUT_PRICE))
    };
    Stage::with(Storage::Sqlite, Script::default().answering(answer), config, |home| home).await
}

/// Asks about the picture at this path of the upstream's host.
fn about(stage: &Stage, path: &str) -> String {
    let url = format!("http://{}{path}", stage.simulator.addr());
    json!({"model": GROUP, "messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": url}}]}]})
    .to_string()
}

#[tokio::test]
async fn a_picture_is_fetched_where_the_operator_lets_it_be() {
    let stage = stage("allowed_hosts: [127.0.0.1]").await;
    let key = stage.plain_key().await;
    let answer = key.client.post(CHAT, about(&stage, "/cat")).await.ok();
    assert_eq!(answer["choices"][0]["message"]["content"], "a cat");
    let calls = stage.simulator.calls().kept();
    assert_eq!((&*calls[0].method, &*calls[0].path), ("GET", "/cat"));
    assert_eq!(calls[0].header("authorization"), None, "nothing of ours goes along");
    let sent: Value = serde_json::from_slice(&calls[1].body).expect("JSON");
    assert_eq!(sent["messages"][0]["images"], json!(["bWVvdw=="]), "{sent}");

    let page = key.client.post(CHAT, about(&stage, "/page")).await;
    assert_eq!(page.refusal().0, 400, "{}", page.text());
    assert!(page.text().contains("messages[0].content[1]"), "{}", page.text());
    assert!(page.text().contains("text/html"), "{}", page.text());
}

#[tokio::test]
async fn a_picture_in_the_operators_network_is_nobodys_to_fetch() {
    for fetch in ["", "enabled: false, allowed_hosts: [127.0.0.1]"] {
        let stage = stage(fetch).await;
        let key = stage.plain_key().await;
        let refused = key.client.post(CHAT, about(&stage, "/cat")).await;
        assert_eq!(refused.refusal().0, 400, "{}", refused.text());
        assert!(refused.text().contains("messages[0].content[1]"), "{}", refused.text());
        assert_eq!(stage.simulator.calls().count(), 0, "{fetch}: it was asked");
    }
}
