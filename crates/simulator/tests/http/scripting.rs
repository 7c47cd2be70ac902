//! Scripting from another process, and by the model's name.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Method;
use tollgate_simulator::{Behaviour, End, Options, Replay, Script, Simulator};

use crate::client::{BUFFERED, chat, send, simulator, soon};

#[tokio::test]
async fn a_script_can_be_posted_and_reset() {
    let simulator = simulator(Script::new(Behaviour::answering(1))).await;
    let script = r#"{"default":{"tokens":2},"next":[{"fault":429,"retry_after":7}]}"#;
    let posted = send(&simulator, Method::POST, "/_simulator/script", script).await;
    assert_eq!((posted.status, posted.text()), (200, "{}"));
    let answer = chat(&simulator, BUFFERED).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
    assert_eq!(chat(&simulator, BUFFERED).await.json()["usage"]["completion_tokens"], 2);
    send(&simulator, Method::POST, "/_simulator/reset", "").await;
    assert_eq!(simulator.calls().count(), 0);
    assert_eq!(chat(&simulator, BUFFERED).await.json()["usage"]["completion_tokens"], 1);
}

#[tokio::test]
async fn a_wrong_script_is_refused_and_changes_nothing() {
    let simulator = simulator(Script::new(Behaviour::answering(1))).await;
    for script in ["", "{", r#"{"next":[{"fault":"boom"}]}"#, r#"{"default":{"tokn":1}}"#] {
        let answer = send(&simulator, Method::POST, "/_simulator/script", script).await;
        assert_eq!(answer.status, 400, "{script}");
        assert!(answer.json()["error"]["message"].is_string(), "{script}");
    }
    assert_eq!(chat(&simulator, BUFFERED).await.json()["usage"]["completion_tokens"], 1);
}

#[tokio::test]
async fn the_record_can_be_read_from_outside() {
    let simulator = simulator(Script::new(Behaviour::answering(3))).await;
    chat(&simulator, BUFFERED).await;
    soon(simulator.calls().await_ended(0)).await;
    let listing = send(&simulator, Method::GET, "/_simulator/calls", "").await.json();
    assert_eq!(listing["count"], 1);
    let call = &listing["calls"][0];
    assert_eq!((call["index"].as_u64(), call["status"].as_u64()), (Some(0), Some(200)));
    assert_eq!(call["path"], "/v1/chat/completions");
    assert_eq!(call["headers"][1], serde_json::json!(["authorization", "Bearer sk-test"]));
    assert_eq!(call["body"], BUFFERED);
    assert_eq!((call["tokens_sent"].as_u64(), call["end"].as_str()), (Some(3), Some("finished")));
}

#[tokio::test]
async fn control_routes_are_strict_and_can_be_closed() {
    let open = simulator(Script::default()).await;
    for (method, path, status) in [
        (Method::GET, "/_simulator/script", 405),
        (Method::POST, "/_simulator/calls", 405),
        (Method::GET, "/_simulator/other", 404),
    ] {
        assert_eq!(send(&open, method, path, "").await.status, status, "{path}");
    }
    assert_eq!(open.calls().count(), 0);

    let options = Options { control_routes: false, calls_kept_max: 0 };
    let addr = SocketAddr::from(([127, 0, 0, 1], 0));
    let closed = Simulator::start_with(addr, Script::default(), options).await.expect("a port");
    assert_eq!(send(&closed, Method::GET, "/_simulator/calls", "").await.status, 404);
    assert_eq!((closed.calls().count(), closed.calls().kept().len()), (1, 0));
}

#[tokio::test]
async fn a_model_name_can_carry_settings() {
    let simulator = simulator(Script::default()).await;
    let call = |model: &str| format!(r#"{{"model":"{model}","messages":[]}}"#);
    let answer = chat(&simulator, &call("simulated?tokens=3&date=2026-01-31")).await.json();
    assert_eq!(answer["model"], "simulated-2026-01-31");
    assert_eq!(answer["usage"]["completion_tokens"], 3);
    let refused = chat(&simulator, &call("simulated?fault=429&retry_after=2")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("2")));
    let nonsense = chat(&simulator, &call("simulated?tokens=many")).await;
    assert_eq!(nonsense.status, 400);
    let message = nonsense.json()["error"]["message"].to_string();
    assert!(message.contains("`tokens` is `many`, which is not a whole number"), "{message}");
}

#[tokio::test]
async fn a_script_can_be_replaced_in_process() {
    let simulator = simulator(Script::default().then(Behaviour::refusing(500))).await;
    simulator.follow(Script::new(Behaviour::answering(2)));
    assert_eq!(chat(&simulator, BUFFERED).await.json()["usage"]["completion_tokens"], 2);
}

#[tokio::test]
async fn a_replay_answers_any_path_once_with_its_own_bytes() {
    let pieces = || [Bytes::from_static(b"\x00\xff"), Bytes::new(), Bytes::from_static(b"end")];
    let script = Script::new(Behaviour::answering(1))
        .replaying(Replay::new("application/x-ndjson", pieces()))
        .replaying(Replay::new("application/json", [Bytes::from_static(b"{}")]))
        .replaying(Replay::new("text/event-stream", pieces()).cut());
    let simulator = simulator(script).await;
    let path = "/v1beta/models/m:generateContent?alt=sse";
    let chunked = send(&simulator, Method::POST, path, "any").await;
    assert_eq!((chunked.status, chunked.body.as_slice()), (200, b"\x00\xffend".as_slice()));
    assert_eq!(chunked.header("content-type"), Some("application/x-ndjson"));
    assert!(chunked.broken.is_none() && chunked.header("content-length").is_none());
    let whole = send(&simulator, Method::POST, path, "any").await;
    assert_eq!((whole.text(), whole.header("content-length")), ("{}", Some("2")));
    let cut = send(&simulator, Method::POST, path, "any").await;
    assert_eq!((cut.body.as_slice(), cut.broken.is_some()), (b"\x00\xffend".as_slice(), true));
    for index in 0..3 {
        let call = soon(simulator.calls().await_ended(index)).await;
        assert_eq!((call.path.as_str(), call.end), (path, End::Finished));
    }
    assert_eq!(chat(&simulator, BUFFERED).await.json()["usage"]["completion_tokens"], 1);
}
