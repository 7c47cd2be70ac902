//! Azure OpenAI with tokens of Entra ID: an application's secret is exchanged for one, which no key
//! of the environment replaces.

use serde_json::json;
use tollgate_testkit::config_text::{ConfigText, DeploymentText};
use tollgate_testkit::patience::until;

use super::platform::{Authority, Form, Granted, models};
use super::{calls_after, must_answer, stage};
use crate::stage::Stage;

const SECRET: &str = "s3cr~et+/=&x";
const CHAT_PATH: &str =
    "/openai/deployments/gpt-5.2/chat/completions?api-version=2025-02-01-preview";
const RESPONSES_PATH: &str = "/openai/responses?api-version=2025-02-01-preview";

#[tokio::test]
async fn a_client_secret_is_exchanged_for_a_token_that_carries_chat_and_responses() {
    let authority = Authority::start(granted).await;
    let stage = azure(&authority).await;
    let key = stage.plain_key().await.text;
    must_answer(&stage, &key, ("openai_chat", "secret", "openai_chat")).await;
    must_answer(&stage, &key, ("openai_responses", "secret", "openai_responses")).await;
    let calls = calls_after(&stage.simulator, 0);
    let paths: Vec<&str> = calls.iter().map(|call| &*call.path).collect();
    assert_eq!(paths, [CHAT_PATH, CHAT_PATH, RESPONSES_PATH, RESPONSES_PATH]);
    for call in &calls {
        assert_eq!(call.header("authorization"), Some("Bearer entra-tenant-1"), "{}", call.path);
        assert_eq!(call.header("api-key"), None, "{}", call.path);
    }
    let asked = authority.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let (books, _) = stage.close().await;
    assert_eq!(books.outcomes(), ["completed"; 4]);
}

#[tokio::test]
async fn the_fields_of_an_entry_beat_the_keys_of_the_environment() {
    let authority = Authority::start(granted).await;
    let stage = azure(&authority).await;
    let key = stage.plain_key().await.text;
    for (group, bearer, api_key) in [
        ("secret", Some("Bearer entra-tenant-1"), None),
        ("token", Some("Bearer given-token"), None),
        ("environment", Some("Bearer entra-tenant-2"), None),
        ("key", None, Some("key-own")),
        ("neither", None, Some("key-env")),
    ] {
        let seen = stage.simulator.calls().count();
        must_answer(&stage, &key, ("openai_chat", group, "openai_chat")).await;
        for call in calls_after(&stage.simulator, seen) {
            assert_eq!(call.header("authorization"), bearer, "{group}");
            assert_eq!(call.header("api-key"), api_key, "{group}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_is_refused_reaches_no_upstream_and_is_not_repeated() {
    let authority = Authority::start(granted).await;
    let stage = azure(&authority).await;
    let key = stage.plain_key().await;
    let body = json!({"model": "wrong", "messages": [{"role": "user", "content": "hi"}]});
    let answer = key.client.post("/v1/chat/completions", body.to_string()).await;
    assert_eq!(answer.refusal(), (502, "upstream_credentials_unavailable".to_owned()));
    assert_eq!(stage.simulator.calls().count(), 0);
    // The log may be behind the answer.
    let told = || async { stage.gateway.output().contains("invalid_client").then_some(()) };
    until("the authority's own word in the log", told).await;
    let output = stage.gateway.output();
    for text in [answer.text(), output] {
        assert!(!text.contains("wrong-secret"), "{text}");
    }
}

/// A gateway whose environment has a key and an application, before entries that say who they are
/// in each way.
async fn azure(authority: &Authority) -> Stage {
    let models = models().await;
    let base = format!("api_base: http://{}", models.addr());
    let host = format!("azure_authority_host: {}", authority.url());
    let application = ["tenant_id: tenant-1", "client_id: client-1"];
    let (secret, wrong) = (format!("client_secret: '{SECRET}'"), "client_secret: wrong-secret");
    let groups: [(&str, &[&str]); 6] = [
        ("secret", &[&host, application[0], application[1], &secret]),
        ("wrong", &[&host, application[0], application[1], wrong]),
        ("token", &["azure_ad_token: given-token"]),
        ("environment", &["azure_credential: client_secret"]),
        ("key", &["api_key: key-own"]),
        ("neither", &[]),
    ];
    let config = groups.iter().fold(ConfigText::new(), |config, (group, lines)| {
        let bare = DeploymentText::named("azure/gpt-5.2").with(&base);
        config.group(group, &lines.iter().fold(bare, |deployment, line| deployment.with(line)))
    });
    let url = authority.url();
    let environment = [
        ("AZURE_API_KEY", "key-env"),
        ("AZURE_TENANT_ID", "tenant-2"),
        ("AZURE_CLIENT_ID", "client-2"),
        ("AZURE_CLIENT_SECRET", SECRET),
        ("AZURE_AUTHORITY_HOST", &url),
    ];
    stage(models, config, |home| {
        environment.into_iter().fold(home, |home, (name, value)| home.with_env(name, value))
    })
    .await
}

/// The authority: a token that names the tenant, for the application of each that knows the secret.
fn granted(_own: &str, path: &str, form: &Form) -> Result<Granted, &'static str> {
    let (tenant, client) = match path {
        "/tenant-1/oauth2/v2.0/token" => ("tenant-1", "client-1"),
        "/tenant-2/oauth2/v2.0/token" => ("tenant-2", "client-2"),
        _ => return Err("invalid_request"),
    };
    let wanted = [
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_secret", SECRET),
        ("scope", "https://cognitiveservices.azure.com/.default"),
    ];
    if !form.says(&wanted) {
        return Err("invalid_client");
    }
    let token = json!({
        "access_token": format!("entra-{tenant}"), "expires_in": 3_599, "token_type": "Bearer",
    });
    Ok(("application/json", token.to_string()))
}
