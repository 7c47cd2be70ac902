//! A configuration of LiteLLM's, graded alone.

use serde_json::Value;
use tollgate_testkit::gateway::Home;

use super::check;

const CONFIG: &str = "model_list:
  - model_name: chat
    litellm_params: {model: openai_like/m, api_base: 'http://127.0.0.1:9/v1', api_key: sk-upstream}
  - model_name: far
    litellm_params:
      model: openai/gpt-4o
      api_base: http://127.0.0.1:9/v1
      api_key: os.environ/NOT_SET
litellm_settings:
  drop_params: true
general_settings:
  master_key: sk-1234567890123456
  alerting: [slack]
  mater_key: twice
";

#[tokio::test]
async fn each_key_is_graded_and_what_is_not_exact_says_why() {
    let home = Home::new(CONFIG);
    let (status, text) = check(&home.config_file(), &["--from", "litellm"]).await;
    assert_eq!(status, Some(0), "{text}");
    for part in [
        "unsupported  general_settings.alerting",
        "line 13: `alerting` in `general_settings` has no effect yet",
        "manual  general_settings.mater_key",
        "did you mean `master_key`?",
        "manual  model_list[].litellm_params.api_key  (2 places)",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert!(!text.contains("sk-upstream"), "{text}");

    let (status, text) = check(&home.config_file(), &["--from", "litellm", "--json"]).await;
    assert_eq!(status, Some(0), "{text}");
    let keys: Vec<Value> = serde_json::from_str(&text).expect("a list");
    let drop = keys.iter().find(|key| key["key"] == "litellm_settings.drop_params");
    assert_eq!(drop.expect("the key")["grade"], "exact");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_graded_all_the_same() {
    let home = Home::new(&CONFIG.replace("model: openai/gpt-4o", "model: 5"));
    let (status, text) = check(&home.config_file(), &["--from", "litellm"]).await;
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("manual  model_list[].litellm_params.model"), "{text}");
}
