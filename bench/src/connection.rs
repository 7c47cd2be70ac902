//! One kept-alive connection that sends a request and waits for the end of its answer, with as
//! little work as possible.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::answer::AnswerReader;
use crate::clock;
use crate::request::Request;

/// The status of a refusal for too much load.
const TOO_MUCH_TO_DO: u16 = 503;
/// What is read at once, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// A connection to a target.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Box<[u8]>,
    reader: AnswerReader,
}

/// When the parts of an answer came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// The first byte of the body.
    pub(crate) first_byte_at: Instant,
    /// The last byte of the answer.
    pub(crate) last_byte_at: Instant,
    /// Whether the answer says that there is too much to do, and may say so.
    pub(crate) refused: bool,
}

impl Connection {
    /// Connects. Of each body at most `keep_bytes_max` bytes are kept.
    pub(crate) async fn open(address: SocketAddr, keep_bytes_max: usize) -> anyhow::Result<Self> {
        let opened = TcpStream::connect(address).await;
        let stream = opened.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true).context("cannot set TCP_NODELAY")?;
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        Ok(Self { stream, buffer, reader: AnswerReader::new(keep_bytes_max) })
    }

    /// Sends a request and reads its answer to the end.
    ///
    /// # Errors
    /// When the connection breaks, or the answer is neither a 200 that ends as the request says nor
    /// a refusal that it allows.
    pub(crate) async fn exchange(&mut self, request: &Request) -> anyhow::Result<Arrival> {
        self.stream.write_all(&request.bytes).await.context("cannot send a request")?;
        self.reader.restart();
        let mut first_byte_at = None;
        while !self.reader.is_complete() {
            let read = self.stream.read(&mut self.buffer).await.context("cannot read an answer")?;
            ensure!(read > 0, "the connection was closed within an answer");
            let bytes = self.buffer.get(..read).unwrap_or_default();
            let taken = self.reader.push(bytes)?;
            ensure!(taken == read, "{} bytes came after the end of an answer", read - taken);
            if first_byte_at.is_none() && self.reader.payload_bytes() > 0 {
                first_byte_at = Some(clock::now());
            }
        }
        let last_byte_at = clock::now();
        let refused = request.may_be_refused && self.reader.status() == TOO_MUCH_TO_DO;
        if !refused {
            self.check(request)?;
        }
        let first_byte_at = first_byte_at.unwrap_or(last_byte_at);
        Ok(Arrival { first_byte_at, last_byte_at, refused })
    }

    /// The body of the last answer, as much of it as is kept.
    pub(crate) fn body(&self) -> &[u8] {
        self.reader.kept()
    }

    fn check(&self, request: &Request) -> anyhow::Result<()> {
        let status = self.reader.status();
        if status != 200 {
            bail!("the answer is a {status}: {}", String::from_utf8_lossy(self.reader.kept()));
        }
        ensure!(
            self.reader.ends_with(request.answer_end),
            "an answer of {} bytes does not end with `{}`",
            self.reader.payload_bytes(),
            String::from_utf8_lossy(request.answer_end).trim_end()
        );
        Ok(())
    }
}
