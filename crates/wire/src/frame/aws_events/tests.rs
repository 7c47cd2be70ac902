//! Event streams, however they are split and whatever is wrong with them.

use bytes::{BufMut as _, Bytes, BytesMut};
use proptest::prelude::*;

use super::{AWS_EVENT_BYTES_MAX, AwsEvent, AwsEventError, AwsEventFramer, message};

/// All messages of a stream that comes in these chunks, the error that ended it, and whether a
/// message was cut short.
fn cut<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]>,
    bytes_max: usize,
) -> (Vec<AwsEvent>, Option<AwsEventError>, bool) {
    let mut framer = AwsEventFramer::new(bytes_max);
    let mut events = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        loop {
            match framer.next_record() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => return (events, Some(error), framer.holds_rest()),
            }
        }
    }
    (events, None, framer.holds_rest())
}

fn error(stream: &[u8]) -> Option<AwsEventError> {
    cut([stream], AWS_EVENT_BYTES_MAX).1
}

fn delta() -> Bytes {
    let headers = [
        (":event-type", "contentBlockDelta"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    message(&headers, br#"{"contentBlockIndex":0}"#).expect("it fits")
}

/// A message of these bytes as headers and in front of no payload, its checksums right.
fn raw(headers: &[u8], headers_length: usize) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u32(u32::try_from(16 + headers.len()).expect("small"));
    out.put_u32(u32::try_from(headers_length).expect("small"));
    out.put_u32(crc32fast::hash(&out));
    out.put_slice(headers);
    out.put_u32(crc32fast::hash(&out));
    out.freeze()
}

#[test]
fn a_message_has_its_type_its_event_and_its_payload() {
    let (events, error, cut_short) = cut([&*delta()], AWS_EVENT_BYTES_MAX);
    let [event] = events.as_slice() else { panic!("one message, not {events:?}") };
    assert_eq!((error, cut_short), (None, false));
    assert_eq!(event.message_type(), Some("event"));
    assert_eq!(event.event_type(), Some("contentBlockDelta"));
    assert_eq!(event.header(":content-type"), Some("application/json"));
    assert_eq!((event.exception_type(), event.header("content")), (None, None));
    assert_eq!(*event.payload(), r#"{"contentBlockIndex":0}"#);
}

#[test]
fn an_exception_is_called_by_its_type_or_its_code() {
    for headers in [
        [(":message-type", "exception"), (":exception-type", "throttlingException")],
        [(":message-type", "error"), (":error-code", "throttlingException")],
    ] {
        let written = message(&headers, b"{}").expect("it fits");
        let (events, ..) = cut([&*written], AWS_EVENT_BYTES_MAX);
        assert_eq!(events[0].exception_type(), Some("throttlingException"));
        assert_eq!(events[0].message_type(), Some(headers[0].1));
    }
}

#[test]
fn a_message_written_by_hand_is_read() {
    // Twelve bytes of prelude, no headers, no payload; checksums computed by another program.
    let empty = [0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff];
    assert_eq!(message(&[], b"").expect("it fits"), empty.as_slice());
    assert_eq!(cut([empty.as_slice()], 16).0.len(), 1);
}

#[test]
fn headers_of_every_type_are_passed_over() {
    let lengths: [(u8, usize); 8] =
        [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)];
    let mut headers = BytesMut::new();
    for (kind, length) in lengths {
        headers.put_slice(&[1, b'x', kind]);
        headers.put_bytes(0xff, length);
    }
    headers.put_slice(&[1, b'x', 6, 0, 3, 0xff, 0xff, 0xff]);
    headers.put_slice(&[1, b'a', 7, 0, 1, b'b']);
    let stream = raw(&headers, headers.len());
    let (events, error, _) = cut([&*stream], AWS_EVENT_BYTES_MAX);
    assert_eq!(error, None);
    assert_eq!(events[0].header("a"), Some("b"));
    assert_eq!(events[0].header("x"), None);
}

#[test]
fn headers_that_cannot_be_read_are_an_error() {
    let cases: [&[u8]; 8] = [
        &[1],
        &[1, b'x'],
        &[1, b'x', 10],
        &[1, b'x', 2],
        &[1, b'x', 7, 0],
        &[1, b'x', 7, 0, 2, b'b'],
        &[1, b'x', 7, 0, 1, 0xff],
        &[255, b'x', 0],
    ];
    for headers in cases {
        assert_eq!(error(&raw(headers, headers.len())), Some(AwsEventError::Headers));
    }
}

#[test]
fn lengths_that_contradict_each_other_are_an_error() {
    assert_eq!(error(&raw(b"", 1)), Some(AwsEventError::Lengths));
    assert_eq!(error(&raw(b"xyz", usize::from(u16::MAX))), Some(AwsEventError::Lengths));
    let mut short = BytesMut::new();
    short.put_u32(15);
    short.put_u32(0);
    short.put_u32(crc32fast::hash(&short));
    assert_eq!(error(&short), Some(AwsEventError::Lengths));
}

#[test]
fn an_error_is_final_and_comes_after_the_messages_before_it() {
    let mut stream = delta().to_vec();
    let first = stream.len();
    stream.extend_from_slice(&delta());
    stream[first + 40] ^= 1;
    let (events, error, _) = cut([stream.as_slice()], AWS_EVENT_BYTES_MAX);
    assert_eq!((events.len(), error), (1, Some(AwsEventError::Checksum)));

    let mut framer = AwsEventFramer::new(AWS_EVENT_BYTES_MAX);
    framer.push(&[0; 12]);
    assert_eq!(framer.next_record(), Err(AwsEventError::PreludeChecksum));
    framer.push(&delta());
    assert_eq!(framer.next_record(), Err(AwsEventError::PreludeChecksum));
}

#[test]
fn a_message_may_be_as_long_as_the_limit_and_no_longer() {
    let stream = delta();
    let bytes = stream.len();
    assert_eq!(cut([&*stream], bytes).0.len(), 1);
    let too_long = AwsEventError::TooLong { bytes, bytes_max: bytes - 1 };
    assert_eq!(cut([&stream[..12]], bytes - 1).1, Some(too_long), "known from its first bytes");
    assert_eq!(cut([&stream[..11]], bytes - 1), (vec![], None, true));
}

#[test]
fn what_does_not_fit_its_field_is_not_written() {
    let (name, value) = ("n".repeat(255), "v".repeat(65_535));
    let written = message(&[(&name, &value)], b"").expect("it fits");
    let (events, ..) = cut([&*written], AWS_EVENT_BYTES_MAX);
    assert_eq!(events[0].header(&name), Some(&*value));
    assert_eq!(message(&[(&"n".repeat(256), "")], b""), None);
    assert_eq!(message(&[("n", &"v".repeat(65_536))], b""), None);
}

fn chunks<'a>(stream: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    let mut rest = stream;
    for length in lengths {
        let (chunk, after) = rest.split_at((*length).min(rest.len()));
        chunks.push(chunk);
        rest = after;
    }
    chunks.push(rest);
    chunks
}

proptest! {
    #[test]
    fn any_split_gives_every_message_back(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6),
        lengths in prop::collection::vec(0_usize..40, 0..40),
    ) {
        let mut stream = Vec::new();
        for payload in &payloads {
            let headers = [(":event-type", "a"), ("b", "")];
            stream.extend_from_slice(&message(&headers, payload).expect("it fits"));
        }
        let (events, error, cut_short) = cut(chunks(&stream, &lengths), AWS_EVENT_BYTES_MAX);
        let read: Vec<&[u8]> = events.iter().map(|event| &**event.payload()).collect();
        prop_assert_eq!(read, payloads.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert!(events.iter().all(|event| event.event_type() == Some("a")));
        prop_assert_eq!((error, cut_short), (None, false));
    }

    #[test]
    fn one_wrong_bit_is_always_found(at in any::<prop::sample::Index>(), bit in 0_u32..8) {
        let mut stream = delta().to_vec();
        let at = at.index(stream.len());
        stream[at] ^= 1 << bit;
        let wanted = if at < 12 { AwsEventError::PreludeChecksum } else { AwsEventError::Checksum };
        prop_assert_eq!(error(&stream), Some(wanted));
    }

    #[test]
    fn any_bytes_are_cut_alike_however_they_are_split(
        headers in prop::collection::vec(any::<u8>(), 0..40),
        headers_length in 0_usize..50,
        tail in prop::collection::vec(any::<u8>(), 0..40),
        lengths in prop::collection::vec(0_usize..9, 0..40),
    ) {
        let mut stream = raw(&headers, headers_length).to_vec();
        stream.extend_from_slice(&tail);
        let whole = cut([stream.as_slice()], 64);
        let split = cut(chunks(&stream, &lengths), 64);
        prop_assert_eq!((whole.0, whole.1), (split.0, split.1));
    }
}
