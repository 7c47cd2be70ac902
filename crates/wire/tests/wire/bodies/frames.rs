//! Framing: any split of the bytes gives the same records, and no byte is lost.

use tollgate_wire::frame::aws_events::{self, AWS_EVENT_BYTES_MAX, AwsEventFramer};
use tollgate_wire::frame::json_lines::JsonFramer;
use tollgate_wire::frame::sse;
use tollgate_wire::{RECORD_BYTES_MAX, SseFrame, SseFramer};

/// A limit that short streams pass.
const SHORT: usize = 48;

/// Most places where one stream is split in two.
const SPLITS_MAX: usize = 24;

/// The offsets where a stream is split in two: every one of a short stream.
pub(crate) fn splits(stream: &[u8]) -> impl Iterator<Item = usize> + use<> {
    (0..stream.len()).step_by(stream.len() / SPLITS_MAX + 1)
}

/// A stream byte by byte.
pub(crate) fn pieces(stream: &[u8]) -> Vec<&[u8]> {
    stream.chunks(1).collect()
}

/// # Panics
/// When two splits of a stream give different records.
fn same_under_splits<T: PartialEq + std::fmt::Debug>(
    stream: &[u8],
    cut: impl Fn(&[&[u8]]) -> T,
) -> T {
    let whole = cut(&[stream]);
    for at in splits(stream) {
        let (head, tail) = stream.split_at(at);
        assert_eq!(cut(&[head, tail]), whole, "split at {at}");
    }
    assert_eq!(cut(&pieces(stream)), whole, "byte by byte");
    whole
}

/// The body of the target `frame_sse`.
pub(crate) fn sse(stream: &[u8]) {
    same_under_splits(stream, |pieces| sse_frames(pieces, SHORT));
    let (frames, too_long) =
        same_under_splits(stream, |pieces| sse_frames(pieces, RECORD_BYTES_MAX));
    let joined: Vec<u8> = frames.iter().flat_map(|frame| frame.raw().to_vec()).collect();
    assert!(stream.starts_with(&joined), "records are the stream's bytes");
    if !too_long {
        let rest = stream.get(joined.len()..).unwrap_or_default();
        assert!(rest.trim_ascii().is_empty(), "nothing but white space is left over");
    }
    for frame in &frames {
        check_frame(frame);
    }
    if let Ok(text) = std::str::from_utf8(stream) {
        check_event(text);
    }
}

fn sse_frames(pieces: &[&[u8]], bytes_max: usize) -> (Vec<SseFrame>, bool) {
    let mut framer = SseFramer::new(bytes_max);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(framer.next_frame(), Err(error), "it stays an error");
                    return (frames, true);
                }
            }
        }
    }
    frames.extend(framer.finish());
    (frames, false)
}

/// A record whose data is edited keeps what else it says.
fn check_frame(frame: &SseFrame) {
    let data = frame.data().map(std::borrow::Cow::into_owned);
    assert!(data.as_ref().is_none_or(|data| data.len() <= frame.raw().len()));
    let Some(data) = data else { return };
    let part = data.len() / 3..data.len() / 2;
    let edited = SseFrame::from_raw(frame.with_data_part(&part, b"{}"));
    let mut expected = data;
    expected.splice(part, *b"{}");
    assert_eq!(edited.event(), frame.event(), "the event keeps its name");
    assert_eq!(edited.data().as_deref(), Some(&*expected), "the part is replaced");
}

/// Data that becomes an event reads back, its line ends as line feeds.
fn check_event(text: &str) {
    let event = sse::event(text);
    let (frames, _) = sse_frames(&[&event], RECORD_BYTES_MAX);
    if !text.contains('\r') {
        let data: Vec<_> = frames.iter().filter_map(SseFrame::data).collect();
        assert_eq!(data, [text.as_bytes()]);
    }
}

/// The body of the target `frame_json_lines`.
pub(crate) fn json_lines(stream: &[u8]) {
    same_under_splits(stream, |pieces| json_records(pieces, SHORT));
    let (records, _) = same_under_splits(stream, |pieces| json_records(pieces, RECORD_BYTES_MAX));
    let mut rest = stream;
    for record in &records {
        assert!(record.starts_with(b"{") && record.ends_with(b"}") | record.ends_with(b"]"));
        let at = rest.windows(record.len()).position(|window| window == record);
        rest = rest.split_at(at.expect("records are the stream's bytes") + record.len()).1;
    }
}

fn json_records(pieces: &[&[u8]], bytes_max: usize) -> (Vec<Vec<u8>>, String) {
    let mut framer = JsonFramer::new(bytes_max);
    let mut records = Vec::new();
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next_record() {
                Ok(Some(record)) => {
                    assert!(record.len() <= bytes_max);
                    records.push(record.to_vec());
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(framer.next_record(), Err(error), "it stays an error");
                    return (records, error.to_string());
                }
            }
        }
    }
    (records, format!("rest: {}", framer.holds_rest()))
}

/// The body of the target `frame_aws_events`: the bytes as they are, and as the headers and the
/// payload of a message whose checksums are right.
pub(crate) fn aws_events(stream: &[u8]) {
    same_under_splits(stream, |pieces| aws_records(pieces, SHORT));
    same_under_splits(stream, |pieces| aws_records(pieces, AWS_EVENT_BYTES_MAX));
    let Some((first, rest)) = stream.split_first() else { return };
    let (headers, payload) = rest.split_at(usize::from(*first).min(rest.len()));
    let sealed = sealed_message(headers, payload);
    let (messages, told) = same_under_splits(&sealed, |p| aws_records(p, AWS_EVENT_BYTES_MAX));
    match messages.as_slice() {
        [only] => assert_eq!(only.payload(), payload, "the payload is kept"),
        _ => assert!(told.contains("headers"), "only headers can be wrong: {told}"),
    }
    if let Ok(text) = std::str::from_utf8(headers) {
        check_message(text, payload);
    }
    let mut damaged = sealed;
    let at = usize::from(*first) % damaged.len();
    damaged[at] ^= 1 << (first % 8);
    let (messages, told) = aws_records(&[&damaged], AWS_EVENT_BYTES_MAX);
    assert!(messages.is_empty() && !told.starts_with("rest: false"), "a damaged message is none");
}

/// A message that the crate writes reads back.
fn check_message(text: &str, payload: &[u8]) {
    let written = aws_events::message(&[(":event-type", text), ("b", "c")], payload);
    let Some(written) = written else { return };
    let (messages, _) = aws_records(&[&written], AWS_EVENT_BYTES_MAX);
    let [message] = messages.as_slice() else { panic!("one message") };
    assert_eq!((message.event_type(), message.header("b")), (Some(text), Some("c")));
    assert_eq!(message.payload(), payload);
}

fn aws_records(pieces: &[&[u8]], bytes_max: usize) -> (Vec<aws_events::AwsEvent>, String) {
    let mut framer = AwsEventFramer::new(bytes_max);
    let mut messages = Vec::new();
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next_record() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(framer.next_record(), Err(error), "it stays an error");
                    return (messages, error.to_string());
                }
            }
        }
    }
    (messages, format!("rest: {}", framer.holds_rest()))
}

/// A message with checksums that are right, whatever its headers are.
fn sealed_message(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).expect("short inputs").to_be_bytes();
    let mut message = Vec::new();
    message.extend(length(16 + headers.len() + payload.len()));
    message.extend(length(headers.len()));
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.extend_from_slice(headers);
    message.extend_from_slice(payload);
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message
}
