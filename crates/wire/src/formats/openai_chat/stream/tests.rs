//! The laws of a stream, for any split of its bytes.

use bytes::Bytes;

use super::{ObserverOptions, Relay, StreamFacts, StreamObserver};
use crate::frame::sse::{SseFrame, SseFramer};

fn observer(forward_usage: bool, rename: bool) -> StreamObserver {
    let client_model = "ours".to_owned();
    StreamObserver::new(ObserverOptions { client_model, forward_usage, rename })
}

fn frame(raw: &str) -> SseFrame {
    SseFrame::from_raw(Bytes::copy_from_slice(raw.as_bytes()))
}

/// What is observed in a stream of these chunks.
fn facts(chunks: &[&str]) -> StreamFacts {
    let mut observer = observer(true, false);
    for chunk in chunks {
        observer.frame(frame(&format!("data: {chunk}\n\n")));
    }
    observer.close()
}

fn delta(delta: &str) -> StreamFacts {
    facts(&[&format!(r#"{{"choices":[{{"index":0,"delta":{delta}}}]}}"#)])
}

#[test]
fn what_a_user_would_notice_is_visible() {
    let visible = [
        r#"{"content":"a"}"#,
        r#"{"refusal":"a"}"#,
        r#"{"reasoning_content":"a"}"#,
        r#"{"reasoning":"a"}"#,
        r#"{"reasoning_details":[{"type":"reasoning.summary","summary":"a"}]}"#,
        r#"{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}"#,
        r#"{"function_call":{"name":"f"}}"#,
        r#"{"audio":{"data":"AA"}}"#,
        r#"{"images":[{"image_url":{"url":"data:"}}]}"#,
        r#"{"content":[{"type":"text","text":"a"}]}"#,
    ];
    for part in visible {
        assert!(delta(part).visible, "{part}");
    }
    let silent = [
        r#"{"role":"assistant","content":""}"#,
        r#"{"content":null,"refusal":null,"tool_calls":null,"function_call":null}"#,
        r#"{"tool_calls":[]}"#,
        r#"{"audio":{"id":"a"}}"#,
        "{}",
        "null",
    ];
    for part in silent {
        assert_eq!(delta(part), StreamFacts::default(), "{part}");
    }
}

#[test]
fn deltas_that_carry_text_are_counted_with_their_bytes() {
    let found = facts(&[
        r#"{"choices":[{"index":0,"delta":{"content":"h\u00e9"}},{"index":1,"delta":{"content":"a"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"function":{"arguments":"{\""}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"id":"c","function":{"name":"f"}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"role":"assistant"}}]}"#,
    ]);
    assert_eq!((found.output_deltas, found.output_bytes), (3, 6));
}

#[test]
fn a_stream_has_ended_cleanly_when_every_begun_choice_has() {
    let chunk = |index: u32, reason: &str| {
        format!(r#"{{"choices":[{{"index":{index},"delta":{{}},"finish_reason":{reason}}}]}}"#)
    };
    let [begin, second] = [chunk(0, "null"), chunk(1, "null")];
    let [end, second_end] = [chunk(0, "\"stop\""), chunk(1, "\"length\"")];
    let cases: [(&[&str], bool); 7] = [
        (&[], false),
        (&[&begin], false),
        (&[&begin, &end], true),
        (&[&begin, &second, &end], false),
        (&[&begin, &second, &end, &second_end], true),
        (&[&begin, &chunk(0, "\"\"")], false),
        (&[&begin, "[DONE]"], true),
    ];
    for (chunks, clean) in cases {
        assert_eq!(facts(chunks).ended_cleanly(), clean, "{chunks:?}");
    }
    let far = facts(&[&chunk(4_000_000_000, "\"stop\"")]);
    assert!(far.finish_seen, "an index beyond every limit");
}

#[test]
fn what_is_no_data_is_forwarded_unread() {
    let mut observer = observer(false, true);
    for raw in [": ping\n\n", "\n", "event: x\n\n", "data:\n\n", "data: [DONE]\n\n", "id: 7\n\n"] {
        assert_eq!(observer.frame(frame(raw)), Relay::Forward(raw.into()), "{raw:?}");
    }
    assert!(observer.facts().done);
    assert_eq!(observer.facts().malformed_frames, 0);
}

#[test]
fn a_usage_chunk_is_withheld_from_a_client_that_did_not_ask() {
    let usage = r#""usage":{"prompt_tokens":3,"completion_tokens":2}"#;
    let only = [
        format!(r#"data: {{"choices":[],{usage}}}"#),
        format!(r#"data: {{{usage}}}"#),
        format!(r#"data: {{"choices":[],"x_groq":{{{usage}}}}}"#),
    ];
    for raw in only.map(|raw| frame(&format!("{raw}\n\n"))) {
        let mut asked = observer(true, false);
        assert_eq!(asked.frame(raw.clone()), Relay::Forward(raw.raw().clone()));
        let mut silent = observer(false, false);
        assert_eq!(silent.frame(raw), Relay::Withhold);
        assert_eq!(silent.facts().usage, asked.facts().usage);
        assert!(silent.facts().usage.is_some());
    }
    let kept = [
        format!(r#"{{"choices":[{{"index":0,"delta":{{}}}}],{usage}}}"#),
        r#"{"choices":[],"usage":null}"#.to_owned(),
        r#"{"choices":[],"prompt_filter_results":[]}"#.to_owned(),
    ];
    for chunk in kept {
        let raw = frame(&format!("data: {chunk}\n\n"));
        let relay = observer(false, false).frame(raw.clone());
        assert_eq!(relay, Relay::Forward(raw.into_raw()), "{chunk}");
    }
}

#[test]
fn the_model_is_renamed_only_where_it_differs() {
    let renamed = |raw: &str| match observer(true, true).frame(frame(raw)) {
        Relay::Forward(bytes) => String::from_utf8(bytes.to_vec()).expect("UTF-8"),
        other => panic!("{other:?}"),
    };
    let cases = [
        (
            "data: {\"model\" : \"x\",\"a\":1e-7}\r\n\r\n",
            "data: {\"model\" : \"ours\",\"a\":1e-7}\r\n\r\n",
        ),
        ("data: {\"model\":\"\"}\n\n", "data: {\"model\":\"ours\"}\n\n"),
        ("data: {\"model\":\"ours\"}\n\n", "data: {\"model\":\"ours\"}\n\n"),
        ("data: {\"choices\":[]}\n\n", "data: {\"choices\":[]}\n\n"),
        (
            "data: {\"model\":\"x\",\"a\":1,\"model\":\"ours\"}\n\n",
            "data: {\"a\":1,\"model\":\"ours\"}\n\n",
        ),
        (
            "data: {\"a\":1,\ndata: \"model\":\"x\"}\n\n",
            "data: {\"a\":1,\ndata: \"model\":\"ours\"}\n\n",
        ),
        ("data: {\"a\":{\"model\":\"x\"}}\n\n", "data: {\"a\":{\"model\":\"x\"}}\n\n"),
    ];
    for (raw, wanted) in cases {
        assert_eq!(renamed(raw), wanted);
    }
    let raw = frame("data: {\"model\":\"x\"}\n\n");
    let relay = observer(true, false).frame(raw.clone());
    assert_eq!(relay, Relay::Forward(raw.into_raw()), "not asked to rename");
}

#[test]
fn an_error_in_band_fails_the_stream_and_its_usage_counts() {
    let failed = |raw: &str| {
        let mut observer = observer(true, true);
        match observer.frame(frame(raw)) {
            Relay::Failed(error) => (error.message, observer.close()),
            other => panic!("{other:?}"),
        }
    };
    let (message, found) = failed(
        "data: {\"error\":{\"message\":\"no\",\"code\":502},\"choices\":[{\"index\":0,\"delta\":\
         {\"content\":\"a\"},\"finish_reason\":\"error\"}],\"usage\":{\"prompt_tokens\":3}}\n\n",
    );
    assert_eq!(message, "no");
    assert_eq!(found.malformed_frames, 0);
    assert!(found.usage.is_some());
    assert_eq!(failed("event: error\ndata: {\"message\":\"no\"}\n\n").0, "no");
    assert_eq!(
        failed("event: error\ndata: {}\n\n").0,
        "the upstream sent an error event without an explanation"
    );
    assert_eq!(failed("data: {\"choices\":[{\"error\":\"no\"}]}\n\n").0, "no");
}

#[test]
fn a_frame_that_cannot_be_read_fails_the_stream_and_is_counted() {
    for data in ["{\"choices\":[", "ping", "[]", "\"a\"", "{\"a\":\"\u{1}\"}", "<html>"] {
        let mut observer = observer(true, true);
        let Relay::Failed(error) = observer.frame(frame(&format!("data: {data}\n\n"))) else {
            panic!("{data}");
        };
        assert!(error.message.starts_with("the upstream sent a malformed frame: "), "{data}");
        assert_eq!(observer.close().malformed_frames, 1, "{data}");
    }
}

/// The relay of the one frame that a stream without a last blank line leaves behind.
fn left_behind(rest: &str) -> (Relay, StreamFacts) {
    let mut framer = SseFramer::new(100);
    framer.push(rest.as_bytes());
    assert_eq!(framer.next_frame(), Ok(None));
    let mut observer = observer(true, true);
    let relay = observer.frame(framer.finish().expect("something is left"));
    (relay, observer.close())
}

#[test]
fn a_last_frame_without_its_blank_line_is_completed_or_is_a_cut() {
    let (relay, facts) = left_behind("data: [DONE]");
    assert_eq!(relay, Relay::Forward("data: [DONE]\n\n".into()));
    assert!(facts.done);
    let (relay, facts) = left_behind("data: {\"model\":");
    let Relay::Failed(error) = relay else { panic!("{relay:?}") };
    assert_eq!(error.message, "the upstream's stream ended inside a frame");
    assert_eq!(facts, StreamFacts::default());
}
