//! Streams that are out of the ordinary, and any stream at any split.

use proptest::prelude::*;
use tollgate_domain::{Quantity, UsageKind};

use super::super::tests::{framed, interpret, obeys_the_laws};
use super::*;
use crate::delta::PartKind;

const START: &str = "messageStart\t{\"role\":\"assistant\",\"p\":\"ab\"}\n";
const STOP: &str = "messageStop\t{\"stopReason\":\"end_turn\"}\n";
const METADATA: &str =
    "metadata\t{\"usage\":{\"inputTokens\":5,\"outputTokens\":2,\"totalTokens\":7}}\n";

fn told(lines: &str, how: Close) -> Vec<Delta> {
    interpret([framed(lines).as_slice()], how)
}

#[test]
fn only_an_answer_that_said_why_it_ended_ends() {
    let text = "contentBlockDelta\t{\"contentBlockIndex\":0,\"delta\":{\"text\":\"a\"}}\n";
    for (lines, how, ends) in [
        (format!("{START}{text}"), Close::Clean, false),
        (format!("{START}{text}{METADATA}"), Close::Clean, false),
        (format!("{START}{text}{STOP}"), Close::Cut, false),
        (format!("{START}{text}{STOP}"), Close::Clean, true),
        (format!("{START}{text}{STOP}{METADATA}"), Close::Cut, true),
        (String::new(), Close::Clean, false),
    ] {
        let deltas = told(&lines, how);
        assert_eq!(deltas.last() == Some(&Delta::End), ends, "{lines} {how:?}");
        obeys_the_laws(&deltas);
    }
}

#[test]
fn reasoning_is_told_from_the_models_record() {
    let lines = "contentBlockDelta\t{\"contentBlockIndex\":0,\
                 \"delta\":{\"reasoningContent\":{\"text\":\"hm\"}}}";
    let (_, payload) = lines.split_once('\t').expect("a name and a payload");
    for (model, provenance) in [
        ("anthropic.claude-opus-4-7", Provenance::AnthropicMessages),
        ("arn:aws:bedrock:us-east-1:1:prompt-router/x", Provenance::AnthropicMessages),
        ("openai.gpt-oss-20b-1:0", Provenance::Plain),
        ("us.deepseek.r1-v1:0", Provenance::Plain),
    ] {
        let capability = Capability::of("bedrock", model);
        let mut interpreter = BedrockConverseInterpreter::with(Wording::default(), capability);
        let mut out = Vec::new();
        interpreter.record(Some("messageStart"), b"{}", &mut out).expect("a start");
        let record = interpreter.record(Some("contentBlockDelta"), payload.as_bytes(), &mut out);
        record.expect("a delta");
        let kind = PartKind::Reasoning { provenance };
        assert_eq!(out.get(1), Some(&Delta::Open { choice: 0, part: 0, kind }), "{model}");
    }
}

#[test]
fn a_known_event_that_cannot_be_read_is_a_failure_and_an_unknown_one_is_not() {
    for (event, data, passes) in [
        (Some("tomorrowEvent"), "nonsense", true),
        (None, "nonsense", true),
        (Some("messageStart"), "{", false),
        (Some("contentBlockStop"), "{\"contentBlockIndex\":0}", false),
        (Some("throttlingException"), "nonsense", true),
    ] {
        let mut interpreter = BedrockConverseInterpreter::new();
        let read = interpreter.record(event, data.as_bytes(), &mut Vec::new());
        assert_eq!(read.is_ok(), passes, "{event:?} {data}");
    }
    let mut interpreter = BedrockConverseInterpreter::new();
    let mut out = Vec::new();
    interpreter.record(Some("messageStart"), b"{}", &mut out).expect("a start");
    for broken in ["{}", "{\"contentBlockIndex\":0}"] {
        let read = interpreter.record(Some("contentBlockDelta"), broken.as_bytes(), &mut out);
        assert!(read.is_err(), "{broken}");
    }
    assert!(interpreter.record(Some("messageStop"), b"{}", &mut out).is_err());
}

#[test]
fn thinking_tokens_are_part_of_the_output() {
    let stop = "messageStop\t{\"stopReason\":\"end_turn\",\"additionalModelResponseFields\":\
                {\"usage\":{\"output_tokens_details\":{\"thinking_tokens\":1}}}}\n";
    let deltas = told(&format!("{START}{stop}{METADATA}"), Close::Clean);
    let usage = deltas.iter().find_map(|delta| match delta {
        Delta::Usage(usage) => Some(usage.clone()),
        _ => None,
    });
    let usage = usage.expect("the usage");
    assert_eq!(usage.quantity(UsageKind::Reasoning), Some(Quantity::whole(1)));
    assert_eq!(usage.quantity(UsageKind::Output), Some(Quantity::whole(1)));
}

/// A line of a stream, valid or of no use at its place.
fn line() -> impl Strategy<Value = String> {
    (0_u8..11, 0_u64..3).prop_map(|(kind, index)| {
        let delta = |delta: &str| {
            format!("contentBlockDelta\t{{\"contentBlockIndex\":{index},\"delta\":{delta}}}\n")
        };
        match kind {
            0 => delta(r#"{"text":"a"}"#),
            1 => delta(r#"{"reasoningContent":{"text":"b"}}"#),
            2 => delta(r#"{"reasoningContent":{"signature":"s"}}"#),
            3 => delta(r#"{"reasoningContent":{"redactedContent":"cg=="}}"#),
            4 => delta(r#"{"toolUse":{"input":"{}"}}"#),
            5 => delta(r#"{"citation":{"title":"t"}}"#),
            6 => format!(
                "contentBlockStart\t{{\"contentBlockIndex\":{index},\
                 \"start\":{{\"toolUse\":{{\"toolUseId\":\"i\",\"name\":\"n\"}}}}}}\n"
            ),
            7 => format!("contentBlockStop\t{{\"contentBlockIndex\":{index}}}\n"),
            8 => STOP.to_owned(),
            9 => METADATA.to_owned(),
            _ => "tomorrow\t{}\n".to_owned(),
        }
    })
}

proptest! {
    #[test]
    fn any_stream_at_any_split_keeps_the_laws(
        lines in prop::collection::vec(line(), 0..24),
        splits in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        end in any::<prop::sample::Index>(),
    ) {
        let stream = framed(&format!("{START}{}", lines.concat()));
        let whole = interpret([stream.as_slice()], Close::Clean);
        obeys_the_laws(&whole);
        let mut at: Vec<usize> = splits.iter().map(|split| split.index(stream.len())).collect();
        at.extend([0, stream.len()]);
        at.sort_unstable();
        let chunks = at.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
        prop_assert_eq!(interpret(chunks, Close::Clean), whole);
        // A cut is an end only behind both of the events that make one.
        let head = &stream[..end.index(stream.len())];
        let cut = interpret([head], Close::Cut);
        obeys_the_laws(&cut);
        let heard = String::from_utf8_lossy(head);
        let ended = heard.contains("messageStop") && heard.contains("metadata");
        prop_assert!(!cut.contains(&Delta::End) || ended);
    }

    #[test]
    fn nothing_makes_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for event in EVENTS.into_iter().chain(["validationException"]) {
            let mut interpreter = BedrockConverseInterpreter::new();
            let mut out = Vec::new();
            _ = interpreter.record(Some("messageStart"), b"{}", &mut out);
            _ = interpreter.record(Some(event), &bytes, &mut out);
            interpreter.close(Close::Clean, &mut out);
            obeys_the_laws(&out);
        }
        _ = super::super::to_answer(&bytes);
        _ = super::super::read_error(&bytes);
    }
}
