//! The request that a load repeats: the same bytes each time, of one size whatever it asks for.

use std::net::SocketAddr;

use bytes::Bytes;

/// Size of the body of every chat request, in bytes.
pub(crate) const BODY_BYTES: usize = 2048;

/// One request, ready to send, and what a good answer to it looks like.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) bytes: Bytes,
    /// How the body of the answer ends. A stream that was cut does not end so.
    pub(crate) answer_end: &'static [u8],
    /// Whether being refused for too much load is an answer too.
    pub(crate) may_be_refused: bool,
}

/// What a chat request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chat {
    pub(crate) model: &'static str,
    pub(crate) streamed: bool,
}

impl Chat {
    /// The request to this address with this key.
    pub(crate) fn request(self, address: SocketAddr, key: &str) -> Request {
        let (body, _) = self.body();
        let end: &[u8] = if self.streamed { b"data: [DONE]\n\n" } else { b"}" };
        post(address, "/v1/chat/completions", key, body.as_bytes(), end)
    }

    /// The tokens of the prompt as the simulator counts them: its words.
    pub(crate) fn prompt_tokens(self) -> u64 {
        self.body().1
    }

    /// A body of [`BODY_BYTES`] bytes with the number of words in its messages.
    fn body(self) -> (String, u64) {
        let Self { model, streamed } = self;
        let open =
            format!(r#"{{"model":"{model}","stream":{streamed},"temperature":0.2,"messages":["#)
                + r#"{"role":"system","content":""#;
        let between = r#""},{"role":"user","content":""#;
        let close = r#""}]}"#;
        let fixed = open.len() + INSTRUCTION.len() + between.len() + close.len();
        let question = words(BODY_BYTES.saturating_sub(fixed));
        let prompt_tokens = [INSTRUCTION, &question].map(|text| text.split_whitespace().count());
        let body = [&open, INSTRUCTION, between, &question, close].concat();
        (body, prompt_tokens.iter().sum::<usize>() as u64)
    }
}

/// A POST of this JSON.
pub(crate) fn post(
    address: SocketAddr,
    path: &str,
    key: &str,
    body: &[u8],
    answer_end: &'static [u8],
) -> Request {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\naccept: */*\r\nuser-agent: tollgate-bench\r\n\
         content-length: {length}\r\n\r\n"
    );
    Request { bytes: [head.as_bytes(), body].concat().into(), answer_end, may_be_refused: false }
}

/// A GET of this path.
pub(crate) fn fetch(address: SocketAddr, path: &str, key: &str) -> Request {
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
         user-agent: tollgate-bench\r\n\r\n"
    );
    Request { bytes: head.into(), answer_end: b"}", may_be_refused: false }
}

/// A text of exactly this many bytes.
fn words(bytes: usize) -> String {
    let mut text = SENTENCE.repeat(bytes / SENTENCE.len() + 1);
    text.truncate(bytes);
    text
}

const INSTRUCTION: &str = "You weigh what passes and answer in one short paragraph.";
/// Repeated to fill a body; ASCII, so that it can be cut anywhere.
const SENTENCE: &str = "How many carts passed the eastern gate before noon and what did each pay? ";

#[cfg(test)]
mod tests {
    use super::*;

    fn body_of(request: &Request) -> String {
        let text = String::from_utf8(request.bytes.to_vec()).expect("a text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        body.to_owned()
    }

    #[test]
    fn every_chat_request_has_one_size_and_is_json() {
        let address = "127.0.0.1:4000".parse().expect("an address");
        for model in ["m", "long-stream"] {
            for streamed in [false, true] {
                let chat = Chat { model, streamed };
                let body = body_of(&chat.request(address, "sk-a"));
                assert_eq!(body.len(), BODY_BYTES);
                let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
                assert_eq!(json["model"], model);
                assert_eq!(json["stream"], streamed);
                let contents = json["messages"].as_array().expect("messages").iter();
                let words = contents
                    .filter_map(|message| message["content"].as_str())
                    .map(|text| text.split_whitespace().count() as u64)
                    .sum::<u64>();
                assert_eq!(chat.prompt_tokens(), words);
            }
        }
    }
}
