//! Prompts are counted by the model's own tokenizer where it is public and a limit depends on it.

use serde_json::{Value, json};
use tollgate_simulator::{Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText, INPUT_PRICE, OUTPUT_PRICE};
use tollgate_testkit::patience::until;

use crate::stage::{CHAT, GROUP, Stage, Storage};

/// A group whose model's tokenizer is not public.
const UNKNOWN: &str = "unknown";

async fn stage() -> Stage {
    let config = |simulator: &Simulator| {
        let priced = |model| {
            DeploymentText::at(&simulator.base_url(), model).priced(INPUT_PRICE, OUTPUT_PRICE)
        };
        ConfigText::new().group(GROUP, &priced("gpt-4o")).group(UNKNOWN, &priced("simulated"))
    };
    Stage::with(Storage::Sqlite, Script::default(), config, |home| home).await
}

/// Ten tokens of 45 bytes, so often.
fn prose(times: usize) -> String {
    "The quick brown fox jumps over the lazy dog. ".repeat(times)
}

fn call(model: &str, content: &str) -> String {
    let messages = json!([{ "role": "user", "content": content }]);
    json!({ "model": model, "max_tokens": 16, "messages": messages }).to_string()
}

#[tokio::test]
async fn a_budget_admits_what_a_count_fits_once_the_tokenizer_is_loaded() {
    let stage = stage().await;
    // By its length the prompt may cost 2.3 thousandths of a dollar, by its tokens 1.1.
    let key = stage.key(json!({ "max_budget": 0.001_5 })).await;
    let refused = key.client.post(CHAT, call(UNKNOWN, &prose(100))).await;
    assert_eq!(refused.refusal(), (429, "budget_exceeded".to_owned()));
    until("a call that is counted", || async {
        let answer = key.client.post(CHAT, call(GROUP, &prose(100))).await;
        match answer.refusal() {
            (200, _) => Some(()),
            other => {
                assert_eq!(other, (429, "budget_exceeded".to_owned()));
                None
            }
        }
    })
    .await;
    // A count is no way around a budget.
    let too_long = key.client.post(CHAT, call(GROUP, &prose(200))).await;
    assert_eq!(too_long.refusal(), (429, "budget_exceeded".to_owned()));
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_limit_of_tokens_admits_what_a_count_fits() {
    let stage = stage().await;
    let key = stage.key(json!({ "tpm_limit": 500 })).await;
    // Four thousand spaces are some thirty tokens; by their length they would be a thousand.
    let spaces = " ".repeat(4000);
    let counted = json!({ "model": GROUP, "prompt": spaces }).to_string();
    let counted = key.client.post("/utils/token_counter", counted).await.ok();
    assert_eq!(counted["total_tokens"], 32, "the tokenizer is loaded");
    let refused = key.client.post(CHAT, call(UNKNOWN, &spaces)).await;
    assert_eq!(refused.refusal(), (429, "rate_limited".to_owned()));
    for (name, value) in [
        ("rate_limit_type", "tokens"),
        ("x-ratelimit-limit-tokens", "500"),
        ("x-ratelimit-remaining-tokens", "500"),
    ] {
        assert_eq!(refused.header(name), value, "{name}");
    }
    key.client.post(CHAT, call(GROUP, &spaces)).await.ok();
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn the_count_routes_are_exact_where_the_tokenizer_is_public() {
    let stage = stage().await;
    let key = stage.plain_key().await;
    let count = |body: Value| {
        let client = key.client.clone();
        async move { client.post("/utils/token_counter", body.to_string()).await }
    };
    let messages = json!([{ "role": "user", "content": "hello world" }]);
    let contents = json!([{ "role": "user", "parts": [{ "text": "hello world" }] }]);
    // Two tokens of text, one of the role, three of the message, three of the answer's beginning.
    for (body, total) in [
        (json!({ "model": GROUP, "prompt": "hello world" }), 2),
        (json!({ "model": GROUP, "messages": messages }), 9),
        (json!({ "model": GROUP, "contents": contents }), 9),
        (json!({ "model": GROUP, "messages": messages, "system": "be brief" }), 15),
    ] {
        let expected = json!({
            "total_tokens": total,
            "request_model": GROUP,
            "model_used": "gpt-4o",
            "tokenizer_type": "openai_tokenizer",
            "error": false,
        });
        assert_eq!(count(body.clone()).await.ok(), expected, "{body}");
    }
    let elsewhere = count(json!({ "model": "o200k/gpt-4.1", "prompt": "hello world" })).await.ok();
    assert_eq!(
        (&elsewhere["total_tokens"], &elsewhere["model_used"]),
        (&json!(2), &json!("o200k/gpt-4.1"))
    );
    let estimate = count(json!({ "model": UNKNOWN, "prompt": "hello world!" })).await.ok();
    assert_eq!(
        (&estimate["total_tokens"], &estimate["tokenizer_type"]),
        (&json!(4), &json!("estimate"))
    );
    for (body, reason) in [
        (json!({ "model": GROUP }), "field_missing"),
        (json!({ "prompt": "hello" }), "field_missing"),
        (json!({ "model": GROUP, "messages": [] }), "field_out_of_range"),
        (json!([]), "body_malformed"),
    ] {
        assert_eq!(count(body.clone()).await.refusal(), (400, reason.to_owned()), "{body}");
    }

    let of =
        |model: &str| json!({ "model": model, "max_tokens": 9, "messages": messages }).to_string();
    let path = "/v1/messages/count_tokens";
    assert_eq!(key.client.post(path, of(GROUP)).await.ok(), json!({ "input_tokens": 9 }));
    let estimate = key.client.post(path, of(UNKNOWN)).await.ok();
    assert!(estimate["input_tokens"].as_u64() > Some(9), "{estimate}");
    let path = format!("/v1beta/models/{GROUP}:countTokens");
    let counted = key.client.post(&path, json!({ "contents": contents }).to_string()).await.ok();
    assert_eq!(counted, json!({ "totalTokens": 9 }));
    let (books, _) = stage.close().await;
    books.must_balance();
}
