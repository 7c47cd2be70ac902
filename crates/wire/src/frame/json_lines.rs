//! A stream of JSON objects, cut at their braces: one on each line (NDJSON), or the elements of one
//! array that is sent piece by piece, as Gemini streams without server-sent events.
//!
//! Any split of the same bytes gives the same records. What stands between two objects (line ends,
//! commas, the array's brackets) is passed over in any order, because it carries nothing; anything
//! else there is an error. Whether an object is valid JSON is for its reader to say.

use bytes::{Buf as _, Bytes, BytesMut};
use thiserror::Error;

/// Why a stream of JSON objects cannot be followed any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JsonStreamError {
    /// An object grew past the limit.
    #[error("one object of the stream is longer than {bytes_max} bytes")]
    TooLong {
        /// The limit, in bytes, braces included.
        bytes_max: usize,
    },
    /// Something that is no object stands between the objects.
    #[error("the stream holds the byte {byte:#04x} where an object should begin")]
    NoObject {
        /// The first byte of it.
        byte: u8,
    },
}

/// Cuts a stream into its objects. Holds at most one unfinished object and the last chunk.
#[derive(Debug)]
pub struct JsonFramer {
    buffer: BytesMut,
    record_bytes_max: usize,
    /// Up to here the object at the front of the buffer has been scanned.
    scanned: usize,
    /// Open braces and brackets of it.
    depth: usize,
    text: Text,
    failed: Option<JsonStreamError>,
}

/// Where within a string the scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    AfterBackslash,
}

impl JsonFramer {
    /// A framer at the start of a stream whose objects have at most `record_bytes_max` bytes.
    #[must_use]
    pub fn new(record_bytes_max: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            record_bytes_max,
            scanned: 0,
            depth: 0,
            text: Text::Outside,
            failed: None,
        }
    }

    /// Takes the next bytes of the stream. Take out all records before pushing more.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole object, or `None` until more bytes are pushed.
    ///
    /// # Errors
    /// [`JsonStreamError`], the same at every call from the first on.
    pub fn next_record(&mut self) -> Result<Option<Bytes>, JsonStreamError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let record = self.cut();
        self.failed = record.as_ref().err().copied();
        record
    }

    /// Whether an unfinished object is left: at the end of a stream, that it was cut short.
    #[must_use]
    pub fn holds_rest(&self) -> bool {
        !self.buffer.is_empty()
    }

    fn cut(&mut self) -> Result<Option<Bytes>, JsonStreamError> {
        if self.depth == 0 {
            self.pass_separators()?;
        }
        let end = self.scan();
        if end.unwrap_or(self.buffer.len()) > self.record_bytes_max {
            return Err(JsonStreamError::TooLong { bytes_max: self.record_bytes_max });
        }
        Ok(end.map(|end| {
            self.scanned = 0;
            self.buffer.split_to(end).freeze()
        }))
    }

    fn pass_separators(&mut self) -> Result<(), JsonStreamError> {
        let separates =
            |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']');
        let start = self.buffer.iter().position(|byte| !separates(byte));
        self.buffer.advance(start.unwrap_or(self.buffer.len()));
        match self.buffer.first() {
            None | Some(b'{') => Ok(()),
            Some(&byte) => Err(JsonStreamError::NoObject { byte }),
        }
    }

    /// The offset behind the brace that closes the object at the front, once it is there.
    fn scan(&mut self) -> Option<usize> {
        let unscanned = self.buffer.get(self.scanned..).unwrap_or_default();
        for (at, byte) in unscanned.iter().enumerate() {
            (self.text, self.depth) = step(self.text, self.depth, *byte);
            if self.depth == 0 {
                return Some(self.scanned + at + 1);
            }
        }
        self.scanned = self.buffer.len();
        None
    }
}

const fn step(text: Text, depth: usize, byte: u8) -> (Text, usize) {
    match (text, byte) {
        (Text::AfterBackslash, _) => (Text::Inside, depth),
        (Text::Inside, b'\\') => (Text::AfterBackslash, depth),
        (Text::Inside, b'"') => (Text::Outside, depth),
        (Text::Inside, _) => (Text::Inside, depth),
        (Text::Outside, b'"') => (Text::Inside, depth),
        (Text::Outside, b'{' | b'[') => (Text::Outside, depth + 1),
        (Text::Outside, b'}' | b']') => (Text::Outside, depth.saturating_sub(1)),
        (Text::Outside, _) => (Text::Outside, depth),
    }
}

#[cfg(test)]
mod tests;
