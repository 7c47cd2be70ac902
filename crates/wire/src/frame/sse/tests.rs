//! Server-sent events in every spelling and split.

use bytes::Bytes;
use proptest::prelude::*;

use super::{RecordTooLong, SseFrame, SseFramer, event};

/// Every record of a stream that arrives in these chunks, the unfinished one at its end included.
fn frames<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut framer = SseFramer::new(super::RECORD_BYTES_MAX);
    let mut frames = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        while let Some(frame) = framer.next_frame().expect("a short record") {
            frames.push(frame.raw().to_vec());
        }
    }
    frames.extend(framer.finish().map(|frame| frame.raw().to_vec()));
    frames
}

fn frame(raw: &str) -> SseFrame {
    SseFrame::from_raw(Bytes::copy_from_slice(raw.as_bytes()))
}

fn data(raw: &str) -> Option<String> {
    frame(raw).data().map(|data| String::from_utf8(data.into_owned()).expect("UTF-8"))
}

#[test]
fn a_record_ends_at_its_blank_line_whatever_ends_its_lines() {
    let cases: [(&str, &[&str]); 9] = [
        ("data: a\n\ndata: b\n\n", &["data: a\n\n", "data: b\n\n"]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", &["data: a\r\n\r\n", "data: b\r\n\r\n"]),
        ("data: a\r\rdata: b\r\r", &["data: a\r\r", "data: b\r\r"]),
        ("data: a\n\r\ndata: b\r\n\n", &["data: a\n\r\n", "data: b\r\n\n"]),
        (": ping\n\ndata: a\n\n", &[": ping\n\n", "data: a\n\n"]),
        ("\n\ndata: a\n\n", &["\n", "\n", "data: a\n\n"]),
        ("\u{FEFF}data: a\n\ndata: b\n\n", &["\u{FEFF}data: a\n\n", "data: b\n\n"]),
        ("\u{FEFF}\ndata: a\n\n", &["\u{FEFF}\n", "data: a\n\n"]),
        ("data: a\n\ndata: b", &["data: a\n\n", "data: b"]),
    ];
    for (stream, wanted) in cases {
        let found = frames([stream.as_bytes()]);
        let found: Vec<&str> =
            found.iter().map(|raw| std::str::from_utf8(raw).expect("UTF-8")).collect();
        assert_eq!(found, wanted, "{stream:?}");
    }
}

#[test]
fn nothing_or_blank_at_the_end_is_no_record() {
    assert_eq!(frames([b"data: a\n\n".as_slice()]).len(), 1);
    for rest in ["", " ", "\r", "\r\n"] {
        let stream = format!("data: a\n\n{rest}");
        let mut framer = SseFramer::new(100);
        framer.push(stream.as_bytes());
        while framer.next_frame().expect("a short record").is_some() {}
        assert_eq!(framer.finish(), None, "{rest:?}");
    }
}

#[test]
fn a_record_that_ends_in_line_feeds_is_given_out_at_once() {
    let mut framer = SseFramer::new(100);
    framer.push(b"data: a\r\n\r");
    assert_eq!(framer.next_frame(), Ok(None), "the line feed may still come");
    framer.push(b"\n");
    let raw = framer.next_frame().expect("short").map(SseFrame::into_raw);
    assert_eq!(raw.as_deref(), Some(b"data: a\r\n\r\n".as_slice()));
}

#[test]
fn the_record_limit_is_exact_and_lasting() {
    for (chunk, limit) in [("data: abc\n\n", 11), ("data: abc\r\n\r\n", 13)] {
        let mut fitting = SseFramer::new(limit);
        fitting.push(chunk.as_bytes());
        assert!(fitting.next_frame().expect("at the limit").is_some());

        let mut exceeding = SseFramer::new(limit - 1);
        exceeding.push(chunk.as_bytes());
        let error = RecordTooLong { bytes_max: limit - 1 };
        assert_eq!(exceeding.next_frame(), Err(error));
        exceeding.push(b"data: x\n\n");
        assert_eq!(exceeding.next_frame(), Err(error));
        assert_eq!(exceeding.finish(), None);
    }
}

#[test]
fn an_unfinished_record_is_held_to_the_limit_and_no_further() {
    let mut framer = SseFramer::new(8);
    framer.push(b"data: x\n\n");
    assert!(framer.next_frame().is_err(), "9 bytes");
    let mut framer = SseFramer::new(8);
    framer.push(b"data: xy");
    assert_eq!(framer.next_frame(), Ok(None));
    framer.push(b"z");
    assert_eq!(framer.next_frame(), Err(RecordTooLong { bytes_max: 8 }));
}

#[test]
fn records_before_a_long_one_are_given_out() {
    let mut framer = SseFramer::new(9);
    framer.push(b"data: a\n\ndata: abcdef\n\n");
    assert!(framer.next_frame().expect("short").is_some());
    assert!(framer.next_frame().is_err());
}

#[test]
fn data_is_read_as_the_standard_says() {
    let cases = [
        ("data: a\n\n", Some("a")),
        ("data:a\n\n", Some("a")),
        ("data:  a\n\n", Some(" a")),
        ("data\n\n", Some("")),
        ("data:\n\n", Some("")),
        ("data: a\ndata: b\n\n", Some("a\nb")),
        ("data: a\r\nid: 1\r\ndata: b\r\n\r\n", Some("a\nb")),
        ("data: a: b\n\n", Some("a: b")),
        ("\u{FEFF}data: a\n\n", Some("a")),
        ("data: a", Some("a")),
        (": data: a\n\n", None),
        ("database: a\n\n", None),
        (" data: a\n\n", None),
        ("event: x\n\n", None),
        ("\n", None),
    ];
    for (raw, wanted) in cases {
        assert_eq!(data(raw).as_deref(), wanted, "{raw:?}");
    }
}

#[test]
fn the_event_name_is_read_and_the_last_one_counts() {
    assert_eq!(frame("event: error\ndata: a\n\n").event(), Some("error"));
    assert_eq!(frame("event: a\nevent:b\n\n").event(), Some("b"));
    assert_eq!(frame("data: a\n\n").event(), None);
    let raw = SseFrame::from_raw(Bytes::from_static(b"event: \xff\n\n"));
    assert_eq!(raw.event(), None);
}

#[test]
fn a_part_of_the_data_is_replaced_and_the_rest_kept() {
    let cases = [
        ("id: 1\r\ndata:  {abc}\r\n: c\r\n\r\n", 2..5, "id: 1\r\ndata:  {X}\r\n: c\r\n\r\n"),
        ("data:{abc}\n\n", 1..4, "data:{X}\n\n"),
        ("id: 1\ndata: {ab\ndata: c}\n\n", 1..3, "id: 1\ndata: {X\ndata: c}\n\n"),
        ("data: {abc}", 1..4, "data: {X}"),
        ("data\nid: 1\n\n", 0..0, "data: X\nid: 1\n\n"),
    ];
    for (raw, part, wanted) in cases {
        assert_eq!(frame(raw).with_data_part(&part, b"X"), wanted, "{raw:?}");
    }
    let outside = frame("data: a\n\n").with_data_part(&(5..900), b"X");
    assert!(outside.starts_with(b"data: a"), "no panic, whatever the span");
}

#[test]
fn an_event_is_one_record_that_reads_back() {
    assert_eq!(event("{}"), "data: {}\n\n");
    assert_eq!(event("a\nb"), "data: a\ndata: b\n\n");
}

/// Streams made of the pieces that framing has to tell apart.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "\n",
        "\r",
        "\r\n",
        "data: ",
        "data:{\"a\":1}",
        ": ping",
        "event: x",
        "\u{FEFF}",
        "é",
        "",
        " ",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same_records(
        stream in stream(),
        sizes in prop::collection::vec(1_usize..7, 1..20),
    ) {
        let whole = frames([stream.as_slice()]);
        let mut chunks = Vec::new();
        let mut rest = stream.as_slice();
        for size in sizes.iter().cycle() {
            let (chunk, after) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(&frames(chunks), &whole);
        prop_assert_eq!(&frames(stream.chunks(1)), &whole);
    }

    #[test]
    fn no_byte_is_lost_but_blank_ones_at_the_end(stream in stream()) {
        let joined = frames([stream.as_slice()]).concat();
        prop_assert!(stream.starts_with(&joined));
        prop_assert!(stream[joined.len()..].trim_ascii().is_empty());
    }
}
