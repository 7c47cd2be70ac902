//! Reading single values of a request: texts as slices of the body, and problems that say where.
//! `null` is read as absent.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;

use crate::conversation::Number;
use crate::formats::openai_chat::RequestProblem;
use crate::json::{Kind, Raw};

/// Where a value stands in the body: a chain of names and indexes that becomes text only for a
/// problem.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    before: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Field(&'p str),
    Index(usize),
}

impl<'p> Place<'p> {
    /// A field of the outermost object.
    pub(super) const fn top(name: &'p str) -> Self {
        Self { before: None, step: Step::Field(name) }
    }

    /// A field of the object that stands here.
    pub(super) const fn field(&'p self, name: &'p str) -> Self {
        Self { before: Some(self), step: Step::Field(name) }
    }

    /// An element of the array that stands here.
    pub(super) const fn index(&'p self, index: usize) -> Self {
        Self { before: Some(self), step: Step::Index(index) }
    }

    /// The problem of a value of another kind.
    pub(super) fn wrong_type(&self, expected: &'static str, value: Raw<'_>) -> RequestProblem {
        let found = value.kind().in_words();
        RequestProblem::WrongType { field: self.to_string(), expected, found }
    }

    /// The problem of a value that is not there.
    pub(super) fn absent(&self, expected: &'static str) -> RequestProblem {
        let found = Kind::Null.in_words();
        RequestProblem::WrongType { field: self.to_string(), expected, found }
    }

    /// The problem of a value outside its range.
    pub(super) fn out_of_range(&self, expected: impl Into<String>) -> RequestProblem {
        RequestProblem::OutOfRange { field: self.to_string(), expected: expected.into() }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = self.before {
            before.fmt(f)?;
        }
        match (self.step, self.before) {
            (Step::Index(index), _) => write!(f, "[{index}]"),
            (Step::Field(name), None) => f.write_str(name),
            (Step::Field(name), Some(_)) => write!(f, ".{name}"),
        }
    }
}

/// A body whose texts are given out as slices of it.
#[derive(Debug)]
pub(super) struct Body(ByteString);

impl Body {
    /// Takes a body that has been scanned, which means that it is UTF-8.
    pub(super) fn new(body: &Bytes) -> Self {
        Self(ByteString::try_from(body.clone()).unwrap_or_default())
    }

    /// A part of the body as text of its own life, without copying it.
    pub(super) fn slice(&self, part: &str) -> ByteString {
        let start = (part.as_ptr() as usize).checked_sub(self.0.as_ptr() as usize);
        match start.filter(|start| start + part.len() <= self.0.len()) {
            Some(_) => self.0.slice_ref(part),
            None => ByteString::from(part),
        }
    }

    /// A value as it was written.
    pub(super) fn raw(&self, value: Raw<'_>) -> ByteString {
        self.slice(value.as_written())
    }

    /// A string, a slice of the body unless it holds escapes; `None` for any other kind.
    pub(super) fn string(&self, value: Raw<'_>) -> Option<ByteString> {
        value.text().map(|text| match text {
            Cow::Borrowed(text) => self.slice(text),
            Cow::Owned(text) => text.into(),
        })
    }

    /// A string.
    pub(super) fn text(
        &self,
        value: Raw<'_>,
        at: &Place<'_>,
    ) -> Result<ByteString, RequestProblem> {
        self.string(value).ok_or_else(|| at.wrong_type("a string", value))
    }

    /// A string that may be absent.
    pub(super) fn optional_text(
        &self,
        value: Option<Raw<'_>>,
        at: &Place<'_>,
    ) -> Result<Option<ByteString>, RequestProblem> {
        value.filter(|value| !value.is_null()).map(|value| self.text(value, at)).transpose()
    }

    /// A string that must be there.
    pub(super) fn needed_text(
        &self,
        value: Option<Raw<'_>>,
        at: &Place<'_>,
    ) -> Result<ByteString, RequestProblem> {
        self.optional_text(value, at)?.ok_or_else(|| at.absent("a string"))
    }

    /// A number that may be absent, as its own text.
    pub(super) fn number(
        &self,
        value: Option<Raw<'_>>,
        at: &Place<'_>,
    ) -> Result<Option<Number>, RequestProblem> {
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
        match value.kind() {
            Kind::Number => Ok(Some(Number(self.raw(value)))),
            _ => Err(at.wrong_type("a number", value)),
        }
    }

    /// An array of strings, empty where it is absent.
    pub(super) fn texts(
        &self,
        value: Option<Raw<'_>>,
        at: &Place<'_>,
    ) -> Result<Vec<ByteString>, RequestProblem> {
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
        let elements = of_kind(Some(value), Kind::Array, at)?.elements().enumerate();
        elements.map(|(index, text)| self.needed_text(Some(text), &at.index(index))).collect()
    }
}

/// What the hub has no word for, under the place where it stood.
#[derive(Debug, Default)]
pub(super) struct Unmapped(pub(super) Vec<(Box<str>, ByteString)>);

impl Unmapped {
    pub(super) fn at(&mut self, at: &Place<'_>, raw: ByteString) {
        self.0.push((at.to_string().into(), raw));
    }
}

/// A boolean that may be absent.
pub(super) fn flag(value: Option<Raw<'_>>, at: &Place<'_>) -> Result<Option<bool>, RequestProblem> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    value.boolean().map(Some).ok_or_else(|| at.wrong_type("a boolean", value))
}

/// A whole number from 1 that may be absent.
pub(super) fn count(value: Option<Raw<'_>>, at: &Place<'_>) -> Result<Option<u64>, RequestProblem> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    if value.kind() != Kind::Number {
        return Err(at.wrong_type("a whole number", value));
    }
    let counted = value.whole().filter(|count| *count >= 1);
    counted.map(Some).ok_or_else(|| at.out_of_range("a whole number from 1"))
}

/// The value, if it is of the kind that is needed.
pub(super) fn of_kind<'a>(
    value: Option<Raw<'a>>,
    kind: Kind,
    at: &Place<'_>,
) -> Result<Raw<'a>, RequestProblem> {
    match value {
        Some(value) if value.kind() == kind => Ok(value),
        Some(value) => Err(at.wrong_type(kind.in_words(), value)),
        None => Err(at.absent(kind.in_words())),
    }
}
