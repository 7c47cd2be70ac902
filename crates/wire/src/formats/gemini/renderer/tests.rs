//! Deltas of other formats, written for clients of this one.

use serde_json::{Value, json};
use tollgate_domain::{Quantity, UsageKind};

use super::*;

fn render(deltas: &[Delta]) -> Vec<Value> {
    let (model, id) = ("m".to_owned(), "call1".to_owned());
    let mut renderer =
        GeminiRenderer::new(Reply { model, id, created: 1, include_usage: true, seal: None });
    let mut out = Vec::new();
    deltas.iter().for_each(|delta| renderer.delta(delta, &mut out));
    let text = String::from_utf8(out).expect("UTF-8");
    let events = text.split_terminator("\r\n\r\n");
    let json = |event: &str| serde_json::from_str(event.strip_prefix("data: ").expect("data"));
    events.map(|event| json(event).expect("JSON in one line")).collect()
}

fn part(event: &Value) -> &Value {
    &event["candidates"][0]["content"]["parts"][0]
}

#[test]
fn a_call_in_pieces_goes_out_whole() {
    let kind = PartKind::ToolCall { id: "c".into(), name: "f".into(), custom: false };
    let events = render(&[
        Delta::Open { choice: 0, part: 0, kind },
        Delta::More { part: 0, text: "{\n\"a\":".into() },
        Delta::More { part: 0, text: "1}".into() },
        Delta::Close { part: 0 },
    ]);
    assert_eq!(events.len(), 1);
    let call = json!({ "functionCall": { "id": "c", "name": "f", "args": { "a": 1 } } });
    assert_eq!(part(&events[0]), &call);
}

#[test]
fn seals_of_other_providers_are_not_told() {
    let provenance = Provenance::AnthropicMessages;
    let redacted = PartKind::Redacted { data: "x".into(), provenance };
    let events = render(&[
        Delta::Open { choice: 0, part: 0, kind: PartKind::Reasoning { provenance } },
        Delta::More { part: 0, text: "hm".into() },
        Delta::Seal { part: 0, seal: "x".into() },
        Delta::Close { part: 0 },
        Delta::Open { choice: 0, part: 1, kind: redacted },
        Delta::Close { part: 1 },
    ]);
    assert_eq!(events.len(), 1);
    assert_eq!(part(&events[0]), &json!({ "text": "hm", "thought": true }));
}

#[test]
fn the_last_event_tells_the_reason_and_the_usage_that_came_behind_it() {
    let usage = Usage::UNKNOWN
        .with(UsageKind::Input, Quantity::whole(3))
        .with(UsageKind::Output, Quantity::whole(4));
    let finish = Delta::Finish { choice: 0, reason: FinishReason::Length, stop_sequence: None };
    let events = render(&[finish.clone(), Delta::Usage(usage), Delta::End]);
    assert_eq!(
        events,
        [json!({
            "candidates": [{
                "content": { "parts": [{ "text": "" }], "role": "model" },
                "finishReason": "MAX_TOKENS",
                "index": 0,
            }],
            "usageMetadata": {
                "promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7,
            },
            "modelVersion": "m",
            "responseId": "call1",
        })]
    );
    assert_eq!(render(&[finish]), Vec::<Value>::new(), "a cut stream never says it finished");
}

#[test]
fn an_array_opens_separates_and_closes_its_elements() {
    let renderer = || {
        let (model, id) = ("m".to_owned(), "call1".to_owned());
        GeminiRenderer::new(Reply { model, id, created: 1, include_usage: true, seal: None })
            .as_array()
    };
    let text = |text: &str| Delta::More { part: 0, text: text.into() };
    let open = Delta::Open { choice: 0, part: 0, kind: PartKind::Text };
    let finish = Delta::Finish { choice: 0, reason: FinishReason::Stop, stop_sequence: None };
    let whole = [open.clone(), text("a"), text("b"), Delta::Close { part: 0 }, finish, Delta::End];
    let mut out = Vec::new();
    let mut one = renderer();
    whole.iter().for_each(|delta| one.delta(delta, &mut out));
    assert!(out.starts_with(b"[{") && out.ends_with(b"}\r\n]"), "{out:?}");
    let elements: Vec<Value> = serde_json::from_slice(&out).expect("one array");
    let said: Vec<&Value> = elements.iter().map(|element| &part(element)["text"]).collect();
    assert_eq!(said, [&json!("a"), &json!("b"), &json!("")]);
    let mut out = Vec::new();
    let mut broken = renderer();
    [open, text("a")].iter().for_each(|delta| broken.delta(delta, &mut out));
    serde_json::from_slice::<Value>(&out).expect_err("an answer that breaks off is not whole");
    let error = r#"{"error":{"code":503}}"#;
    out.extend_from_slice(&crate::formats::gemini::error_element(error, false));
    let elements: Vec<Value> = serde_json::from_slice(&out).expect("one array");
    assert_eq!(elements[1]["error"]["code"], 503);
    let alone = crate::formats::gemini::error_element(error, true);
    assert_eq!(&*alone, b"[{\"error\":{\"code\":503}}\r\n]");
}
