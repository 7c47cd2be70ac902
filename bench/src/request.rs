//! The request that a load repeats: the same bytes each time, of one size whatever it asks for.

use std::net::SocketAddr;

use bytes::Bytes;

/// Size of the body of every chat request, in bytes.
pub(crate) const BODY_BYTES: usize = 2048;

/// Base64 in the body of every request with pictures, in bytes: a megabyte.
pub(crate) const IMAGES_BYTES: usize = 1024 * 1024;

/// One request, ready to send, and what a good answer to it looks like.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) bytes: Bytes,
    /// How the body of the answer ends. A stream that was cut does not end so.
    pub(crate) answer_end: &'static [u8],
    /// Whether being refused for too much load is an answer too.
    pub(crate) may_be_refused: bool,
}

impl Request {
    /// The same with one more header.
    pub(crate) fn with_header(self, name: &str, value: &str) -> Self {
        let at = memchr::memmem::find(&self.bytes, LINE_END).map_or(0, |at| at + LINE_END.len());
        let line = format!("{name}: {value}\r\n");
        let (first, rest) = self.bytes.split_at(at);
        Self { bytes: [first, line.as_bytes(), rest].concat().into(), ..self }
    }
}

/// What a request is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenAI's chat completions.
    Chat,
    /// Anthropic's Messages.
    Messages,
}

impl Dialect {
    const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Messages => "/v1/messages",
        }
    }

    /// How an answer ends.
    const fn answer_end(self, streamed: bool) -> &'static [u8] {
        match (self, streamed) {
            (_, false) => b"}",
            (Self::Chat, true) => b"data: [DONE]\n\n",
            (Self::Messages, true) => b"message_stop\"}\n\n",
        }
    }
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
        self.request_in(Dialect::Chat, address, key)
    }

    /// The same in this dialect.
    pub(crate) fn request_in(self, dialect: Dialect, address: SocketAddr, key: &str) -> Request {
        let (body, _) = self.body(dialect);
        let end = dialect.answer_end(self.streamed);
        post(address, dialect.path(), key, body.as_bytes(), end)
    }

    /// A request whose prompt is pictures of [`IMAGES_BYTES`] bytes together, in base64.
    pub(crate) fn images_in(self, dialect: Dialect, address: SocketAddr, key: &str) -> Request {
        let Self { model, streamed } = self;
        let data = IMAGE_PIECE.repeat(IMAGES_BYTES / IMAGES / IMAGE_PIECE.len());
        let image = match dialect {
            Dialect::Chat => format!(
                r#"{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}"#
            ),
            Dialect::Messages => {
                let source =
                    format!(r#"{{"type":"base64","media_type":"image/png","data":"{data}"}}"#);
                format!(r#"{{"type":"image","source":{source}}}"#)
            }
        };
        let images = vec![image; IMAGES].join(",");
        let messages = format!(r#"[{{"role":"user","content":[{images}]}}]"#);
        let asked = format!(r#"{{"model":"{model}","stream":{streamed},"max_tokens":64"#);
        let body = format!(r#"{asked},"messages":{messages}}}"#);
        post(address, dialect.path(), key, body.as_bytes(), dialect.answer_end(streamed))
    }

    /// The tokens of the prompt as the simulator counts them: its words.
    pub(crate) fn prompt_tokens(self) -> u64 {
        self.body(Dialect::Chat).1
    }

    /// A body of [`BODY_BYTES`] bytes with the number of words in its messages.
    fn body(self, dialect: Dialect) -> (String, u64) {
        let Self { model, streamed } = self;
        let open = format!(r#"{{"model":"{model}","stream":{streamed},"temperature":0.2,"#);
        let (open, between) = match dialect {
            Dialect::Chat => (
                open + r#""messages":[{"role":"system","content":""#,
                r#""},{"role":"user","content":""#,
            ),
            Dialect::Messages => (
                open + r#""max_tokens":100000,"system":""#,
                r#"","messages":[{"role":"user","content":""#,
            ),
        };
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

const LINE_END: &[u8] = b"\r\n";
/// Pictures in a prompt of pictures.
const IMAGES: usize = 4;
/// What a picture is made of.
const IMAGE_PIECE: &str = "iVBORw0KGgoAAAAN";
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
    fn a_header_is_added_behind_the_first_line() {
        let address = "127.0.0.1:4000".parse().expect("an address");
        let request = fetch(address, "/a", "sk-a").with_header("x-b", "c");
        let text = String::from_utf8(request.bytes.to_vec()).expect("a text");
        assert!(text.starts_with("GET /a HTTP/1.1\r\nx-b: c\r\nhost: "), "{text}");
        assert!(text.ends_with("\r\n\r\n"));
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

    #[test]
    fn requests_of_both_dialects_have_one_size_and_are_json() {
        let address = "127.0.0.1:4000".parse().expect("an address");
        let chat = Chat { model: "deltas", streamed: true };
        let request = chat.request_in(Dialect::Messages, address, "sk-a");
        let body = body_of(&request);
        assert_eq!(body.len(), BODY_BYTES);
        let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((&json["model"], &json["stream"]), (&"deltas".into(), &true.into()));
        assert!(json["system"].is_string() && json["max_tokens"].is_u64());
        assert!(request.answer_end.len() <= crate::answer::TAIL_BYTES);
        for dialect in [Dialect::Chat, Dialect::Messages] {
            let body = body_of(&chat.images_in(dialect, address, "sk-a"));
            assert!((IMAGES_BYTES..IMAGES_BYTES + 1024).contains(&body.len()), "{}", body.len());
            let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            let parts = json["messages"][0]["content"].as_array().map(Vec::len);
            assert_eq!(parts, Some(IMAGES));
        }
    }
}
