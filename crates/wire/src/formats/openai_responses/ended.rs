//! The response object that an answer ends with: a whole answer is one, and a stream says it again
//! in its last event.

use bytes::Bytes;

use crate::frame::sse::{SseFrame, SseFramer};
use crate::json::{Object, Raw};

/// The events that end a stream with a response that a call can go on from (OpenAI API reference,
/// responses streaming). A failed response is none.
const LAST_EVENTS: [&str; 2] = ["response.completed", "response.incomplete"];
/// The states that those events leave a response in.
const LAST_STATES: [&str; 2] = ["completed", "incomplete"];

/// A response that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its id.
    pub id: String,
    /// The whole response object, as it was written.
    pub response: Bytes,
}

/// Reads a whole answer. `None` for one that has not ended, that failed, or that has no id.
#[must_use]
pub fn ended_response(body: &Bytes) -> Option<Ended> {
    let scanned = Object::scan(body).ok()?;
    let status = scanned.value("status").and_then(Raw::text)?;
    let id = scanned.value("id").and_then(Raw::text)?.into_owned();
    LAST_STATES.contains(&&*status).then(|| Ended { id, response: body.clone() })
}

/// Finds the response in a stream that goes by. It holds at most one unfinished event.
#[derive(Debug)]
pub struct ResponseFinder {
    /// `None` once the response was found, or an event exceeded the limit.
    framer: Option<SseFramer>,
}

impl ResponseFinder {
    /// A finder at the start of a stream, in which events have at most `event_bytes_max` bytes; one
    /// that has more ends the search.
    #[must_use]
    pub fn new(event_bytes_max: usize) -> Self {
        Self { framer: Some(SseFramer::new(event_bytes_max)) }
    }

    /// Takes the next bytes of the stream, and gives the response once its event is whole.
    pub fn take(&mut self, bytes: &[u8]) -> Option<Ended> {
        let framer = self.framer.as_mut()?;
        framer.push(bytes);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => {
                    if let Some(ended) = response_in(&frame) {
                        self.framer = None;
                        return Some(ended);
                    }
                }
                Ok(None) => return None,
                Err(_) => {
                    self.framer = None;
                    return None;
                }
            }
        }
    }
}

/// The response of a last event; nothing of any other.
fn response_in(frame: &SseFrame) -> Option<Ended> {
    let named = |name: &&str| memchr::memmem::find(frame.raw(), name.as_bytes()).is_some();
    if !LAST_EVENTS.iter().any(named) {
        return None;
    }
    let data = frame.data()?;
    let event = Object::scan(&data).ok()?;
    let kind = event.value("type").and_then(Raw::text)?;
    if !LAST_EVENTS.contains(&&*kind) {
        return None;
    }
    let response = event.value("response")?.as_written();
    ended_response(&Bytes::copy_from_slice(response.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONE: &str = "event: response.completed\ndata: {\"type\":\"response.completed\",\
        \"response\":{\"id\":\"resp_1\",\"status\":\"completed\",\"output\":[ 1e0 ]}}\n\n";
    const RESPONSE: &str = r#"{"id":"resp_1","status":"completed","output":[ 1e0 ]}"#;

    fn found(stream: &str, piece: usize, limit: usize) -> Vec<Ended> {
        let mut finder = ResponseFinder::new(limit);
        stream.as_bytes().chunks(piece).filter_map(|bytes| finder.take(bytes)).collect()
    }

    #[test]
    fn the_response_is_found_once_however_the_stream_is_cut() {
        let delta = "event: response.output_text.delta\ndata: {\"type\":\
            \"response.output_text.delta\",\"delta\":\"response.completed\"}\n\n";
        let stream = format!("{delta}: ping\n\n{DONE}data: [DONE]\n\n{DONE}");
        let expected = Ended { id: "resp_1".to_owned(), response: Bytes::from(RESPONSE) };
        for piece in 1..stream.len() {
            let found = found(&stream, piece, 1000);
            assert_eq!(found, std::slice::from_ref(&expected), "in pieces of {piece}");
        }
    }

    #[test]
    fn an_event_beyond_the_limit_ends_the_search() {
        assert_eq!(found(DONE, 7, DONE.len()).len(), 1);
        assert_eq!(found(DONE, 7, DONE.len() - 1), []);
        let stream = format!("data: {}\n\n{DONE}", "x".repeat(500));
        assert_eq!(found(&stream, 7, 400), []);
    }

    #[test]
    fn only_an_ended_response_with_an_id_counts() {
        for (body, counts) in [
            (RESPONSE, true),
            (r#"{"id":"r","status":"incomplete"}"#, true),
            (r#"{"id":"r","status":"failed"}"#, false),
            (r#"{"id":"r","status":"queued"}"#, false),
            (r#"{"id":"r"}"#, false),
            (r#"{"status":"completed"}"#, false),
            ("[]", false),
        ] {
            assert_eq!(ended_response(&Bytes::from(body)).is_some(), counts, "{body}");
        }
    }

    #[test]
    fn a_failed_stream_has_no_response() {
        assert_eq!(found(&DONE.replace("response.completed", "response.failed"), 9, 1000), []);
    }
}
