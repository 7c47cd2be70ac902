//! What a call may cost beside its tokens: it is held before the call, charged after it, and
//! refused under a budget where nothing limits it.

use serde_json::{Value, json};
use tollgate_simulator::{Replay, Script, Simulator};
use tollgate_testkit::config_text::{ConfigText, DeploymentText};
use tollgate_testkit::http::Answer;

use crate::stage::{CHAT, Key, Stage, Storage};

const RESPONSES: &str = "/v1/responses";
const MESSAGES: &str = "/v1/messages";
/// What a search costs here, in dollars and in nano-dollars.
const SEARCH_DOLLARS: &str = "0.01";
const SEARCH_NANOS: i64 = 10_000_000;

/// A gateway with a group of each format whose tokens are free and whose searches are not.
async fn stage(setting: &str) -> Stage {
    let config = |upstream: &Simulator| {
        let priced = |model: &str| {
            let search = format!("search_context_cost_per_query: {SEARCH_DOLLARS}");
            DeploymentText::of(&upstream.base_url(), model).priced("0", "0").with(&search)
        };
        let chat = priced("openai/chat_completions/m");
        let unpriced = DeploymentText::of(&upstream.base_url(), "anthropic/claude-opus-4-6");
        let by_call = chat.clone().with("web_search_billing_unit: per_prompt");
        let config = ConfigText::new()
            .group("chat", &chat)
            .group("by_call", &by_call)
            .group("responses", &priced("openai/responses/m"))
            .group("messages", &priced("anthropic/claude-opus-4-6"))
            .group("unpriced", &unpriced.priced("0", "0"));
        if setting.is_empty() { config } else { config.setting("general_settings", setting) }
    };
    Stage::with(Storage::Sqlite, Script::default().answering(answer), config, |home| home).await
}

/// An answer after two searches, which the formats tell in their own ways or not at all.
fn answer(path: &str, _: &[u8]) -> Replay {
    let body = match path {
        RESPONSES => json!({
            "id": "resp_1", "object": "response", "status": "completed", "model": "m",
            "output": [
                {"type": "web_search_call", "id": "ws_1", "action": {"type": "search"}},
                {"type": "web_search_call", "id": "ws_2", "action": {"type": "open_page"}},
                {"type": "web_search_call", "id": "ws_3", "action": {"type": "search"}},
                {"type": "message", "role": "assistant", "content": [
                    {"type": "output_text", "text": "ok", "annotations": []},
                ]},
            ],
            "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
        }),
        MESSAGES => json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": [{"type": "text", "text": "ok"}], "stop_reason": "end_turn",
            "usage": {
                "input_tokens": 3, "output_tokens": 2,
                "server_tool_use": {"web_search_requests": 2},
            },
        }),
        _ => json!({
            "id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "ok"}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        }),
    };
    Replay::new("application/json", [body.to_string().into()])
}

async fn call(key: &Key, model: &str, more: Value) -> Answer {
    let said = json!([{"role": "user", "content": "hi"}]);
    let (path, mut body) = match model {
        "responses" => (RESPONSES, json!({"model": model, "input": "hi"})),
        "messages" | "unpriced" => {
            (MESSAGES, json!({"model": model, "max_tokens": 9, "messages": said}))
        }
        _ => (CHAT, json!({"model": model, "messages": said})),
    };
    let more = more.as_object().cloned().expect("an object");
    body.as_object_mut().expect("an object").extend(more);
    key.client.post(path, body.to_string()).await
}

fn searching(uses: Option<u64>) -> Value {
    let mut tool = json!({"type": "web_search_20250305", "name": "web_search"});
    if let Some(uses) = uses {
        tool["max_uses"] = json!(uses);
    }
    json!({ "tools": [tool] })
}

#[tokio::test]
async fn searches_are_held_as_far_as_they_are_limited_and_charged_as_they_were_made() {
    let stage = stage("").await;
    let web = json!([{"type": "web_search"}]);
    let limited = json!({"tools": web, "max_tool_calls": 3});
    let cases = [
        ("messages", searching(Some(3)), 3, 2),
        ("responses", limited, 3, 2),
        ("chat", json!({"web_search_options": {}}), 1, 1),
        ("chat", json!({"web_search_options": {}, "n": 2}), 2, 2),
        ("by_call", json!({"web_search_options": {}, "n": 2}), 1, 1),
        ("chat", json!({}), 0, 0),
    ];
    for (model, more, held, charged) in cases {
        let dollars = |searches: i64| (searches * SEARCH_NANOS) as f64 / 1e9;
        let exactly = stage.key(json!({"max_budget": dollars(held)})).await;
        // A budget of nothing is spent before any call.
        if held > 0 {
            let less = stage.key(json!({"max_budget": dollars(held) - 0.000_001})).await;
            let refused = call(&less, model, more.clone()).await;
            assert_eq!(refused.refusal(), (429, "budget_exceeded".to_owned()), "{model} {more}");
            let answer = call(&exactly, model, more.clone()).await;
            assert_eq!(answer.status, 200, "{model} {more}: {}", answer.text());
            stage.await_spend(&exactly, charged * SEARCH_NANOS).await;
        } else {
            let free = stage.plain_key().await;
            call(&free, model, more).await.ok();
            stage.await_spend(&free, 0).await;
        }
    }
    let (books, _) = stage.close().await;
    books.must_balance();
    assert_eq!(books.sum(), (2 + 2 + 1 + 2 + 1) * SEARCH_NANOS);
}

#[tokio::test]
async fn what_nothing_limits_is_refused_under_a_budget_and_served_without_one() {
    let stage = stage("").await;
    let capped = stage.key(json!({"max_budget": 100})).await;
    let free = stage.plain_key().await;
    let unbounded = (400, "cost_unbounded".to_owned());
    let file = json!([{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]);
    let cases = [
        ("messages", searching(None)),
        ("responses", json!({"tools": [{"type": "web_search"}]})),
        ("responses", json!({"tools": [{"type": "image_generation"}], "max_tool_calls": 1})),
        ("responses", json!({"previous_response_id": "resp_of_the_upstream"})),
        ("chat", json!({"plugins": [{"id": "web"}]})),
        ("chat", json!({ "messages": file })),
    ];
    for (model, more) in cases {
        let refused = call(&capped, model, more.clone()).await;
        assert_eq!(refused.refusal(), unbounded, "{model} {more}");
        let answer = call(&free, model, more.clone()).await;
        assert_eq!(answer.status, 200, "{model} {more}: {}", answer.text());
    }
    // A tool that only another provider runs does not reach this one.
    let elsewhere = call(
        &capped,
        "responses",
        json!({"model": "chat", "tools": [
        {"type": "web_search"}]}),
    )
    .await;
    assert_eq!(elsewhere.status, 200, "{}", elsewhere.text());
}

#[tokio::test]
async fn what_nothing_limits_holds_what_the_operator_says_and_is_charged_as_it_was() {
    let stage = stage("budget: {unbounded_calls: 'reserve:0.5'}").await;
    let little = stage.key(json!({"max_budget": 0.49})).await;
    let refused = call(&little, "messages", searching(None)).await;
    assert_eq!(refused.refusal(), (429, "budget_exceeded".to_owned()));
    let enough = stage.key(json!({"max_budget": 0.5})).await;
    call(&enough, "messages", searching(None)).await.ok();
    stage.await_spend(&enough, 2 * SEARCH_NANOS).await;
    // More was searched than is allowed: what was spent counts, whatever was held.
    let one = stage.key(json!({"max_budget": 0.01})).await;
    call(&one, "messages", searching(Some(1))).await.ok();
    stage.await_spend(&one, 2 * SEARCH_NANOS).await;
    let spent = call(&one, "messages", searching(Some(1))).await;
    assert_eq!(spent.refusal(), (429, "budget_exceeded".to_owned()));
    let (books, _) = stage.close().await;
    books.must_balance();
}

#[tokio::test]
async fn a_search_without_a_price_is_refused_under_a_budget() {
    let stage = stage("").await;
    let capped = stage.key(json!({"max_budget": 100})).await;
    let refused = call(&capped, "unpriced", searching(Some(1))).await;
    assert_eq!(refused.refusal(), (403, "price_unknown".to_owned()));
    let message = refused.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("no known price for the searches"), "{message}");
    call(&capped, "unpriced", json!({})).await.ok();
}

#[tokio::test]
async fn what_a_client_says_of_prices_and_spends_is_kept_from_everyone() {
    let stage = stage("").await;
    let key = stage.key(json!({"max_budget": 0.01})).await;
    let claims = json!({
        "input_cost_per_token": 0, "output_cost_per_token": -1, "spend": -100,
        "search_context_cost_per_query": {"search_context_size_low": 0}, "tiered_pricing": [],
        "input_cost_per_request": 0, "cache_read_input_token_cost": 0,
        "litellm_metadata": {"spend": -1}, "mock_response": "free", "priority": 0,
        "web_search_options": {},
    });
    call(&key, "chat", claims).await.ok();
    stage.await_spend(&key, SEARCH_NANOS).await;
    let sent = stage.simulator.calls().kept().pop().expect("calls are kept");
    let sent: Value = serde_json::from_slice(&sent.body).expect("JSON");
    let mut names: Vec<&str> =
        sent.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["messages", "model", "web_search_options"]);
    let again = call(&key, "chat", json!({"web_search_options": {}, "spend": -100})).await;
    assert_eq!(again.refusal(), (429, "budget_exceeded".to_owned()), "nothing was given back");
    for field in ["custom_llm_provider", "user_config", "model_list", "api_base"] {
        let refused = call(&key, "chat", json!({ field: {} })).await;
        assert_eq!(refused.refusal(), (400, "forbidden_field".to_owned()), "{field}");
    }
}
