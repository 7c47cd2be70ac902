//! Streamed answers: any split of the bytes gives the same deltas, which obey the laws, a cut is
//! never an end, and every client is written a well-formed stream.

use tollgate_wire::delta::{Close, Delta};
use tollgate_wire::formats::openai_chat::{ObserverOptions, Relay, StreamFacts, StreamObserver};
use tollgate_wire::frame::aws_events::{AWS_EVENT_BYTES_MAX, AwsEventFramer};
use tollgate_wire::frame::json_lines::JsonFramer;
use tollgate_wire::{RECORD_BYTES_MAX, SseFramer};

use super::client_streams::Ended;
use super::deltas::obey_the_laws;
use super::formats::{self, CLIENTS, Framing, Upstream, reply};
use super::frames::{pieces, splits};

/// One record of a stream: an event's name, and its data.
type Record = (Option<String>, Vec<u8>);

/// The body of the targets `stream_…`.
pub(crate) fn check(upstream: &Upstream, stream: &[u8]) {
    let whole = interpret(upstream, &[stream], Close::Clean);
    obey_the_laws(&whole);
    for at in splits(stream) {
        let (head, tail) = stream.split_at(at);
        assert_eq!(interpret(upstream, &[head, tail], Close::Clean), whole, "split at {at}");
        obey_the_laws(&interpret(upstream, &[head], Close::Cut));
    }
    assert_eq!(interpret(upstream, &pieces(stream), Close::Clean), whole, "byte by byte");
    obey_the_laws(&interpret(upstream, &[stream], Close::Cut));
    check_clients(&whole);
    if upstream.name == "openai_chat" {
        check_observer(stream);
    }
}

/// What every client is written of these deltas.
pub(crate) fn check_clients(deltas: &[Delta]) {
    let ended = match deltas.last() {
        Some(Delta::End) => Ended::Whole,
        Some(Delta::Failed(_)) => Ended::Failed,
        _ => Ended::Cut,
    };
    for client in &CLIENTS {
        let write = || {
            let mut renderer = (client.renderer)(reply());
            let mut out = Vec::new();
            deltas.iter().for_each(|delta| renderer.delta(delta, &mut out));
            out
        };
        let written = write();
        assert_eq!(write(), written, "{}: writing is a function", client.name);
        (client.check_stream)(&written, ended);
        let Some(upstream) = formats::upstream(client.name) else { continue };
        let again = interpret(upstream, &[&written], Close::Cut);
        obey_the_laws(&again);
        if ended != Ended::Whole {
            assert!(!again.contains(&Delta::End), "{}: {deltas:#?}", client.name);
        }
    }
}

/// What an interpreter makes of a stream that arrives in these pieces.
///
/// # Panics
/// When a cut becomes an end, or an error does not stay one.
pub(crate) fn interpret(upstream: &Upstream, pieces: &[&[u8]], how: Close) -> Vec<Delta> {
    let mut interpreter = (upstream.interpreter)();
    let mut deltas = Vec::new();
    let mut broken = false;
    for (event, data) in records(upstream.framing, pieces, how) {
        if let Err(problem) = interpreter.record(event.as_deref(), &data, &mut deltas) {
            assert!(!problem.is_empty());
            broken = true;
            break;
        }
    }
    let said = deltas.len();
    let how = if broken { Close::Cut } else { how };
    interpreter.close(how, &mut deltas);
    if how == Close::Cut {
        let after = deltas.get(said..).unwrap_or_default();
        assert!(!after.contains(&Delta::End), "a cut is no end: {deltas:#?}");
    }
    deltas
}

fn records(framing: Framing, pieces: &[&[u8]], how: Close) -> Vec<Record> {
    let json = pieces.iter().find_map(|piece| piece.first()).is_some_and(|byte| *byte == b'[');
    match framing {
        Framing::JsonLines => json_records(pieces),
        Framing::Aws => aws_records(pieces),
        Framing::SseOrJson if json => json_records(pieces),
        Framing::Sse | Framing::SseOrJson => sse_records(pieces, how),
    }
}

fn json_records(pieces: &[&[u8]]) -> Vec<Record> {
    let mut framer = JsonFramer::new(RECORD_BYTES_MAX);
    let mut records = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Ok(Some(record)) = framer.next_record() {
            records.push((None, record.to_vec()));
        }
    }
    records
}

/// The messages of an AWS event stream; what an exception is called stands in for an event's name.
fn aws_records(pieces: &[&[u8]]) -> Vec<Record> {
    let mut framer = AwsEventFramer::new(AWS_EVENT_BYTES_MAX);
    let mut records = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Ok(Some(message)) = framer.next_record() {
            let name = message.event_type().or_else(|| message.exception_type());
            records.push((name.map(str::to_owned), message.payload().to_vec()));
        }
    }
    records
}

fn sse_records(pieces: &[&[u8]], how: Close) -> Vec<Record> {
    let mut framer = SseFramer::new(RECORD_BYTES_MAX);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Ok(Some(frame)) = framer.next_frame() {
            frames.push(frame);
        }
    }
    if how == Close::Clean {
        frames.extend(framer.finish());
    }
    let records = frames
        .iter()
        .filter_map(|frame| Some((frame.event().map(str::to_owned), frame.data()?.into_owned())));
    records.collect()
}

/// The passthrough of the same format: it forwards whole events and sees the same under any split.
fn check_observer(stream: &[u8]) {
    for forward_usage in [false, true] {
        let whole = observe(&[stream], forward_usage);
        assert_eq!(observe(&pieces(stream), forward_usage), whole);
    }
}

fn observe(pieces: &[&[u8]], forward_usage: bool) -> (Vec<u8>, StreamFacts) {
    let client_model = "client-\"model".to_owned();
    let options = ObserverOptions { client_model, forward_usage, rename: true };
    let mut observer = StreamObserver::new(options);
    let mut framer = SseFramer::new(RECORD_BYTES_MAX);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Ok(Some(frame)) = framer.next_frame() {
            frames.push(frame);
        }
    }
    frames.extend(framer.finish());
    let mut sent = Vec::new();
    for frame in frames {
        match observer.frame(frame) {
            Relay::Forward(bytes) => sent.extend_from_slice(&bytes),
            Relay::Withhold => {}
            Relay::Failed(_) => break,
        }
    }
    (sent, observer.close())
}
