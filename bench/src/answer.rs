//! Finding the end of an HTTP/1.1 answer, whatever pieces it comes in. It keeps nothing that the
//! load does not need.

use thiserror::Error;

/// Reads one answer after the other from the bytes of a connection.
#[derive(Debug)]
pub(crate) struct AnswerReader {
    state: State,
    head: Vec<u8>,
    status: u16,
    payload_bytes: u64,
    tail: [u8; TAIL_BYTES],
    kept: Vec<u8>,
    keep_bytes_max: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Length { left: u64 },
    ChunkSize { size: u64, digits: u8, extension: bool },
    Chunk { left: u64 },
    ChunkEnd { left: u64 },
    Trailers { line_bytes: usize },
    Complete,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum AnswerError {
    /// The head is longer than [`HEAD_BYTES_MAX`].
    #[error("the head of the answer is longer than {HEAD_BYTES_MAX} bytes")]
    HeadTooLong,
    /// The head is not one of HTTP/1.1.
    #[error("the head of the answer is not one of HTTP/1.1")]
    BadHead,
    /// Neither a length nor chunks: only the end of the connection would end the answer.
    #[error("the answer says neither how long it is nor that it is chunked")]
    NoLength,
    /// The chunks are not framed as they have to be.
    #[error("the chunks of the answer are broken")]
    BadChunk,
}

impl AnswerReader {
    /// A reader that keeps this much of the bodies of answers with status 200; of the others it
    /// keeps enough to explain them.
    pub(crate) fn new(keep_bytes_max: usize) -> Self {
        Self {
            state: State::Head,
            head: Vec::with_capacity(1024),
            status: 0,
            payload_bytes: 0,
            tail: [0; TAIL_BYTES],
            kept: Vec::new(),
            keep_bytes_max,
        }
    }

    /// Forgets the answer that was read.
    pub(crate) fn restart(&mut self) {
        self.state = State::Head;
        self.head.clear();
        self.status = 0;
        self.payload_bytes = 0;
        self.kept.clear();
    }

    /// Reads on, and returns how many of the bytes belong to this answer: fewer than all only when
    /// it is complete.
    ///
    /// # Errors
    /// [`AnswerError`] for what cannot be followed. Nothing more can be read after that.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<usize, AnswerError> {
        let mut rest = bytes;
        while !rest.is_empty() && self.state != State::Complete {
            rest = self.step(rest)?;
        }
        Ok(bytes.len() - rest.len())
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// The status; 0 while the head is not complete.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// How much of the body has come, in bytes without their framing.
    pub(crate) fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// Whether the body read so far ends with these bytes, at most [`TAIL_BYTES`] of them.
    pub(crate) fn ends_with(&self, end: &[u8]) -> bool {
        self.payload_bytes >= end.len() as u64 && self.tail.ends_with(end)
    }

    /// The beginning of the body, as much of it as is kept.
    pub(crate) fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// Takes at least one byte off the front.
    fn step<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], AnswerError> {
        match self.state {
            State::Head => self.head(bytes),
            State::Length { left } => {
                let (left, rest) = self.payload(bytes, left);
                self.state = if left == 0 { State::Complete } else { State::Length { left } };
                Ok(rest)
            }
            State::Chunk { left } => {
                let (left, rest) = self.payload(bytes, left);
                let end = State::ChunkEnd { left: 2 };
                self.state = if left == 0 { end } else { State::Chunk { left } };
                Ok(rest)
            }
            _ => match bytes.split_first() {
                Some((byte, rest)) => self.framing(*byte).map(|()| rest),
                None => Ok(bytes),
            },
        }
    }

    fn head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], AnswerError> {
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        // The end may have begun in the bytes before these.
        let from = before.saturating_sub(HEAD_END.len() - 1);
        let unseen = self.head.get(from..).unwrap_or_default();
        let Some(found) = memchr::memmem::find(unseen, HEAD_END) else {
            let fits = self.head.len() <= HEAD_BYTES_MAX;
            return if fits { Ok(&[]) } else { Err(AnswerError::HeadTooLong) };
        };
        let end = from + found + HEAD_END.len();
        self.head.truncate(end);
        let head = Head::read(&self.head).ok_or(AnswerError::BadHead)?;
        self.begin_body(&head)?;
        Ok(bytes.get(end - before..).unwrap_or_default())
    }

    fn begin_body(&mut self, head: &Head) -> Result<(), AnswerError> {
        if (100..200).contains(&head.status) {
            self.head.clear();
            return Ok(());
        }
        self.status = head.status;
        let empty = matches!(head.status, 204 | 304);
        self.state = match (head.chunked, head.length) {
            _ if empty => State::Complete,
            (true, _) => CHUNK_BEGIN,
            (false, Some(0)) => State::Complete,
            (false, Some(left)) => State::Length { left },
            (false, None) => return Err(AnswerError::NoLength),
        };
        Ok(())
    }

    /// Takes up to `left` bytes of the body; returns what is left to come, and the bytes after it.
    fn payload<'a>(&mut self, bytes: &'a [u8], left: u64) -> (u64, &'a [u8]) {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let (taken, rest) = bytes.split_at(most);
        self.payload_bytes += taken.len() as u64;
        let fresh = taken.len().min(TAIL_BYTES);
        self.tail.rotate_left(fresh);
        let end = taken.get(taken.len() - fresh..).unwrap_or_default();
        if let Some(tail) = self.tail.get_mut(TAIL_BYTES - fresh..) {
            tail.copy_from_slice(end);
        }
        let keep = if self.status == 200 { self.keep_bytes_max } else { REFUSAL_BYTES_MAX };
        let room = keep.saturating_sub(self.kept.len()).min(taken.len());
        self.kept.extend_from_slice(taken.get(..room).unwrap_or_default());
        (left - taken.len() as u64, rest)
    }

    /// One byte between the chunks.
    fn framing(&mut self, byte: u8) -> Result<(), AnswerError> {
        self.state = match self.state {
            State::ChunkSize { size, digits, extension } => {
                chunk_size(byte, size, digits, extension)?
            }
            State::ChunkEnd { left: 2 } if byte == b'\r' => State::ChunkEnd { left: 1 },
            State::ChunkEnd { left: 1 } if byte == b'\n' => CHUNK_BEGIN,
            State::ChunkEnd { .. } => return Err(AnswerError::BadChunk),
            State::Trailers { line_bytes: 0 } if byte == b'\n' => State::Complete,
            State::Trailers { .. } if byte == b'\n' => State::Trailers { line_bytes: 0 },
            State::Trailers { line_bytes: HEAD_BYTES_MAX } => return Err(AnswerError::BadChunk),
            State::Trailers { line_bytes } => {
                State::Trailers { line_bytes: line_bytes + usize::from(byte != b'\r') }
            }
            state
            @ (State::Head | State::Length { .. } | State::Chunk { .. } | State::Complete) => state,
        };
        Ok(())
    }
}

/// The next state after one byte of the line that begins a chunk.
fn chunk_size(byte: u8, size: u64, digits: u8, extension: bool) -> Result<State, AnswerError> {
    match byte {
        b'\n' if digits == 0 => Err(AnswerError::BadChunk),
        b'\n' if size == 0 => Ok(State::Trailers { line_bytes: 0 }),
        b'\n' => Ok(State::Chunk { left: size }),
        b'\r' => Ok(State::ChunkSize { size, digits, extension }),
        b';' | b' ' | b'\t' => Ok(State::ChunkSize { size, digits, extension: true }),
        _ if extension => Ok(State::ChunkSize { size, digits, extension }),
        _ => {
            let digit = char::from(byte).to_digit(16).ok_or(AnswerError::BadChunk)?;
            if digits == CHUNK_DIGITS_MAX {
                return Err(AnswerError::BadChunk);
            }
            let size = size * 16 + u64::from(digit);
            Ok(State::ChunkSize { size, digits: digits + 1, extension })
        }
    }
}

/// What a head says about the body after it.
struct Head {
    status: u16,
    length: Option<u64>,
    chunked: bool,
}

impl Head {
    fn read(head: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let mut read = Self { status, length: None, chunked: false };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                read.length = Some(value.parse().ok()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                read.chunked = value.eq_ignore_ascii_case("chunked");
            }
        }
        Some(read)
    }
}

const CHUNK_BEGIN: State = State::ChunkSize { size: 0, digits: 0, extension: false };
const HEAD_END: &[u8] = b"\r\n\r\n";
/// Longest head of an answer, in bytes; also the longest trailer line.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Most hexadecimal digits of a chunk's size, so that it cannot overflow.
const CHUNK_DIGITS_MAX: u8 = 15;
/// How much of the end of a body is remembered, in bytes.
pub(crate) const TAIL_BYTES: usize = 16;
/// How much is kept of the body of an answer that is not a 200, in bytes.
const REFUSAL_BYTES_MAX: usize = 2048;

#[cfg(test)]
mod tests;
