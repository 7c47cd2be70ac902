//! A changed configuration takes effect whole or not at all, and running calls keep theirs.

use std::time::Duration;

use tollgate_simulator::{Behaviour, Script, Simulator};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::http::Ending;
use tollgate_testkit::patience::until;

use crate::stage::{CALL, CHAT, GROUP, STREAMED_CALL, Stage, Storage, events};

async fn models(stage: &Stage) -> Vec<String> {
    let list = stage.gateway.master().get("/v1/models").await.ok();
    let models = list["data"].as_array().cloned().unwrap_or_default();
    models.iter().map(|model| model["id"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn await_models(stage: &Stage, expected: &[&str]) {
    let ask = || async { (models(stage).await == expected).then_some(()) };
    until(&format!("the models {expected:?}"), ask).await;
}

fn two_groups(simulator: &Simulator) -> ConfigText {
    ConfigText::simulated(GROUP, simulator).group("more", &ConfigText::deployment(simulator))
}

#[tokio::test]
async fn a_changed_file_takes_effect() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let more = CALL.replace(GROUP, "more");
    assert_eq!(key.client.post(CHAT, more.clone()).await.status, 404);
    stage.home.rewrite_config(&two_groups(&stage.simulator).build());
    await_models(&stage, &[GROUP, "more"]).await;
    key.client.post(CHAT, more).await.ok();
}

#[tokio::test]
async fn a_wrong_file_never_replaces_a_right_one() {
    let stage = Stage::new().await;
    let key = stage.plain_key().await;
    let wrong = [
        "model_list: [\n",
        "model_list:\n  - model_name: chat\n",
        "",
        "model_list:\n  - model_name: chat\n    litellm_params:\n      model: nobody/knows-this\n",
    ];
    for (index, config) in wrong.into_iter().enumerate() {
        stage.home.rewrite_config(config);
        stage.gateway.hang_up();
        until("the wrong file to be read", || async {
            let refused = stage.gateway.output().matches("the one in force stays").count();
            (refused > index).then_some(())
        })
        .await;
        assert_eq!(models(&stage).await, [GROUP], "{config}");
        key.client.post(CHAT, CALL).await.ok();
    }
    stage.home.rewrite_config(&two_groups(&stage.simulator).build());
    await_models(&stage, &[GROUP, "more"]).await;
}

#[tokio::test]
async fn a_hangup_reads_the_file_again() {
    let stage = Stage::new().await;
    stage.gateway.hang_up();
    stage.gateway.says("the configuration was reloaded").await;
    assert_eq!(models(&stage).await, [GROUP]);
}

#[tokio::test]
async fn a_running_stream_keeps_the_configuration_it_began_with() {
    let paced = Behaviour::answering(100).paced(Duration::ZERO, 100.0);
    let stage = Stage::with(Storage::Sqlite, Script::new(paced), two_groups, |home| home).await;
    let key = stage.plain_key().await;
    let mut streaming = key.client.open(CHAT, STREAMED_CALL).await;
    streaming.read_until(r#""content":"the""#).await;

    let config = ConfigText::new().group("more", &ConfigText::deployment(&stage.simulator));
    stage.home.rewrite_config(&config.build());
    await_models(&stage, &["more"]).await;
    assert_eq!(key.client.post(CHAT, CALL).await.refusal(), (404, "model_unknown".to_owned()));

    let (body, ending) = streaming.rest().await;
    assert!(matches!(ending, Ending::Clean), "{ending:?}");
    let events = events(&body);
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    assert!(events.iter().all(|event| event == "[DONE]" || event.contains(r#""model":"chat""#)));
}
