//! Fixtures of the format: every case is read and written back, streams under every split of their
//! bytes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_domain::Usage;

use super::*;
use crate::capability::Capability;
use crate::conversation::{
    Answer, Choice, Conversation, FinishReason, Part, PartBody, Provenance, ReasoningBlock,
};
use crate::delta::{Close, Delta, Interpreter as _, PartKind, Renderer as _};
use crate::formats::golden::{cases, check_error, check_splits, expect, lines, text};
use crate::formats::openai_chat;
use crate::formats::seal::{Origin, Seal, Sealer, origin_of};
use crate::formats::translation::{AnswerIn, Leniency, Reply, Target};
use crate::frame::sse::{RECORD_BYTES_MAX, SseFramer};
use crate::provider::{Catalog, Quirks};

fn reply() -> Reply {
    let (model, id) = ("client-model".to_owned(), "call1".to_owned());
    Reply { model, id, created: 1, include_usage: true, seal: None }
}

#[test]
fn every_fixture_reads_and_writes_as_expected() {
    let cases = cases("anthropic_messages");
    assert!(cases.len() >= 15, "the fixtures are there");
    for case in cases {
        assert!(case.join("origin.toml").exists(), "{}", case.display());
        let given = ["request.json", "answer.json", "answer.sse", "error.json"];
        match given.map(|name| fs::read(case.join(name))) {
            [Ok(body), ..] => check_request(&case, &body.into()),
            [_, Ok(body), ..] => check_answer(&case, &body),
            [_, _, Ok(stream), _] => check_stream(&case, &stream),
            [.., Ok(body)] => check_error(&case, read_error(&body)),
            _ => panic!("{} holds nothing", case.display()),
        }
    }
}

fn check_request(case: &Path, body: &Bytes) {
    let conversation = match to_conversation(body, None) {
        Ok(conversation) => conversation,
        Err(problem) => return expect(case, "refused.txt", &format!("{problem}\n")),
    };
    expect(case, "conversation.txt", &format!("{conversation:#?}\n"));
    let model = conversation.model.as_str();
    let target = Target {
        model,
        capability: Capability::of("anthropic", model),
        quirks: Quirks::none(),
        leniency: Leniency::default(),
    };
    let written = from_conversation(&conversation, &target).expect("its own format");
    expect(case, "to.anthropic_messages.json", text(&written.body));
    let changed = format!("dropped: {:?}\nadjusted: {:?}\n", written.dropped, written.adjusted);
    expect(case, "to.anthropic_messages.txt", &changed);
    check_chat(case, &conversation);
    // What was written reads as the same conversation and is written the same again.
    let again = to_conversation(&written.body, None).expect("what is written reads");
    let rewritten = from_conversation(&again, &target).expect("its own format");
    assert_eq!(rewritten.body, written.body, "{}", case.display());
}

/// The same request for upstreams of the chat format: a reasoning model, and a provider that wants
/// its reasoning back.
fn check_chat(case: &Path, conversation: &Conversation) {
    let catalog = Catalog::embedded().expect("the catalog");
    for (name, provider, model) in
        [("openai_chat", "openai", "gpt-5.2"), ("reasoner", "deepseek", "deepseek-v4-pro")]
    {
        let target = Target {
            model,
            capability: Capability::of(provider, model),
            quirks: &catalog.find(provider).expect("a provider").quirks,
            leniency: Leniency { drops: true, ..Leniency::default() },
        };
        let written = openai_chat::from_conversation(conversation, &target)
            .unwrap_or_else(|problem| panic!("{}: {problem}", case.display()));
        expect(case, &format!("to.{name}.json"), text(&written.body));
        let changed = format!("dropped: {:?}\nadjusted: {:?}\n", written.dropped, written.adjusted);
        expect(case, &format!("to.{name}.txt"), &changed);
        openai_chat::to_conversation(&written.body, None).expect("what is written reads");
    }
}

fn check_answer(case: &Path, body: &[u8]) {
    match to_answer(body).expect("an object") {
        AnswerIn::Error(error) => expect(case, "error.txt", &format!("{error:#?}\n")),
        AnswerIn::Answer(answer) => {
            let written = from_answer(&answer, &reply());
            expect(case, "to.client.json", text(&written));
            let chat = openai_chat::from_answer(&answer, &reply());
            expect(case, "to.openai_chat.json", text(&chat));
            let AnswerIn::Answer(again) = to_answer(&written).expect("an object") else {
                panic!("{} reads as an error", case.display());
            };
            let sums = |usage: Option<Usage>| usage.map(|u| (u.prompt(), u.completion()));
            assert_eq!(sums(again.usage.clone()), sums(answer.usage), "{}", case.display());
            assert_eq!(from_answer(&again, &reply()), written, "{}", case.display());
        }
    }
}

fn check_stream(case: &Path, stream: &[u8]) {
    let read = |pieces: &[&[u8]], _| interpret(pieces.iter().copied());
    let deltas = check_splits(case, stream, &[Close::Cut], &read);
    expect(case, "deltas.txt", &lines(&deltas));
    let rendered = render(&deltas);
    expect(case, "to.client.sse", text(&rendered));
    let mut chat = openai_chat::OpenAiChatRenderer::new(reply());
    let mut out = Vec::new();
    deltas.iter().for_each(|delta| chat.delta(delta, &mut out));
    expect(case, "to.openai_chat.sse", text(&out));
    let kept = |deltas: &[Delta]| -> Vec<Delta> {
        let beside =
            |d: &&Delta| !matches!(d, Delta::Begin { .. } | Delta::Usage(_) | Delta::Failed(_));
        deltas.iter().filter(beside).cloned().collect()
    };
    assert_eq!(kept(&interpret([rendered.as_slice()])), kept(&deltas), "{}", case.display());
}

fn interpret<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Delta> {
    let mut framer = SseFramer::new(RECORD_BYTES_MAX);
    let mut interpreter = MessagesInterpreter::new();
    let mut deltas = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        while let Some(frame) = framer.next_frame().expect("short records") {
            let Some(data) = frame.data() else { continue };
            interpreter.record(frame.event(), &data, &mut deltas).expect("valid records");
        }
    }
    interpreter.close(Close::Cut, &mut deltas);
    deltas
}

fn render(deltas: &[Delta]) -> Vec<u8> {
    let mut renderer = MessagesRenderer::new(reply());
    let mut out = Vec::new();
    deltas.iter().for_each(|delta| renderer.delta(delta, &mut out));
    out
}

/// What a reply's reasoning is signed with.
fn seal() -> Seal {
    let sealer = Arc::new(Sealer::new([7; 32]));
    Seal { sealer, origin: Origin::of("acme", "thinker") }
}

/// The deltas of an answer that thinks in two steps beside its text.
fn thought() -> Vec<Delta> {
    let more = |part, text: &str| Delta::More { part, text: text.into() };
    let open = |part, kind| Delta::Open { choice: 0, part, kind };
    let provenance = Provenance::Plain;
    vec![
        Delta::Begin { id: None, model: None, created: None },
        open(0, PartKind::Text),
        more(0, "Well."),
        open(1, PartKind::Reasoning { provenance }),
        more(1, "Hm, "),
        more(1, "so."),
        Delta::Close { part: 0 },
        Delta::Close { part: 1 },
        open(2, PartKind::Reasoning { provenance }),
        more(2, "More."),
        Delta::Close { part: 2 },
        open(3, PartKind::Reasoning { provenance: Provenance::AnthropicMessages }),
        more(3, "Signed."),
        Delta::Seal { part: 3, seal: "c2ln".into() },
        Delta::Close { part: 3 },
        Delta::End,
    ]
}

#[test]
fn plain_reasoning_is_signed_once_at_its_end() {
    let seal = seal();
    let mut renderer = MessagesRenderer::new(Reply { seal: Some(seal.clone()), ..reply() });
    let mut out = Vec::new();
    thought().iter().for_each(|delta| renderer.delta(delta, &mut out));
    let seals: Vec<(u32, String)> = interpret([out.as_slice()])
        .into_iter()
        .filter_map(|delta| match delta {
            Delta::Seal { part, seal } => Some((part, seal.to_string())),
            _ => None,
        })
        .collect();
    let ours = |text| seal.sealer.seal(&seal.origin, text);
    let wanted = vec![(1, ours("Hm, so.")), (2, ours("More.")), (3, "c2ln".to_owned())];
    assert_eq!(seals, wanted);
    assert!(!text(&render(&thought())).contains("gw1."), "without a key nothing is signed");
}

#[test]
fn a_buffered_answer_is_signed_alike_and_reads_back_as_whose_it_is() {
    let seal = seal();
    let block = ReasoningBlock {
        text: "Hm.".into(),
        seal: None,
        redacted: false,
        provenance: Provenance::Plain,
    };
    let parts = vec![Part::new(PartBody::Reasoning(block)), Part::text("Yes.")];
    let choice = Choice { parts, finish: Some(FinishReason::Stop), stop_sequence: None };
    let (id, model, created, usage) = (None, None, None, None);
    let answer = Answer { id, model, created, choices: vec![choice], usage };
    let written = from_answer(&answer, &Reply { seal: Some(seal.clone()), ..reply() });
    let written: Value = serde_json::from_slice(&written).expect("JSON");
    let signature = written["content"][0]["signature"].as_str().expect("a signature");
    assert_eq!(signature, seal.sealer.seal(&seal.origin, "Hm."));

    let strange = Sealer::new([8; 32]);
    for (sealer, kept) in [(Some(&*seal.sealer), true), (Some(&strange), false), (None, false)] {
        let turn = json!([{"role": "user", "content": "Hi"},
            {"role": "assistant", "content": written["content"]},
            {"role": "user", "content": "And?"}]);
        let body = json!({"model": "m", "max_tokens": 9, "messages": turn}).to_string();
        let read = to_sealed_conversation(&body.into(), None, sealer).expect("a request");
        let PartBody::Reasoning(block) = &read.messages[1].parts[0].body else {
            panic!("reasoning");
        };
        assert_eq!((&*block.text, block.provenance), ("Hm.", Provenance::Plain));
        let origin = block.seal.as_deref().and_then(origin_of);
        assert_eq!(origin.as_ref() == Some(&seal.origin), kept);
        // The vendor of the format would refuse our signature; others may have the text.
        let capability = &Capability::UNKNOWN;
        let (model, leniency) = ("m", Leniency::default());
        let target = Target { model, capability, quirks: Quirks::none(), leniency };
        let native = from_conversation(&read, &target).expect("its own format");
        assert!(!text(&native.body).contains("thinking"), "{}", text(&native.body));
    }
}
