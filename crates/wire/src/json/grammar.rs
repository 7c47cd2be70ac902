//! The JSON grammar of RFC 8259, walked strictly in one pass without recursion and without building
//! anything.

use std::ops::Range;

use super::NESTING_MAX;

/// A place in a text and the rule it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Something else had to stand here.
    Expected { what: &'static str, at: usize },
    /// What stands here is not allowed.
    Broken { what: &'static str, at: usize },
}

impl Fault {
    pub(super) const fn at(self) -> usize {
        match self {
            Self::Expected { at, .. } | Self::Broken { at, .. } => at,
        }
    }
}

/// One member of an object, as spans of the text.
#[derive(Debug, Clone)]
pub(super) struct MemberSpans {
    /// The name between its quotes.
    pub(super) name: Range<usize>,
    /// The value, without white space around it.
    pub(super) value: Range<usize>,
    /// From the name's opening quote to the value's end.
    pub(super) member: Range<usize>,
}

/// A walk over one JSON text.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    /// One bit for each open level: set for an object, clear for an array.
    objects: u128,
}

const _: () = assert!(NESTING_MAX <= u128::BITS, "one bit for each level of nesting");

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, objects: 0 }
    }

    /// Enters the object that stands next.
    pub(super) fn enter_object(&mut self) -> Result<(), Fault> {
        self.skip_space();
        self.expect(b'{', "an object")?;
        self.open(true)
    }

    /// Enters the array that stands next.
    pub(super) fn enter_array(&mut self) -> Result<(), Fault> {
        self.skip_space();
        self.expect(b'[', "an array")?;
        self.open(false)
    }

    /// The next member of the object that was entered, or `None` after its closing brace.
    pub(super) fn next_member(&mut self, first: bool) -> Result<Option<MemberSpans>, Fault> {
        if self.left(b'}', first, "`,` or `}`")? {
            return Ok(None);
        }
        let start = self.at;
        let name = self.name(if first { "a member name or `}`" } else { "a member name" })?;
        let value = self.value()?;
        Ok(Some(MemberSpans { name, member: start..value.end, value }))
    }

    /// The next element of the array that was entered, or `None` after its closing bracket.
    pub(super) fn next_element(&mut self, first: bool) -> Result<Option<Range<usize>>, Fault> {
        if self.left(b']', first, "`,` or `]`")? {
            return Ok(None);
        }
        self.value().map(Some)
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.skip_space();
        if self.peek().is_some() {
            return Err(Fault::Expected { what: "the end of the body", at: self.at });
        }
        Ok(())
    }

    /// The offset of the next byte to be read.
    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    /// Whether the container that was entered ends here; if not, stands at its next item.
    fn left(&mut self, close: u8, first: bool, what: &'static str) -> Result<bool, Fault> {
        self.skip_space();
        if self.peek() == Some(close) {
            self.at += 1;
            self.depth -= 1;
            return Ok(true);
        }
        if !first {
            self.expect(b',', what)?;
            self.skip_space();
        }
        Ok(false)
    }

    /// Walks over one value, whatever it holds, and gives its span.
    fn value(&mut self) -> Result<Range<usize>, Fault> {
        self.skip_space();
        let start = self.at;
        let outside = self.depth;
        loop {
            self.skip_space();
            let entered = match self.peek() {
                Some(b'{') => self.enter_and_look(true)?,
                Some(b'[') => self.enter_and_look(false)?,
                _ => self.scalar().map(|()| false)?,
            };
            if !entered && self.leave_finished(outside)? {
                return Ok(start..self.at);
            }
        }
    }

    /// Opens a container; true when it holds something, with the walk standing at its first value.
    fn enter_and_look(&mut self, object: bool) -> Result<bool, Fault> {
        self.at += 1;
        self.open(object)?;
        self.skip_space();
        match (self.peek(), object) {
            (Some(b'}'), true) | (Some(b']'), false) => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            (_, true) => self.name("a member name or `}`").map(|_| true),
            (_, false) => Ok(true),
        }
    }

    /// After a value: closes every container that ends here; true when the walk is back at
    /// `outside`, false when another value follows.
    fn leave_finished(&mut self, outside: u32) -> Result<bool, Fault> {
        while self.depth > outside {
            self.skip_space();
            let in_object = self.in_object();
            match (self.peek(), in_object) {
                (Some(b','), true) => {
                    self.at += 1;
                    self.skip_space();
                    return self.name("a member name").map(|_| false);
                }
                (Some(b','), false) => {
                    self.at += 1;
                    return Ok(false);
                }
                (Some(b'}'), true) | (Some(b']'), false) => {
                    self.at += 1;
                    self.depth -= 1;
                }
                (_, true) => return Err(Fault::Expected { what: "`,` or `}`", at: self.at }),
                (_, false) => return Err(Fault::Expected { what: "`,` or `]`", at: self.at }),
            }
        }
        Ok(true)
    }

    fn open(&mut self, object: bool) -> Result<(), Fault> {
        if self.depth == NESTING_MAX {
            return Err(Fault::Broken { what: "nested deeper than 128 levels", at: self.at - 1 });
        }
        let bit = 1u128 << self.depth;
        self.objects = if object { self.objects | bit } else { self.objects & !bit };
        self.depth += 1;
        Ok(())
    }

    const fn in_object(&self) -> bool {
        self.depth > 0 && self.objects >> (self.depth - 1) & 1 == 1
    }

    /// A member's name and its colon; gives the name between its quotes.
    fn name(&mut self, what: &'static str) -> Result<Range<usize>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(Fault::Expected { what, at: self.at });
        }
        let name = self.string()?;
        self.skip_space();
        self.expect(b':', "`:`")?;
        Ok(name)
    }

    fn scalar(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => Err(Fault::Expected { what: "a value", at: self.at }),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<(), Fault> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(Fault::Expected { what: "a value", at: self.at });
        }
        self.at += word.len();
        Ok(())
    }

    /// A string; gives the span between its quotes.
    fn string(&mut self) -> Result<Range<usize>, Fault> {
        self.at += 1;
        let start = self.at;
        loop {
            self.at += plain_run(self.rest());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(start..self.at - 1);
                }
                Some(b'\\') => self.escape()?,
                Some(_) => {
                    let what = "a control character inside a string must be escaped";
                    return Err(Fault::Broken { what, at: self.at });
                }
                None => return Err(Fault::Expected { what: "the closing `\"`", at: self.at }),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let length = match self.rest().get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if self.rest().get(2..6).is_some_and(is_hex) => 6,
            _ => return Err(Fault::Broken { what: "an unknown escape sequence", at: self.at }),
        };
        self.at += length;
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        self.take(b'-');
        // A leading zero stands alone: `01` is two numbers, which no place of the grammar allows.
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(Fault::Expected { what: "a digit", at: self.at });
        }
        self.at += count;
        Ok(())
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Fault> {
        if self.take(byte) { Ok(()) } else { Err(Fault::Expected { what, at: self.at }) }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }
}

fn is_hex(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_hexdigit)
}

/// How many bytes at the front are plain inside a string: no quote, no backslash, no control
/// character.
///
/// This is where a scan spends its time. Names and most values are short, so the first bytes are
/// looked at eight at a time; prompts are long, and of those whole blocks are looked at without a
/// branch for each byte, which the compiler makes vector instructions of.
pub(super) fn plain_run(bytes: &[u8]) -> usize {
    let short = bytes.get(..BLOCK_BYTES).unwrap_or(bytes);
    first_special(short).unwrap_or_else(|| {
        let (blocks, _) = bytes.as_chunks::<BLOCK_BYTES>();
        let start = blocks.iter().take_while(|block| is_plain(block)).count() * BLOCK_BYTES;
        let rest = bytes.get(start..).unwrap_or_default();
        start + first_special(rest).unwrap_or(rest.len())
    })
}

/// Bytes of a string that are looked at together.
const BLOCK_BYTES: usize = 32;

fn is_plain(block: &[u8; BLOCK_BYTES]) -> bool {
    !block.iter().fold(false, |special, byte| special | is_special(*byte))
}

fn first_special(bytes: &[u8]) -> Option<usize> {
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return Some(index * 8 + special.trailing_zeros() as usize / 8);
        }
    }
    tail.iter().position(|byte| is_special(*byte)).map(|at| words.len() * 8 + at)
}

const fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < b' '
}

/// Which of eight bytes are special, by the borrow that subtracting leaves in a byte's high bit.
/// The lowest bit that is set is one of a special byte; above it borrows may set more.
const fn specials(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (EACH * b'"' as u64);
    let backslash = word ^ (EACH * b'\\' as u64);
    let low = word.wrapping_sub(EACH * b' ' as u64) & !word;
    let same = (quote.wrapping_sub(EACH) & !quote) | (backslash.wrapping_sub(EACH) & !backslash);
    (low | same) & HIGH
}
