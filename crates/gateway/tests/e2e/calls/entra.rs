//! A resource of Entra's that refuses its credential, and the reason that the token itself gives.

use tollgate_simulator::{Behaviour, Fault, Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText};

use crate::stage::{CALL, CHAT, GROUP, Stage, Storage};

/// Good until 2100: for Azure OpenAI, of the principal `o-1` in the directory `t-1`.
const GOOD: &str = "e30.eyJhdWQiOiJodHRwczovL2NvZ25pdGl2ZXNlcnZpY2VzLmF6dXJlLmNvbSIsIm9pZCI6Im8tMSIsInRpZCI6InQtMSIsImV4cCI6NDEwMjQ0NDgwMH0.c2ln";
/// For Azure's management, not for its models.
const ELSEWHERE: &str =
    "e30.eyJhdWQiOiJodHRwczovL21hbmFnZW1lbnQuYXp1cmUuY29tLyIsImV4cCI6NDEwMjQ0NDgwMH0.c2ln";
/// Its end was in 1970.
const ENDED: &str =
    "e30.eyJhdWQiOiJodHRwczovL2NvZ25pdGl2ZXNlcnZpY2VzLmF6dXJlLmNvbSIsImV4cCI6MTAwMH0.c2ln";

/// What a call gets when the resource answers with this: the reason, and the words.
async fn refused(credential: &str, status: u16, message: &str) -> (String, String) {
    let body = format!(r#"{{"error":{{"code":"{status}","message":"{message}"}}}}"#);
    let fault = Fault::Status { status, retry_after: None, body: Some(body) };
    let config = |simulator: &Simulator| {
        let base = format!("http://{}", simulator.addr());
        let deployment = DeploymentText::of(&base, "azure/x").without("api_key").with(credential);
        ConfigText::new().group(GROUP, &deployment)
    };
    let script = Script::new(Behaviour::failing(fault));
    let stage = Stage::with(Storage::Sqlite, script, config, |home| home).await;
    let key = stage.plain_key().await;
    let answer = key.client.post(CHAT, CALL).await;
    let (status, reason) = answer.refusal();
    assert_eq!(status, 502, "{}", answer.text());
    let error = &answer.json()["error"];
    (reason, error["message"].as_str().expect("a message").to_owned())
}

#[tokio::test]
async fn a_refused_token_is_explained_by_what_it_says() {
    let token = |token: &str| format!("azure_ad_token: {token}");
    let role = "The principal lacks the required data action `chat/completions/action`";
    let private = "Public access is disabled. Please configure private endpoint.";
    let keyless = "Key based authentication is disabled for this resource.";
    for (credential, status, body, reason, words) in [
        (token(ELSEWHERE), 401, "x", "azure_token_wrong_audience", "https://management.azure.com/"),
        (token(ENDED), 401, "x", "upstream_credentials_rejected", "its token ended at 1970"),
        (token(GOOD), 401, "Token tenant t-2 is not", "upstream_credentials_rejected", "`t-1`"),
        (token(GOOD), 403, role, "azure_role_missing", "`o-1` lacks `Cognitive Services OpenAI"),
        (token(GOOD), 403, private, "upstream_credentials_rejected", "the gateway's credential"),
        ("api_key: k".to_owned(), 403, keyless, "azure_key_auth_disabled", "takes no keys"),
        ("api_key: k".to_owned(), 401, "x", "upstream_credentials_rejected", "credential"),
    ] {
        let (found, message) = refused(&credential, status, body).await;
        assert_eq!(found, reason, "{message}");
        assert!(message.contains(words), "{message}");
    }
}
