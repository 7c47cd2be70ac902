//! Whole answers and streams with, beside and without the JSON that was asked for.

use super::*;

const SCHEMA: &str = r#"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}"#;

fn schema() -> Form {
    Form { schema: Some(Schema::read(SCHEMA)) }
}

fn answer(parts: Vec<Part>, finish: FinishReason) -> Answer {
    let choice = Choice { parts, finish: Some(finish), stop_sequence: None };
    Answer { id: None, model: None, created: None, choices: vec![choice], usage: None }
}

fn settled(form: &Form, text: &str, finish: FinishReason) -> Result<String, String> {
    let mut answer = answer(vec![Part::text(text)], finish);
    form.settle(&mut answer)?;
    Ok(answer.choices[0].parts.iter().filter_map(text_of).collect())
}

/// What a client is given of a stream whose text comes in pieces of this size: the text, and how it
/// ended.
fn streamed(form: Form, text: &str, finish: FinishReason, size: usize) -> (String, Option<Fault>) {
    let mut guard = Guard::new(Arc::new(form));
    let chars: Vec<char> = text.chars().collect();
    let pieces = chars.chunks(size).map(|piece| piece.iter().collect::<String>());
    let more = pieces.map(|text| Delta::More { part: 0, text: text.into() });
    let deltas =
        [Delta::Open { choice: 0, part: 0, kind: PartKind::Text }].into_iter().chain(more).chain([
            Delta::Close { part: 0 },
            Delta::Finish { choice: 0, reason: finish, stop_sequence: None },
            Delta::Usage(tollgate_domain::Usage::UNKNOWN),
            Delta::End,
        ]);
    let (mut said, mut steps) = (String::new(), Vec::new());
    for delta in deltas {
        let taken = guard.take(delta, &mut |delta| match delta {
            Delta::More { text, .. } => said.push_str(text),
            Delta::Open { .. } => steps.push("open"),
            Delta::Close { .. } => steps.push("close"),
            Delta::End => steps.push("end"),
            _ => {}
        });
        if let Err(fault) = taken {
            return (said, Some(fault));
        }
    }
    assert_eq!(steps, ["open", "close", "end"], "{text}");
    (said, None)
}

#[test]
fn the_json_in_a_text_is_found_or_nothing_is_handed_on() {
    use FinishReason::{Length, Refused, Stop, StopSequence, ToolCalls};
    let fenced = "Here you are:\n```json\n{\"a\": 1}\n```\nDone.";
    let cases = [
        (" {\"a\": 1}\n", Stop, Ok("{\"a\": 1}")),
        (fenced, Stop, Ok("{\"a\": 1}")),
        ("```\n{\"a\":1}\n```", StopSequence, Ok("{\"a\":1}")),
        ("The answer is 1.", Stop, Err("it is not JSON")),
        ("", Stop, Err("it is not JSON")),
        ("{\"b\":1}", Stop, Err("`required` of the schema is broken at ``")),
        ("{\"a\":\"x\"}", Stop, Err("`type` of the schema is broken at `/a`")),
        ("{\"a\":", Length, Ok("{\"a\":")),
        ("The answer", Length, Err("it is not JSON")),
        ("I will not.", Refused, Ok("I will not.")),
        ("I look it up.", ToolCalls, Ok("I look it up.")),
    ];
    for (text, finish, expected) in cases {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(settled(&schema(), text, finish), expected, "{text}");
        for size in [1, 4, 1_000] {
            let (said, fault) = streamed(schema(), text, finish, size);
            match &expected {
                Ok(json) => assert_eq!((said.trim(), fault), (json.trim(), None), "{text}"),
                Err(why) => {
                    assert_eq!(fault, Some(Fault::NotProduced(why.clone())), "{text}");
                    assert!(said.is_empty() || said.starts_with('{'), "no prose: {said}");
                }
            }
        }
    }
}

#[test]
fn an_object_is_any_object_and_nothing_else() {
    let any = || Form { schema: None };
    for (text, good) in [("{}", true), ("[1]", false), ("\"{}\"", false), ("no", false)] {
        assert_eq!(settled(&any(), text, FinishReason::Stop).is_ok(), good, "{text}");
        let (_, fault) = streamed(any(), text, FinishReason::Stop, 1);
        assert_eq!(fault.is_none(), good, "{text}");
    }
}

#[test]
fn text_that_has_gone_out_as_json_must_end_as_json() {
    let (said, fault) = streamed(schema(), "{\"a\":1} I hope it helps", FinishReason::Stop, 3);
    assert!(said.starts_with("{\"a\":1}"), "it goes on as it comes");
    assert!(matches!(fault, Some(Fault::NotProduced(_))), "{fault:?}");
}

#[test]
fn a_model_that_calls_a_tool_or_declines_owes_no_json() {
    let declined = Part::new(PartBody::Refusal { text: "no".into() });
    let mut answer = answer(vec![Part::text("prose"), declined], FinishReason::Stop);
    assert_eq!(schema().settle(&mut answer), Ok(()));
    assert_eq!(answer.choices[0].parts.len(), 2);
}

#[test]
fn what_is_collected_has_a_limit() {
    let mut guard = Guard::new(Arc::new(schema()));
    let open = Delta::Open { choice: 0, part: 0, kind: PartKind::Text };
    guard.take(open, &mut |_| {}).expect("room");
    let text = ByteString::from("x".repeat(STRUCTURED_BYTES_MAX));
    guard.take(Delta::More { part: 0, text }, &mut |_| {}).expect("just enough room");
    let more = guard.take(Delta::More { part: 0, text: "x".into() }, &mut |_| {});
    assert!(matches!(more, Err(Fault::TooLong(_))), "{more:?}");
}
