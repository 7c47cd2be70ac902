//! What is taken out of a call on its way up: because the provider does not take it, because the
//! operator says so, and because the client does.

use serde_json::{Value, json};
use tollgate_simulator::{Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText};
use tollgate_testkit::http::{Answer, Client};

use crate::stage::{CHAT, GROUP, Stage, Storage};

const MESSAGES: &str = "/v1/messages";
/// The members of every call; a test puts more before them.
const REST: &str = r#""messages":[{"role":"user","content":"one two three"}]}"#;

/// A gateway whose group is served by a provider that takes neither `logit_bias`, `logprobs` and
/// `n` nor `store`, with these lines of its deployment.
async fn stage(lines: &[&str]) -> Stage {
    let config = |simulator: &Simulator| {
        let mut deployment = DeploymentText::of(&simulator.base_url(), "groq/simulated");
        for line in lines {
            deployment = deployment.with(line);
        }
        ConfigText::new().group(GROUP, &deployment)
    };
    Stage::with(Storage::Sqlite, Script::default(), config, |home| home).await
}

async fn call(client: &Client, members: &str) -> Answer {
    client.post(CHAT, format!(r#"{{"model":"chat",{members}{REST}"#)).await
}

/// The last body that arrived upstream.
fn sent(stage: &Stage) -> String {
    let calls = stage.simulator.calls();
    let last = calls.find(calls.count() - 1).expect("a call arrived");
    String::from_utf8(last.body.to_vec()).expect("text")
}

fn body(members: &str) -> String {
    format!(r#"{{"model":"simulated",{members}{REST}"#)
}

#[tokio::test]
async fn hints_are_left_out_and_told_of_and_what_means_something_is_refused() {
    let stage = stage(&[]).await;
    let key = stage.plain_key().await;
    let answer = call(&key.client, r#""store":true,"n":1,"logprobs":false,"seed":1,"#).await;
    answer.ok();
    assert_eq!(sent(&stage), body(r#""seed":1,"#));
    assert_eq!(answer.header("x-litellm-dropped-params"), "logprobs, n, store");

    for (members, field) in [
        (r#""n":2,"#, "n"),
        (r#""logprobs":true,"#, "logprobs"),
        (r#""drop_params":false,"logit_bias":{"1":1},"#, "logit_bias"),
    ] {
        let answer = call(&key.client, members).await;
        assert_eq!(answer.refusal(), (400, "parameter_unsupported".to_owned()), "{members}");
        let error = &answer.json()["error"];
        assert_eq!(error["param"], field);
        assert!(error["message"].as_str().is_some_and(|text| text.contains("simulated")));
        let fix = error["gateway"]["fix"].as_str().expect("the way out");
        assert!(fix.contains("drop_params: true"), "{fix}");
    }
    assert_eq!(stage.simulator.calls().count(), 1, "nothing more went upstream");
}

#[tokio::test]
async fn the_client_the_operator_and_coding_agents_have_it_dropped() {
    let stage = stage(&[]).await;
    let key = stage.plain_key().await;
    let answer = call(&key.client, r#""drop_params":true,"logit_bias":{"1":1},"#).await;
    answer.ok();
    assert_eq!(sent(&stage), body(""));
    assert_eq!(answer.header("x-litellm-dropped-params"), "logit_bias");
    let agent = key.client.clone().with_header("user-agent", "claude-cli/2.1 (external, cli)");
    call(&agent, r#""logit_bias":{"1":1},"#).await.ok();
    assert_eq!(sent(&stage), body(""));

    let stage = self::stage(&["drop_params: true"]).await;
    let key = stage.plain_key().await;
    call(&key.client, r#""logit_bias":{"1":1},"#).await.ok();
    assert_eq!(sent(&stage), body(""));
    let answer = call(&key.client, r#""drop_params":false,"logit_bias":{"1":1},"#).await;
    assert_eq!(answer.status, 400, "the client's word is the last");
}

#[tokio::test]
async fn what_a_client_allows_goes_as_it_came_and_what_it_drops_is_never_admitted() {
    let stage = stage(&[]).await;
    let key = stage.plain_key().await;
    let members = r#""allowed_openai_params":["logit_bias"],"logit_bias":{"1": 1.0},"#;
    call(&key.client, members).await.ok();
    assert_eq!(sent(&stage), body(r#""logit_bias":{"1": 1.0},"#));
    let members =
        r#""additional_drop_params":["a.b","x[0]","none"],"a":{ "b":1,"c" : 2},"x":[1, 2],"#;
    let answer = call(&key.client, members).await;
    answer.ok();
    assert_eq!(sent(&stage), body(r#""a":{ "c" : 2},"x":[2],"#));
    assert_eq!(answer.header("x-litellm-dropped-params"), "a.b, x[0]");
    for (members, param) in [
        (r#""drop_params":"true","#, "drop_params"),
        (r#""additional_drop_params":"a","#, "additional_drop_params"),
        (r#""additional_drop_params":["a","b["],"#, "additional_drop_params[1]"),
        (r#""allowed_openai_params":[1],"#, "allowed_openai_params[0]"),
    ] {
        let answer = call(&key.client, members).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert_eq!(answer.json()["error"]["param"], param);
    }
}

#[tokio::test]
async fn what_the_operator_names_goes_from_bytes_that_pass_and_from_translations() {
    let paths = "additional_drop_params: ['tools[*].function.strict', 'metadata.a', temperature]";
    let stage = stage(&[paths]).await;
    let key = stage.plain_key().await;
    let tool = r#"{ "type":"function","function":{"name":"f", "strict" : true,"parameters":{}}}"#;
    let members = format!(r#""tools":[{tool}],"metadata":{{"a":1,"b":1.50}},"temperature":0.5,"#);
    let answer = call(&key.client, &members).await;
    answer.ok();
    let tool = r#"{ "type":"function","function":{"name":"f","parameters":{}}}"#;
    assert_eq!(sent(&stage), body(&format!(r#""tools":[{tool}],"metadata":{{"b":1.50}},"#)));
    let told = "temperature, tools[*].function.strict, metadata.a";
    assert_eq!(answer.header("x-litellm-dropped-params"), told);

    // The names are the client's in its format, and the provider's in its own.
    let call = json!({
        "model": GROUP, "max_tokens": 9, "temperature": 0.5,
        "messages": [{"role": "user", "content": "one two three"}],
        "tools": [{"name": "f", "input_schema": {"type": "object"}, "strict": true}],
    });
    let answer = key.client.post(MESSAGES, call.to_string()).await;
    answer.ok();
    let sent: Value = serde_json::from_str(&sent(&stage)).expect("JSON");
    assert_eq!(sent.get("temperature"), None, "{sent}");
    assert_eq!(sent["tools"][0]["function"].get("strict"), None, "{sent}");
    assert!(answer.header("x-litellm-dropped-params").contains("temperature"));
}
