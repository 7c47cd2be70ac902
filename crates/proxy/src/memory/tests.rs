//! What is remembered, for whom, for how long, and how much of it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tollgate_domain::Ticks;
use tollgate_wire::WireFormat;
use tollgate_wire::formats::anthropic_messages::Envelope;
use tollgate_wire::formats::translation::Reply;
use tollgate_wire::translate::{
    ClientFormat, ClientRequest, Pairing, PathSays, WholeAnswer, whole_answer,
};

use super::*;

/// A clock that is moved by hand, in seconds.
#[derive(Default)]
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed) * 1_000_000)
    }

    fn ticks(&self) -> Ticks {
        Ticks::from_nanos(0)
    }
}

/// What was thought before the call `id`, as an answer says it.
fn thought(id: &str, text: &str) -> Thought {
    let body = format!(
        r#"{{"choices":[{{"message":{{"reasoning_content":"{text}","content":null,"tool_calls":[
        {{"id":"{id}","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}]}},
        "finish_reason":"tool_calls"}}]}}"#
    );
    let asked = Bytes::from_static(br#"{"model":"m","messages":[{"role":"user","content":"q"}]}"#);
    let request = ClientRequest::read(ClientFormat::OpenAiChat, &asked, PathSays::default());
    let request = request.expect("a request");
    let pairing = Pairing::passing(&request, WireFormat::OpenAiChat, Envelope::Plain);
    let (model, id) = ("m".to_owned(), "call".to_owned());
    let reply = Reply { model, id, created: 1, include_usage: false, seal: None };
    match whole_answer(&pairing.noting_thoughts(), body.into(), &reply) {
        Ok(WholeAnswer::Answer { thought: Some(thought), .. }) => thought,
        other => panic!("no thought: {other:?}"),
    }
}

fn owner(name: &str) -> KeyId {
    KeyId::new(name).expect("an id")
}

fn text(found: Option<Arc<[ReasoningBlock]>>) -> Option<String> {
    found.map(|blocks| blocks.iter().map(|block| &*block.text).collect())
}

const LIMITS: ReasoningMemory =
    ReasoningMemory { bytes_max: 10_000, age_max: Duration::from_secs(60) };

#[test]
fn a_key_finds_its_own_thoughts_and_no_others() {
    let thoughts = Thoughts::new(Arc::new(HandClock::default()));
    let (ours, turn) = (owner("ours"), thought("a", "hm").turn);
    thoughts.keep(&ours, &thought("a", "hm"), LIMITS);
    assert_eq!(text(thoughts.find(&ours, turn)).as_deref(), Some("hm"));
    assert_eq!(text(thoughts.find(&owner("theirs"), turn)), None);
    assert_eq!(text(thoughts.find(&ours, thought("b", "hm").turn)), None);
    thoughts.keep(&ours, &thought("a", "again"), LIMITS);
    assert_eq!(text(thoughts.find(&ours, turn)).as_deref(), Some("again"));
}

#[test]
fn thoughts_are_forgotten_when_their_time_is_over() {
    let clock = Arc::new(HandClock::default());
    let thoughts = Thoughts::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let (ours, turn) = (owner("ours"), thought("a", "hm").turn);
    thoughts.keep(&ours, &thought("a", "hm"), LIMITS);
    clock.0.store(59, Ordering::Relaxed);
    assert!(thoughts.find(&ours, turn).is_some());
    clock.0.store(60, Ordering::Relaxed);
    assert!(thoughts.find(&ours, turn).is_none());
    thoughts.keep(&ours, &thought("b", "hm"), LIMITS);
    assert_eq!(thoughts.shelf.lock().expect("a lock").entries.len(), 1, "the old one is let go");
}

#[test]
fn the_oldest_go_first_and_no_more_is_held_than_may_be() {
    let thoughts = Thoughts::new(Arc::new(HandClock::default()));
    let ours = owner("ours");
    let long = "x".repeat(1_000);
    for round in 0..50 {
        thoughts.keep(&ours, &thought(&format!("id{round}"), &long), LIMITS);
        thoughts.keep(&ours, &thought("same", &long), LIMITS);
        let shelf = thoughts.shelf.lock().expect("a lock");
        assert!(shelf.bytes <= LIMITS.bytes_max, "{}", shelf.bytes);
        let held: usize = shelf.entries.values().map(|entry| entry.bytes).sum();
        assert_eq!(shelf.bytes, held);
        assert!(shelf.order.len() <= 2 * shelf.entries.len(), "{}", shelf.order.len());
    }
    assert!(thoughts.find(&ours, thought("id49", &long).turn).is_some());
    assert!(thoughts.find(&ours, thought("id0", &long).turn).is_none());
    thoughts.keep(&ours, &thought("huge", &"x".repeat(10_000)), LIMITS);
    assert!(thoughts.find(&ours, thought("id49", &long).turn).is_some(), "it drives out nothing");
}
