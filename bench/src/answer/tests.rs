//! The end of an answer is found, and nothing else is taken for it.

use proptest::prelude::*;

use super::*;

const LENGTH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n\
     4;ext=\"1\"\r\ndata\r\nC \r\n: [DONE]\r\n\r\n\r\n0\r\nx-a: b\r\n\r\n";

fn read_in_pieces(reader: &mut AnswerReader, mut bytes: &[u8], size: usize) {
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(size.min(bytes.len()));
        assert!(!reader.is_complete(), "complete with {} bytes to come", bytes.len());
        assert_eq!(reader.push(piece), Ok(piece.len()));
        bytes = rest;
    }
}

#[test]
fn an_answer_with_a_length_ends_after_that_many_bytes() {
    let mut reader = AnswerReader::new(3);
    let next = format!("{LENGTH}HTTP/1.1");
    assert_eq!(reader.push(next.as_bytes()), Ok(LENGTH.len()));
    assert!(reader.is_complete());
    assert_eq!((reader.status(), reader.payload_bytes(), reader.kept()), (200, 5, &b"hel"[..]));
    assert!(reader.ends_with(b"llo"));
    assert!(!reader.ends_with(b"\0hello"), "what was never sent is not the end");
}

#[test]
fn a_chunked_answer_ends_after_its_trailers() {
    let mut reader = AnswerReader::new(64);
    assert_eq!(reader.push(CHUNKED.as_bytes()), Ok(CHUNKED.len()));
    assert!(reader.is_complete());
    assert_eq!(reader.kept(), b"data: [DONE]\r\n\r\n");
    assert!(reader.ends_with(b"data: [DONE]\r\n\r\n"));
}

#[test]
fn answers_without_a_body_are_complete_with_their_heads() {
    for head in [
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ] {
        let mut reader = AnswerReader::new(0);
        read_in_pieces(&mut reader, head.as_bytes(), head.len());
        assert!(reader.is_complete(), "{head}");
        assert!(reader.status() >= 200, "{head}");
    }
}

#[test]
fn a_refusal_is_kept_to_explain_it() {
    let mut reader = AnswerReader::new(0);
    let refusal = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 4\r\n\r\nnope";
    read_in_pieces(&mut reader, refusal.as_bytes(), 7);
    assert_eq!((reader.status(), reader.kept()), (401, &b"nope"[..]));
}

#[test]
fn what_cannot_be_followed_is_an_error() {
    let chunk = |line: &str| format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{line}");
    for (answer, error) in [
        ("HTTP/1.0 200 OK\r\n\r\n".to_owned(), AnswerError::BadHead),
        ("HTTP/1.1 2\r\n\r\n".to_owned(), AnswerError::BadHead),
        ("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n".to_owned(), AnswerError::BadHead),
        ("HTTP/1.1 200 OK\r\n\r\n".to_owned(), AnswerError::NoLength),
        ("x".repeat(HEAD_BYTES_MAX + 1), AnswerError::HeadTooLong),
        (chunk("\r\n"), AnswerError::BadChunk),
        (chunk("g\r\n"), AnswerError::BadChunk),
        (chunk("-1\r\n"), AnswerError::BadChunk),
        (chunk("1\r\nxx"), AnswerError::BadChunk),
        (chunk("1111111111111111\r\n"), AnswerError::BadChunk),
        (chunk(&format!("0\r\n{}", "x".repeat(HEAD_BYTES_MAX + 1))), AnswerError::BadChunk),
    ] {
        let shown: String = answer.chars().take(60).collect();
        assert_eq!(AnswerReader::new(0).push(answer.as_bytes()), Err(error), "{shown}");
    }
}

#[test]
fn nothing_of_an_answer_is_left_for_the_next() {
    let mut reader = AnswerReader::new(64);
    read_in_pieces(&mut reader, CHUNKED.as_bytes(), 9);
    reader.restart();
    assert_eq!((reader.status(), reader.payload_bytes(), reader.is_complete()), (0, 0, false));
    read_in_pieces(&mut reader, LENGTH.as_bytes(), 9);
    assert!(reader.is_complete() && !reader.ends_with(b"xhello"));
    assert_eq!(reader.kept(), b"hello");
}

proptest! {
    #[test]
    fn any_split_reads_the_same(size in 1_usize..80, chunked: bool) {
        let answer = if chunked { CHUNKED } else { LENGTH };
        let mut whole = AnswerReader::new(64);
        read_in_pieces(&mut whole, answer.as_bytes(), answer.len());
        let mut split = AnswerReader::new(64);
        read_in_pieces(&mut split, answer.as_bytes(), size);
        prop_assert!(split.is_complete());
        prop_assert_eq!(split.kept(), whole.kept());
        prop_assert_eq!(split.tail, whole.tail);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, framed: bool) {
        let mut reader = AnswerReader::new(8);
        if framed {
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            prop_assert_eq!(reader.push(head), Ok(head.len()));
        }
        if let Ok(taken) = reader.push(&bytes) {
            prop_assert!(taken == bytes.len() || reader.is_complete());
        }
    }
}
