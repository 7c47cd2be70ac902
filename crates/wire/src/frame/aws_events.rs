//! The event stream of AWS (`application/vnd.amazon.eventstream`), cut into its messages.
//!
//! A message is, in big endian: its length in bytes (`u32`), the length of its headers (`u32`), the
//! CRC-32 of these eight bytes, the headers, the payload, and the CRC-32 of all before. Any split
//! of the same bytes gives the same messages. A message whose checksum fails ends the stream: its
//! length cannot be trusted, so neither can where the next one begins.

mod headers;

use bytes::{BufMut as _, Bytes, BytesMut};
use thiserror::Error;

use headers::Headers;

/// Longest message that a stream may hold, in bytes: a payload of 16 MiB and its headers.
pub const AWS_EVENT_BYTES_MAX: usize = 17 * 1024 * 1024;

/// Length of the two lengths and their checksum, in bytes.
const PRELUDE_BYTES: usize = 12;
/// Length of a checksum, in bytes.
const CHECKSUM_BYTES: usize = 4;

/// Why an event stream cannot be followed any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AwsEventError {
    /// A message is longer than the limit.
    #[error("one message of the event stream has {bytes} bytes, more than {bytes_max}")]
    TooLong {
        /// The message's length, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        bytes_max: usize,
    },
    /// The lengths of a message contradict each other.
    #[error("the lengths of a message of the event stream contradict each other")]
    Lengths,
    /// The checksum of a message's lengths is wrong.
    #[error("the lengths of a message of the event stream are corrupted")]
    PreludeChecksum,
    /// The checksum of a message is wrong.
    #[error("a message of the event stream is corrupted")]
    Checksum,
    /// The headers of a message cannot be read.
    #[error("the headers of a message of the event stream cannot be read")]
    Headers,
}

/// Cuts a stream into messages. Holds at most one unfinished message and the last chunk.
#[derive(Debug)]
pub struct AwsEventFramer {
    buffer: BytesMut,
    message_bytes_max: usize,
    failed: Option<AwsEventError>,
}

/// One message, its checksums and headers checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsEvent {
    headers: Bytes,
    payload: Bytes,
}

impl AwsEventFramer {
    /// A framer at the start of a stream whose messages have at most `message_bytes_max` bytes.
    #[must_use]
    pub fn new(message_bytes_max: usize) -> Self {
        Self { buffer: BytesMut::new(), message_bytes_max, failed: None }
    }

    /// Takes the next bytes of the stream. Take out all records before pushing more.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole message, or `None` until more bytes are pushed.
    ///
    /// # Errors
    /// [`AwsEventError`], the same at every call from the first on. A length past the limit is
    /// found before the message is there.
    pub fn next_record(&mut self) -> Result<Option<AwsEvent>, AwsEventError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let record = self.cut();
        self.failed = record.as_ref().err().copied();
        record
    }

    /// Whether an unfinished message is left: at the end of a stream, that it was cut short.
    #[must_use]
    pub fn holds_rest(&self) -> bool {
        !self.buffer.is_empty()
    }

    fn cut(&mut self) -> Result<Option<AwsEvent>, AwsEventError> {
        let Some(prelude) = self.buffer.first_chunk() else { return Ok(None) };
        let (length, headers_length) = self.read_prelude(prelude)?;
        if self.buffer.len() < length {
            return Ok(None);
        }
        let mut message = self.buffer.split_to(length).freeze();
        let checksum = message.split_off(length - CHECKSUM_BYTES);
        if crc32fast::hash(&message).to_be_bytes() != *checksum {
            return Err(AwsEventError::Checksum);
        }
        let mut headers = message.split_off(PRELUDE_BYTES);
        let payload = headers.split_off(headers_length);
        if Headers::of(&headers).any(|header| header.is_err()) {
            return Err(AwsEventError::Headers);
        }
        Ok(Some(AwsEvent { headers, payload }))
    }

    /// The length of the message and of its headers, which fit into it.
    fn read_prelude(&self, prelude: &[u8; PRELUDE_BYTES]) -> Result<(usize, usize), AwsEventError> {
        let [a, b, c, d, e, f, g, h, checksum @ ..] = *prelude;
        let lengths = [a, b, c, d, e, f, g, h];
        if crc32fast::hash(&lengths) != u32::from_be_bytes(checksum) {
            return Err(AwsEventError::PreludeChecksum);
        }
        // No platform that this is built for has addresses of less than 32 bits.
        let bytes = u32::from_be_bytes([a, b, c, d]) as usize;
        let headers_length = u32::from_be_bytes([e, f, g, h]) as usize;
        if bytes > self.message_bytes_max {
            return Err(AwsEventError::TooLong { bytes, bytes_max: self.message_bytes_max });
        }
        match bytes.checked_sub(PRELUDE_BYTES + CHECKSUM_BYTES) {
            Some(rest) if headers_length <= rest => Ok((bytes, headers_length)),
            Some(_) | None => Err(AwsEventError::Lengths),
        }
    }
}

impl AwsEvent {
    /// The value of a header of text, of several of a name the first; headers of other types are
    /// passed over.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut texts = Headers::of(&self.headers).filter_map(Result::ok);
        texts.find(|(found, _)| *found == name.as_bytes())?.1
    }

    /// `event`, `exception` or `error`.
    #[must_use]
    pub fn message_type(&self) -> Option<&str> {
        self.header(":message-type")
    }

    /// What an event is called.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        self.header(":event-type")
    }

    /// What an exception is called; for an error that has no name, its code.
    #[must_use]
    pub fn exception_type(&self) -> Option<&str> {
        self.header(":exception-type").or_else(|| self.header(":error-code"))
    }

    /// The payload: of an event or an exception a JSON object.
    #[must_use]
    pub const fn payload(&self) -> &Bytes {
        &self.payload
    }
}

/// A message of headers of text and a payload, for simulated upstreams and tests; `None` when a
/// length does not fit its field.
#[must_use]
pub fn message(headers: &[(&str, &str)], payload: &[u8]) -> Option<Bytes> {
    let mut written = BytesMut::new();
    for (name, value) in headers {
        headers::write_text(&mut written, name, value)?;
    }
    let length = PRELUDE_BYTES + written.len() + payload.len() + CHECKSUM_BYTES;
    let mut out = BytesMut::with_capacity(length);
    out.put_u32(u32::try_from(length).ok()?);
    out.put_u32(u32::try_from(written.len()).ok()?);
    out.put_u32(crc32fast::hash(&out));
    out.put_slice(&written);
    out.put_slice(payload);
    out.put_u32(crc32fast::hash(&out));
    Some(out.freeze())
}

#[cfg(test)]
mod tests;
