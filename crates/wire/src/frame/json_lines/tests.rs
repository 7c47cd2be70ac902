//! Streams of JSON objects, however they are split.

use bytes::Bytes;
use proptest::prelude::*;

use super::{JsonFramer, JsonStreamError};

const NO_LIMIT: usize = 1 << 20;

/// All records of a stream that comes in these chunks, the error that ended it, and whether an
/// object was cut short.
fn cut<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]>,
    bytes_max: usize,
) -> (Vec<Bytes>, Option<JsonStreamError>, bool) {
    let mut framer = JsonFramer::new(bytes_max);
    let mut records = Vec::new();
    for chunk in chunks {
        framer.push(chunk);
        loop {
            match framer.next_record() {
                Ok(Some(record)) => records.push(record),
                Ok(None) => break,
                Err(error) => return (records, Some(error), framer.holds_rest()),
            }
        }
    }
    (records, None, framer.holds_rest())
}

#[test]
fn lines_and_arrays_give_the_same_objects() {
    let objects = [r#"{"a":"}]\"\\"}"#, "{}", r#"{"b":[{"c":[]}]}"#];
    for stream in [
        objects.join("\n"),
        objects.join("\r\n") + "\r\n\r\n",
        format!("[{}]", objects.join(",\r\n")),
        format!(" [\n{}\n]\n", objects.join("\n,\n")),
        objects.concat(),
    ] {
        let (records, error, cut_short) = cut([stream.as_bytes()], NO_LIMIT);
        assert_eq!(records, objects, "{stream}");
        assert_eq!((error, cut_short), (None, false), "{stream}");
    }
}

#[test]
fn an_object_that_is_cut_short_is_left() {
    for stream in [r#"{"a":"#, r#"{"a":"}"#, r#"{"a":"\"}"#, "{", r#"{"a":[}"#] {
        assert_eq!(cut([stream.as_bytes()], NO_LIMIT), (vec![], None, true), "{stream}");
    }
    assert_eq!(cut([b"\n[ ".as_slice()], NO_LIMIT), (vec![], None, false));
}

#[test]
fn what_is_no_object_ends_the_stream_for_good() {
    for (stream, byte) in [("{}\nnull", b'n'), ("{} \"{}\"", b'"'), ("{}\n<html>", b'<')] {
        let (records, error, _) = cut([stream.as_bytes()], NO_LIMIT);
        assert_eq!(records, ["{}"], "{stream}");
        assert_eq!(error, Some(JsonStreamError::NoObject { byte }), "{stream}");
    }
    let mut framer = JsonFramer::new(NO_LIMIT);
    framer.push(b"x");
    let error = framer.next_record();
    framer.push(b"{}");
    assert_eq!(framer.next_record(), error);
}

#[test]
fn an_object_may_be_as_long_as_the_limit_and_no_longer() {
    let too_long = Some(JsonStreamError::TooLong { bytes_max: 8 });
    let whole = br#"{"a":"b"}"#;
    assert_eq!(cut([whole.as_slice()], 9), (vec![Bytes::from_static(whole)], None, false));
    assert_eq!(cut([whole.as_slice()], 8).1, too_long);
    assert_eq!(cut([br#"{"a":"b"#.as_slice()], 8), (vec![], None, true));
    assert_eq!(cut([br#"{"a":"bb"#.as_slice(), b"b"], 8).1, too_long, "before it has ended");
    assert_eq!(cut([b"\n\n\n\n\n\n\n\n\n\n{}".as_slice()], 8).0, ["{}"], "blank lines are free");
}

fn chunks(stream: &[u8], lengths: &[usize]) -> Vec<Vec<u8>> {
    let mut chunks = Vec::new();
    let mut rest = stream;
    for length in lengths {
        let (chunk, after) = rest.split_at((*length).min(rest.len()));
        chunks.push(chunk.to_vec());
        rest = after;
    }
    chunks.push(rest.to_vec());
    chunks
}

proptest! {
    #[test]
    fn any_split_of_any_bytes_gives_the_same_records(
        stream in r#"([\[\]{}",:\\ \n]|ab|\PC){0,80}"#,
        lengths in prop::collection::vec(0_usize..9, 0..40),
    ) {
        let whole = cut([stream.as_bytes()], 24);
        let chunks = chunks(stream.as_bytes(), &lengths);
        let split = cut(chunks.iter().map(Vec::as_slice), 24);
        prop_assert_eq!((&whole.0, whole.1), (&split.0, split.1));
        let kept: usize = whole.0.iter().map(Bytes::len).sum();
        prop_assert!(kept <= stream.len());
    }

    #[test]
    fn every_object_comes_back(
        texts in prop::collection::vec(any::<String>(), 0..6),
        array in any::<bool>(),
        lengths in prop::collection::vec(0_usize..20, 0..40),
    ) {
        let objects: Vec<String> =
            texts.iter().map(|text| serde_json::json!({ text: [text, {}] }).to_string()).collect();
        let stream = if array { format!("[{}]", objects.join(",")) } else { objects.join("\n") };
        let chunks = chunks(stream.as_bytes(), &lengths);
        let (records, error, cut_short) = cut(chunks.iter().map(Vec::as_slice), NO_LIMIT);
        prop_assert_eq!(records, objects);
        prop_assert_eq!((error, cut_short), (None, false));
    }
}
