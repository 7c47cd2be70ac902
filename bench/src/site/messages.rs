//! An upstream that speaks the Messages API, in this process and so on the core of the load. Of a
//! request it reads only whether a stream is wanted; its answers are written beforehand.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Deltas of every stream.
pub(crate) const STREAM_DELTAS: u32 = 5000;
/// Tokens of every buffered answer.
const ANSWER_TOKENS: u32 = 64;
/// Text of one token.
const TOKEN: &str = " gate";
/// Bytes of a stream that are sent as one chunk, as the simulator does.
const CHUNK_BYTES: usize = 16 * 1024;
/// Largest request that is read, in bytes.
const REQUEST_BYTES_MAX: usize = 64 * 1024;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// The running upstream; it ends when it is dropped.
pub(crate) struct MessagesUpstream {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Drop for MessagesUpstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl MessagesUpstream {
    /// # Errors
    /// When it cannot listen.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen")?;
        let address = listener.local_addr()?;
        let answers = Arc::new(Answers { whole: whole(), stream: stream() });
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let answers = Arc::clone(&answers);
                tokio::spawn(async move {
                    // A connection that breaks is missed by the load behind the gateway, which says
                    // so.
                    let _ = serve(connection, &answers).await;
                });
            }
        });
        Ok(Self { address, accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Whole answers of HTTP.
struct Answers {
    whole: Bytes,
    stream: Bytes,
}

async fn serve(mut connection: TcpStream, answers: &Answers) -> anyhow::Result<()> {
    connection.set_nodelay(true)?;
    let mut read = BytesMut::with_capacity(REQUEST_BYTES_MAX);
    loop {
        while request_bytes(&read)?.is_none_or(|bytes| bytes > read.len()) {
            if connection.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
        }
        let request = read.split_to(request_bytes(&read)?.unwrap_or(read.len()));
        let streamed = memchr::memmem::find(&request, br#""stream":true"#).is_some();
        let answer = if streamed { &answers.stream } else { &answers.whole };
        connection.write_all(answer).await?;
    }
}

/// The size of the request that begins here; `None` while its head is not whole.
fn request_bytes(read: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(head) = memchr::memmem::find(read, HEAD_END) else {
        ensure!(read.len() < REQUEST_BYTES_MAX, "the head of a request is too long");
        return Ok(None);
    };
    let text = std::str::from_utf8(read.get(..head).unwrap_or_default())?;
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = lengths.next().map_or(Ok(0), |(_, value)| value.trim().parse())?;
    ensure!(length <= REQUEST_BYTES_MAX, "the body of a request is too long");
    Ok(Some(head + HEAD_END.len() + length))
}

fn whole() -> Bytes {
    let text = TOKEN.repeat(ANSWER_TOKENS as usize);
    let content = format!(r#"[{{"type":"text","text":"{text}"}}]"#);
    let body = message(&content, "\"end_turn\"", ANSWER_TOKENS);
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    (head + &body).into()
}

/// A message with this content, JSON as the reason why it ended, and this many tokens.
fn message(content: &str, stop_reason: &str, tokens: u32) -> String {
    let usage = format!(r#"{{"input_tokens":360,"output_tokens":{tokens}}}"#);
    let said = format!(r#""content":{content},"stop_reason":{stop_reason},"stop_sequence":null"#);
    let head = r#"{"id":"msg_1","type":"message","role":"assistant","model":"messages","#;
    format!(r#"{head}{said},"usage":{usage}}}"#)
}

fn stream() -> Bytes {
    let begun = format!(r#""message":{}"#, message("[]", "null", 1));
    let mut events = event("message_start", &begun);
    let block = r#""index":0,"content_block":{"type":"text","text":""}"#;
    events += &event("content_block_start", block);
    let delta = format!(r#""index":0,"delta":{{"type":"text_delta","text":"{TOKEN}"}}"#);
    events += &event("content_block_delta", &delta).repeat(STREAM_DELTAS as usize);
    events += &event("content_block_stop", r#""index":0"#);
    let usage = format!(r#""usage":{{"output_tokens":{STREAM_DELTAS}}}"#);
    let ended = r#""delta":{"stop_reason":"end_turn","stop_sequence":null}"#;
    events += &event("message_delta", &[ended, ",", &usage].concat());
    events += "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    chunked(&events)
}

/// An answer whose body comes in chunks.
fn chunked(body: &str) -> Bytes {
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
        transfer-encoding: chunked\r\n\r\n"
        .to_vec();
    for chunk in body.as_bytes().chunks(CHUNK_BYTES) {
        answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        answer.extend_from_slice(chunk);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer.into()
}

fn event(name: &str, members: &str) -> String {
    format!("event: {name}\ndata: {{\"type\":\"{name}\",{members}}}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Connection;
    use crate::request::{Chat, Dialect};

    #[tokio::test]
    async fn every_call_on_a_connection_is_answered_whole() {
        let upstream = MessagesUpstream::start().await.expect("an upstream");
        let kept = 1 << 20;
        let mut connection = Connection::open(upstream.address(), kept).await.expect("open");
        for streamed in [false, true, true, false] {
            let chat = Chat { model: "messages", streamed };
            let request = chat.request_in(Dialect::Messages, upstream.address(), "sk-a");
            connection.exchange(&request).await.expect("an answer");
            let body = String::from_utf8_lossy(connection.body()).into_owned();
            let deltas = body.matches("event: content_block_delta\n").count();
            assert_eq!(deltas, if streamed { STREAM_DELTAS as usize } else { 0 });
            let json = body.lines().filter_map(|line| line.strip_prefix("data: "));
            let json: Vec<&str> = if streamed { json.collect() } else { vec![&body] };
            for text in json {
                serde_json::from_str::<serde_json::Value>(text).expect("JSON");
            }
        }
    }

    #[test]
    fn a_request_is_whole_with_its_body() {
        let head = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n";
        assert_eq!(request_bytes(head).expect("a head"), Some(head.len() + 3));
        assert_eq!(request_bytes(&head[..20]).expect("no problem"), None);
        assert!(request_bytes(b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n").is_err());
    }
}
