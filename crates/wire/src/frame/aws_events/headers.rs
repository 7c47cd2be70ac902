//! The headers of a message of an event stream: a name and a value of one of ten types, of which
//! only text is read.

use bytes::{BufMut as _, BytesMut};

use super::AwsEventError;

/// The type of a value of text.
const TEXT: u8 = 7;

/// The headers in a message's bytes: names, and the values that are text. Ends after an error.
pub(super) struct Headers<'a> {
    rest: &'a [u8],
}

impl<'a> Headers<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn read(&mut self) -> Option<(&'a [u8], Option<&'a str>)> {
        let [name_length] = *self.array()?;
        let name = self.take(usize::from(name_length))?;
        let [kind] = *self.array()?;
        let value = self.value(kind)?;
        let text = if kind == TEXT { Some(std::str::from_utf8(value).ok()?) } else { None };
        Some((name, text))
    }

    /// The bytes of a value: its type says how many, or that a length precedes them.
    fn value(&mut self, kind: u8) -> Option<&'a [u8]> {
        let length = match kind {
            // True and false.
            0 | 1 => 0,
            // A byte, a short and an integer.
            2 => 1,
            3 => 2,
            4 => 4,
            // A long integer and a timestamp.
            5 | 8 => 8,
            // Bytes and text.
            6 | TEXT => usize::from(u16::from_be_bytes(*self.array()?)),
            // A UUID.
            9 => 16,
            _ => return None,
        };
        self.take(length)
    }

    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(array)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = Result<(&'a [u8], Option<&'a str>), AwsEventError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let header = self.read();
        if header.is_none() {
            self.rest = &[];
        }
        Some(header.ok_or(AwsEventError::Headers))
    }
}

/// Writes a header of text; `None` when it is too long for its fields.
pub(super) fn write_text(out: &mut BytesMut, name: &str, value: &str) -> Option<()> {
    out.put_u8(u8::try_from(name.len()).ok()?);
    out.put_slice(name.as_bytes());
    out.put_u8(TEXT);
    out.put_u16(u16::try_from(value.len()).ok()?);
    out.put_slice(value.as_bytes());
    Some(())
}
