//! What must hold for every stream that a client is written: each format's events in their order.

use serde::Deserialize;
use tollgate_wire::{RECORD_BYTES_MAX, SseFrame, SseFramer};

use super::valid::assert_object;

/// How the answer that was written ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is complete.
    Whole,
    /// The upstream reported an error.
    Failed,
    /// It broke off.
    Cut,
}

/// The members that order is told by. A member that stands twice does not read.
#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: Option<String>,
    index: Option<u64>,
    sequence_number: Option<u64>,
    output_index: Option<u64>,
}

/// A chunk of `openai_chat`.
#[derive(Debug, Deserialize)]
struct Chunk {
    choices: Vec<ChunkChoice>,
}

#[derive(Debug, Deserialize)]
struct ChunkChoice {
    index: u64,
    delta: ChunkDelta,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ChunkDelta {
    role: Option<String>,
}

/// Chunks, each choice begun with its role and ended once; `[DONE]` behind a whole answer only.
pub(crate) fn openai_chat(stream: &[u8], ended: Ended) {
    let mut done = false;
    let mut begun = Vec::new();
    let mut finished = Vec::new();
    for frame in frames(stream) {
        let data = data(&frame);
        assert!(!done, "nothing follows the end");
        if data == b"[DONE]" {
            done = true;
            continue;
        }
        assert_object(&data, "a chunk");
        if data.starts_with(b"{\"error\"") {
            assert_eq!(ended, Ended::Failed);
            continue;
        }
        for choice in read::<Chunk>(&data).choices {
            let first = choice.delta.role.is_some();
            assert_eq!(first, !begun.contains(&choice.index), "a role comes once and first");
            assert!(!finished.contains(&choice.index), "nothing follows the end of a choice");
            begun.extend(first.then_some(choice.index));
            finished.extend(choice.finish_reason.map(|_| choice.index));
        }
    }
    assert_eq!(done, ended == Ended::Whole, "only a whole answer is done");
}

/// One message of blocks that stand one behind the other, counted from 0.
pub(crate) fn anthropic_messages(stream: &[u8], ended: Ended) {
    let mut begun = false;
    let mut over = false;
    let mut blocks = 0;
    let mut open = false;
    for frame in frames(stream) {
        let (event, kind) = named_event(&frame);
        assert!(!over, "nothing follows the end");
        assert_eq!(begun, kind != "message_start", "a message begins once and first");
        match &*kind {
            "message_start" => begun = true,
            "content_block_start" => {
                assert!(!open && event.index == Some(blocks), "one block after the other");
                open = true;
            }
            "content_block_delta" => assert!(open && event.index == Some(blocks)),
            "content_block_stop" => {
                assert!(open && event.index == Some(blocks));
                (open, blocks) = (false, blocks + 1);
            }
            "message_delta" => assert!(!open, "a message ends behind its blocks"),
            "message_stop" => over = true,
            other => panic!("`{other}` is no event of the format"),
        }
    }
    assert!(!open, "what begins ends");
    assert_eq!(over, ended == Ended::Whole, "only a whole answer ends");
}

/// Events numbered from 0; items added and done once, in the order of their index.
pub(crate) fn openai_responses(stream: &[u8], ended: Ended) {
    let mut over = false;
    let mut items = 0;
    let mut done = Vec::new();
    for (number, frame) in frames(stream).iter().enumerate() {
        let (event, kind) = named_event(frame);
        assert!(!over, "nothing follows the end");
        assert_eq!(event.sequence_number, Some(number as u64), "events are counted");
        match &*kind {
            "response.output_item.added" => {
                assert_eq!(event.output_index, Some(items));
                items += 1;
            }
            "response.output_item.done" => {
                let index = event.output_index.expect("an index");
                assert!(index < items && !done.contains(&index), "an item is done once");
                done.push(index);
            }
            "response.completed" | "response.incomplete" => over = true,
            _ => assert!(event.output_index.is_none_or(|index| !done.contains(&index))),
        }
    }
    assert_eq!(over, ended == Ended::Whole, "only a whole answer ends");
    if over {
        assert_eq!(done.len() as u64, items, "every item of a whole answer is done");
    }
}

/// Events of JSON; only a whole answer says why it ended.
pub(crate) fn gemini(stream: &[u8], ended: Ended) {
    for frame in frames(stream) {
        let data = data(&frame);
        assert_object(&data, "an event");
        if ended != Ended::Whole {
            let finish = b"\"finishReason\":";
            let told = data.windows(finish.len()).any(|window| window == finish);
            assert!(!told, "a broken answer says why it ended");
        }
    }
}

/// The records of a stream, every one of which is ended by a blank line.
pub(crate) fn frames(stream: &[u8]) -> Vec<SseFrame> {
    assert!(std::str::from_utf8(stream).is_ok(), "a stream is text");
    let mut framer = SseFramer::new(RECORD_BYTES_MAX);
    framer.push(stream);
    let frames: Vec<SseFrame> =
        std::iter::from_fn(|| framer.next_frame().expect("short records")).collect();
    assert_eq!(framer.finish(), None, "every event is whole");
    frames
}

/// The data of an event.
pub(crate) fn data(frame: &SseFrame) -> Vec<u8> {
    frame.data().expect("every event holds data").into_owned()
}

/// An event whose name is also its type.
fn named_event(frame: &SseFrame) -> (Event, String) {
    let data = data(frame);
    assert_object(&data, "an event");
    let event: Event = read(&data);
    let kind = event.kind.clone().expect("every event has a type");
    assert_eq!(frame.event(), Some(&*kind), "an event's name is its type");
    (event, kind)
}

fn read<'a, T: Deserialize<'a>>(data: &'a [u8]) -> T {
    serde_json::from_slice(data)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(data)))
}
