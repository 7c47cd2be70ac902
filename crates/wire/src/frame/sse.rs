//! Server-sent events, cut into records that keep their bytes (WHATWG HTML, "Server-sent events").
//!
//! Any split of the same bytes gives the same records. What is no event (comments, keep-alive
//! lines) is a record too, so that joining all records gives the stream back.

use std::borrow::Cow;
use std::ops::Range;

use bytes::{BufMut as _, Bytes, BytesMut};
use thiserror::Error;

/// Longest record that a stream may hold, in bytes.
pub const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The byte order mark that may open a stream and belongs to no line.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A record that grew past the limit. The stream cannot be followed any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("one record of the event stream is longer than {bytes_max} bytes")]
pub struct RecordTooLong {
    /// The limit, in bytes, line ends included.
    pub bytes_max: usize,
}

/// Cuts a stream into records. Holds at most one unfinished record and the last chunk.
#[derive(Debug)]
pub struct SseFramer {
    buffer: BytesMut,
    record_bytes_max: usize,
    /// Where the line that is being read began.
    line_start: usize,
    /// Up to here the buffer has been searched for line ends.
    searched: usize,
    at_stream_start: bool,
    too_long: bool,
}

/// One record with its terminating blank line, which only the last of a stream may lack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseFrame {
    raw: Bytes,
    terminated: bool,
}

impl SseFramer {
    /// A framer at the start of a stream whose records have at most `record_bytes_max` bytes.
    #[must_use]
    pub fn new(record_bytes_max: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            record_bytes_max,
            line_start: 0,
            searched: 0,
            at_stream_start: true,
            too_long: false,
        }
    }

    /// Takes the next bytes of the stream. Take out all records before pushing more.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole record, or `None` until more bytes are pushed.
    ///
    /// A record that ends in a carriage return waits for one more byte, which may be the line feed
    /// that belongs to it.
    ///
    /// # Errors
    /// [`RecordTooLong`], at every call once a record has grown past the limit.
    pub fn next_frame(&mut self) -> Result<Option<SseFrame>, RecordTooLong> {
        let too_long = RecordTooLong { bytes_max: self.record_bytes_max };
        if self.too_long {
            return Err(too_long);
        }
        let end = self.find_end();
        if end.unwrap_or(self.buffer.len()) > self.record_bytes_max {
            self.too_long = true;
            return Err(too_long);
        }
        Ok(end.map(|end| self.take(end)))
    }

    /// At the end of the stream: what is left without a terminator, unless that is nothing or
    /// blank.
    pub fn finish(&mut self) -> Option<SseFrame> {
        if self.too_long {
            return None;
        }
        let rest = SseFrame { terminated: false, ..self.take(self.buffer.len()) };
        Some(rest).filter(|frame| !frame.raw.trim_ascii().is_empty())
    }

    /// Where the record at the front of the buffer ends: behind its first blank line.
    fn find_end(&mut self) -> Option<usize> {
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'\n', b'\r', unsearched) else {
                self.searched = self.buffer.len();
                return None;
            };
            let at = self.searched + found;
            let Some(next) = line_end(&self.buffer, at) else {
                self.searched = at;
                return None;
            };
            if self.line_start == 0 && self.at_stream_start {
                self.line_start = mark_length(&self.buffer);
            }
            let blank = at == self.line_start;
            self.line_start = next;
            self.searched = next;
            if blank {
                return Some(next);
            }
        }
    }

    fn take(&mut self, end: usize) -> SseFrame {
        self.line_start = 0;
        self.searched = 0;
        self.at_stream_start = false;
        SseFrame::from_raw(self.buffer.split_to(end).freeze())
    }
}

/// The offset behind the line end at `at`, or `None` while a line feed may still follow its
/// carriage return.
fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'\r'), None) => None,
        (Some(b'\r'), Some(b'\n')) => Some(at + 2),
        _ => Some(at + 1),
    }
}

fn mark_length(bytes: &[u8]) -> usize {
    if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

impl SseFrame {
    /// A record from its bytes, the terminating blank line included.
    #[must_use]
    pub const fn from_raw(raw: Bytes) -> Self {
        Self { raw, terminated: true }
    }

    /// Whether the record was ended by a blank line, rather than by the end of the stream.
    #[must_use]
    pub const fn is_terminated(&self) -> bool {
        self.terminated
    }

    /// The record's bytes with its terminating blank line.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The record's bytes, taken out.
    #[must_use]
    pub fn into_raw(self) -> Bytes {
        self.raw
    }

    /// The event name, of several the last, where it is UTF-8.
    #[must_use]
    pub fn event(&self) -> Option<&str> {
        let events = self.lines().filter(|line| line.name(self) == b"event");
        let last = events.last()?;
        std::str::from_utf8(self.slice(&last.value)).ok()
    }

    /// The data, several lines joined by a line feed; `None` when the record holds no data at all.
    #[must_use]
    pub fn data(&self) -> Option<Cow<'_, [u8]>> {
        let mut lines = self.data_lines();
        let first = self.slice(&lines.next()?.value);
        let Some(second) = lines.next() else { return Some(Cow::Borrowed(first)) };
        let mut joined = first.to_vec();
        for line in std::iter::once(second).chain(lines) {
            joined.push(b'\n');
            joined.extend_from_slice(self.slice(&line.value));
        }
        Some(Cow::Owned(joined))
    }

    /// The record with a part of its data replaced; everything but the data lines keeps its bytes,
    /// and with one data line, which is what every vendor sends, that line's other bytes are kept
    /// too.
    #[must_use]
    pub fn with_data_part(&self, part: &Range<usize>, replacement: &[u8]) -> Bytes {
        // A line of the name alone has no colon for data to stand behind.
        let mut lines = self.data_lines();
        let (Some(only), None) = (lines.next().filter(Line::has_colon), lines.next()) else {
            let mut data = self.data().unwrap_or_default().into_owned();
            let end = part.end.min(data.len());
            data.splice(part.start.min(end)..end, replacement.iter().copied());
            return self.with_data(&data);
        };
        let end = (only.value.start + part.end).min(only.value.end);
        let start = (only.value.start + part.start).min(end);
        let mut out = BytesMut::with_capacity(self.raw.len() + replacement.len());
        out.put_slice(self.slice(&(0..start)));
        out.put_slice(replacement);
        out.put_slice(self.slice(&(end..self.raw.len())));
        out.freeze()
    }

    /// The record with other data, written where its first data line stood.
    fn with_data(&self, data: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(self.raw.len() + data.len());
        let mut written = false;
        for line in self.lines() {
            if line.name(self) != b"data" {
                out.put_slice(self.slice(&line.whole));
            } else if !written {
                written = true;
                write_data_lines(data, &mut out);
            }
        }
        out.freeze()
    }

    fn data_lines(&self) -> impl Iterator<Item = Line> + '_ {
        self.lines().filter(|line| line.name(self) == b"data")
    }

    fn lines(&self) -> Lines<'_> {
        Lines { bytes: &self.raw, at: mark_length(&self.raw) }
    }

    fn slice(&self, span: &Range<usize>) -> &[u8] {
        self.raw.get(span.clone()).unwrap_or_default()
    }
}

/// Spans of one line of a record.
#[derive(Debug, Clone)]
struct Line {
    name: Range<usize>,
    value: Range<usize>,
    whole: Range<usize>,
}

impl Line {
    const fn has_colon(&self) -> bool {
        self.value.start > self.name.end
    }

    fn name<'a>(&self, frame: &'a SseFrame) -> &'a [u8] {
        frame.slice(&self.name)
    }
}

struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let start = self.at;
        let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr2(b'\n', b'\r', rest).map_or(self.bytes.len(), |at| start + at);
        let next = line_end(self.bytes, end).unwrap_or(end + 1).min(self.bytes.len());
        self.at = next;
        let line = self.bytes.get(start..end).unwrap_or_default();
        let name_end = memchr::memchr(b':', line).unwrap_or(line.len());
        let after_colon = (name_end + 1).min(line.len());
        let space = usize::from(line.get(after_colon) == Some(&b' '));
        Some(Line {
            name: start..start + name_end,
            value: start + after_colon + space..end,
            whole: start..next,
        })
    }
}

/// One event that holds this data.
#[must_use]
pub fn event(data: &str) -> Bytes {
    let mut out = BytesMut::with_capacity(data.len() + 8);
    write_data_lines(data.as_bytes(), &mut out);
    out.put_u8(b'\n');
    out.freeze()
}

fn write_data_lines(data: &[u8], out: &mut BytesMut) {
    for line in data.split(|byte| *byte == b'\n') {
        out.put_slice(b"data: ");
        out.put_slice(line.strip_suffix(b"\r").unwrap_or(line));
        out.put_u8(b'\n');
    }
}

#[cfg(test)]
mod tests;
