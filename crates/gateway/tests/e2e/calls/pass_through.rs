//! Headers of clients on their way up: which go on, where to, and what never does.

use bytes::Bytes;
use tollgate_simulator::{CallRecord, Replay, Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText, UPSTREAM_KEY};
use tollgate_testkit::http::Client;

use crate::stage::{CALL, CHAT, GROUP, Key, Stage, Storage};

const MESSAGES: &str = "/v1/messages";
const ASKED: &str =
    r#"{"model":"chat","max_tokens":9,"messages":[{"role":"user","content":"one two three"}]}"#;
const MESSAGE: &str = r#"{"id":"m","type":"message","role":"assistant","model":"x",
    "content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn",
    "usage":{"input_tokens":3,"output_tokens":1}}"#;
const COMPLETION: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"x","choices":[
    {"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],
    "usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#;
const OAUTH: &str = "sk-ant-oat01-of-the-client";
const OWN_KEY: &str = "sk-ant-api03-of-the-client";

/// A deployment at a provider, without a key of its own where `keyed` is false.
fn deployment(simulator: &Simulator, model: &str, keyed: bool) -> DeploymentText {
    let deployment = DeploymentText::of(&format!("http://{}", simulator.addr()), model);
    if keyed { deployment } else { deployment.without("api_key") }
}

/// A gateway with these deployments of one group and these lines of `general_settings`.
async fn stage(deployments: &[(&str, bool, &[&str])], settings: &[&str]) -> Stage {
    let script = Script::default().answering(|path, _| {
        let answer = if path.contains("messages") { MESSAGE } else { COMPLETION };
        Replay::new("application/json", [Bytes::from_static(answer.as_bytes())])
    });
    let config = |simulator: &Simulator| {
        let mut config = ConfigText::new();
        for (model, keyed, lines) in deployments {
            let mut deployment = deployment(simulator, model, *keyed);
            for line in *lines {
                deployment = deployment.with(line);
            }
            config = config.group(GROUP, &deployment);
        }
        settings.iter().fold(config, |config, line| config.setting("general_settings", line))
    };
    Stage::with(Storage::Sqlite, script, config, |home| home).await
}

/// A client that presents the virtual key where only the gateway looks.
fn beside(stage: &Stage, key: &Key) -> Client {
    stage.gateway.anonymous().with_header("x-litellm-api-key", &key.text)
}

fn last(stage: &Stage) -> CallRecord {
    let calls = stage.simulator.calls();
    calls.find(calls.count() - 1).expect("a call arrived")
}

/// The credentials that arrived: `authorization` and `x-api-key`.
fn credentials(call: &CallRecord) -> (Option<&str>, Option<&str>) {
    (call.header("authorization"), call.header("x-api-key"))
}

const ANTHROPIC: &str = "anthropic/claude-x";
const KEYS: &str = "forward_llm_provider_auth_headers: true";
const HEADERS: &str = "forward_client_headers_to_llm_api: true";

#[tokio::test]
async fn a_clients_own_token_takes_the_place_of_the_deployments_key() {
    for settings in [&[KEYS][..], &[HEADERS]] {
        let stage = stage(&[(ANTHROPIC, true, &[])], settings).await;
        let key = stage.plain_key().await;
        let bearer = format!("Bearer {OAUTH}");
        let client = beside(&stage, &key)
            .with_header("authorization", &bearer)
            .with_header("anthropic-beta", "oauth-2025-04-20,claude-code-20250219")
            .with_header("anthropic-version", "2026-10-21");
        client.post(MESSAGES, ASKED).await.ok();
        let call = last(&stage);
        assert_eq!(credentials(&call), (Some(&*bearer), None));
        let betas = "oauth-2025-04-20,claude-code-20250219";
        assert_eq!(call.header("anthropic-beta"), Some(betas));
        assert_eq!(call.header("anthropic-version"), Some("2026-10-21"));
        assert!(!call.headers.iter().any(|(_, value)| value.contains(&key.text)));
        assert!(!stage.gateway.output().contains("of-the-client"), "it is never logged");

        // Without one of its own, the client uses the deployment's.
        beside(&stage, &key).post(MESSAGES, ASKED).await.ok();
        assert_eq!(credentials(&last(&stage)), (None, Some(UPSTREAM_KEY)));
    }
}

#[tokio::test]
async fn a_virtual_key_is_found_behind_a_foreign_token_and_never_goes_on() {
    let stage = stage(&[(ANTHROPIC, true, &[])], &[KEYS]).await;
    let key = stage.plain_key().await;
    let bearer = format!("Bearer {OAUTH}");
    let client = stage.gateway.anonymous().with_header("x-api-key", &key.text);
    client.clone().with_header("authorization", &bearer).post(MESSAGES, ASKED).await.ok();
    assert_eq!(credentials(&last(&stage)), (Some(&*bearer), None));

    // The same key twice, and a second one of ours: neither is the provider's.
    let other = stage.plain_key().await;
    for twice in [&key.text, &other.text] {
        let twice = client.clone().with_header("authorization", &format!("Bearer {twice}"));
        twice.post(MESSAGES, ASKED).await.ok();
        assert_eq!(credentials(&last(&stage)), (None, Some(UPSTREAM_KEY)));
    }
    let master = format!("Bearer {}", stage.gateway.master_key());
    client.clone().with_header("authorization", &master).post(MESSAGES, ASKED).await.ok();
    assert_eq!(credentials(&last(&stage)), (None, Some(UPSTREAM_KEY)));
}

#[tokio::test]
async fn a_key_in_the_providers_own_header_goes_on_where_keys_do() {
    let stage = stage(&[(ANTHROPIC, false, &[])], &[KEYS]).await;
    let key = stage.plain_key().await;
    key.client.clone().with_header("x-api-key", OWN_KEY).post(MESSAGES, ASKED).await.ok();
    assert_eq!(credentials(&last(&stage)), (None, Some(OWN_KEY)));

    // The deployment has no key: who brings none is told so.
    let answer = key.client.post(MESSAGES, ASKED).await;
    assert_eq!((answer.status, stage.simulator.calls().count()), (401, 1));
    assert_eq!(answer.json()["error"]["gateway"]["reason"], "own_credential_missing");
}

#[tokio::test]
async fn without_permission_and_at_another_provider_a_clients_token_goes_nowhere() {
    let bearer = format!("Bearer {OAUTH}");
    let own = Some(format!("Bearer {UPSTREAM_KEY}"));
    let forbidden = "forward_llm_provider_auth_headers: false";
    for (model, lines, settings) in [
        (ANTHROPIC, &[][..], &[][..]),
        (ANTHROPIC, &[forbidden], &[KEYS, HEADERS]),
        ("openai/gpt-x", &[], &[KEYS, HEADERS]),
    ] {
        let stage = stage(&[(model, true, lines)], settings).await;
        let key = stage.plain_key().await;
        let client = beside(&stage, &key).with_header("authorization", &bearer);
        client.with_header("x-api-key", OWN_KEY).post(CHAT, CALL).await.ok();
        let call = last(&stage);
        let (authorization, x_api_key) = credentials(&call);
        assert!(authorization == own.as_deref() || x_api_key == Some(UPSTREAM_KEY), "{model}");
        let leaks = |(_, value): &(String, String)| value.contains("of-the-client");
        assert!(!call.headers.iter().any(leaks), "{model}: {:?}", call.headers);
    }
}

#[tokio::test]
async fn an_entry_can_let_keys_through_where_the_file_does_not() {
    let stage = stage(&[("openai/gpt-x", true, &[KEYS])], &[]).await;
    let key = stage.plain_key().await;
    let client = beside(&stage, &key).with_header("authorization", "Bearer sk-proj-own");
    let client = client.with_header("openai-organization", "org-own");
    client.clone().with_header("openai-project", "proj-own").post(CHAT, CALL).await.ok();
    let call = last(&stage);
    assert_eq!(credentials(&call), (Some("Bearer sk-proj-own"), None));
    assert_eq!(call.header("openai-organization"), Some("org-own"));
    assert_eq!(call.header("openai-project"), Some("proj-own"));
}

#[tokio::test]
async fn the_account_that_a_client_names_goes_on_only_where_the_operator_says_so() {
    for (settings, organization) in
        [(&[][..], None), (&["forward_openai_org_id: true"], Some("org-own"))]
    {
        let stage = stage(&[("openai/gpt-x", true, &[])], settings).await;
        let key = stage.plain_key().await;
        let client = key.client.clone().with_header("openai-organization", "org-own");
        client.with_header("openai-beta", "assistants=v2").post(CHAT, CALL).await.ok();
        let call = last(&stage);
        assert_eq!(call.header("openai-organization"), organization);
        assert_eq!(call.header("openai-beta"), Some("assistants=v2"));
    }
}

/// A client with a header of every sort.
fn decorated(client: Client) -> Client {
    [
        ("x-trace-id", "t-1"),
        ("x-stainless-lang", "python"),
        ("x-litellm-tags", "a"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
        ("x-amz-security-token", "s"),
        ("x-goog-user-project", "p"),
        ("x-http-method-override", "DELETE"),
        ("x-goog-api-key", "AIza-other"),
        ("cookie", "session=secret"),
        ("proxy-authorization", "Basic secret"),
        ("te", "trailers"),
        ("user-agent", "someone/1.0"),
    ]
    .into_iter()
    .fold(client, |client, (name, value)| client.with_header(name, value))
}

#[tokio::test]
async fn x_headers_go_on_for_the_whole_file_for_a_group_and_for_an_entry_and_nothing_else_does() {
    const LISTED: &str = "model_group_settings: {forward_client_headers_to_llm_api: ['ch*']}";
    type Lines = &'static [&'static str];
    let cases: [(Lines, Lines, Lines, bool); 6] = [
        (&[], &[], &[], false),
        (&[], &[HEADERS], &[], true),
        (&[], &[], &[LISTED], true),
        (&[HEADERS], &[], &[], true),
        (&["forward_client_headers_to_llm_api: false"], &[HEADERS], &[LISTED], false),
        (&[], &[], &["model_group_settings: {forward_client_headers_to_llm_api: [x]}"], false),
    ];
    for (lines, general, litellm, goes_on) in cases {
        let config = |simulator: &Simulator| {
            let mut deployment = ConfigText::deployment(simulator);
            for line in lines {
                deployment = deployment.with(line);
            }
            let mut config = ConfigText::new().group(GROUP, &deployment);
            for (section, lines) in [("general_settings", general), ("litellm_settings", litellm)] {
                config = lines.iter().fold(config, |config, line| config.setting(section, line));
            }
            config
        };
        let stage = Stage::with(Storage::Sqlite, Script::default(), config, |home| home).await;
        let key = stage.plain_key().await;
        decorated(key.client.clone()).post(CHAT, CALL).await.ok();
        let call = last(&stage);
        assert_eq!(call.header("x-trace-id"), goes_on.then_some("t-1"), "{lines:?} {general:?}");
        let ours = ["accept", "accept-encoding", "authorization", "content-length", "content-type"];
        let ours = [&ours[..], &["host", "user-agent", "x-trace-id"]].concat();
        for (name, value) in &call.headers {
            assert!(ours.contains(&name.as_str()), "{name}: {value} went upstream");
            assert!(!value.contains("someone") && !value.contains(&key.text), "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn the_operators_own_key_header_never_goes_on() {
    let settings = [HEADERS, KEYS, "litellm_key_header_name: X-Corp-Key"];
    let stage = stage(&[(ANTHROPIC, true, &[])], &settings).await;
    let presented = format!("Bearer {}", stage.gateway.master_key());
    let client = stage.gateway.anonymous().with_header("x-corp-key", &presented);
    client.with_header("x-api-key", OWN_KEY).post(MESSAGES, ASKED).await.ok();
    let call = last(&stage);
    assert_eq!(credentials(&call), (None, Some(OWN_KEY)));
    assert_eq!(call.header("x-corp-key"), None);
}
