//! Reading single values of a body: texts as slices of it, and problems that say where they are.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;

use crate::formats::openai_chat::RequestProblem;
use crate::json::{Kind, Raw};

/// Where a value stands in a body: a chain of steps that becomes text only where somebody asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'p> {
    parent: Option<&'p At<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Member(&'p str),
    Element(usize),
}

impl<'p> At<'p> {
    /// A member of the outermost object.
    pub(super) const fn top(name: &'p str) -> Self {
        Self { parent: None, step: Step::Member(name) }
    }

    /// A member of the object here.
    pub(super) const fn member(&'p self, name: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Member(name) }
    }

    /// An element of the array here.
    pub(super) const fn element(&'p self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Element(index) }
    }

    /// The value here is of another kind.
    pub(super) fn wrong(&self, expected: &'static str, found: Raw<'_>) -> RequestProblem {
        let found = found.kind().in_words();
        RequestProblem::WrongType { field: self.to_string(), expected, found }
    }

    /// Nothing is here, and something must be.
    pub(super) fn absent(&self, expected: &'static str) -> RequestProblem {
        let found = Kind::Null.in_words();
        RequestProblem::WrongType { field: self.to_string(), expected, found }
    }

    /// The value here is outside its range.
    pub(super) fn outside(&self, expected: impl Into<String>) -> RequestProblem {
        RequestProblem::OutOfRange { field: self.to_string(), expected: expected.into() }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Element(index) => write!(f, "[{index}]"),
            Step::Member(name) if self.parent.is_none() => f.write_str(name),
            Step::Member(name) => write!(f, ".{name}"),
        }
    }
}

/// A scanned body, whose texts are given out as slices of it.
#[derive(Debug)]
pub(super) struct Body(ByteString);

impl Body {
    /// Takes a body that has been scanned, and therefore is UTF-8.
    pub(super) fn scanned(body: &Bytes) -> Self {
        Self(ByteString::try_from(body.clone()).unwrap_or_default())
    }

    /// A part of the body without copying it; what is no part of it is copied.
    pub(super) fn slice(&self, part: &str) -> ByteString {
        let own = self.0.as_bytes().as_ptr_range();
        let asked = part.as_bytes().as_ptr_range();
        if own.start <= asked.start && asked.end <= own.end {
            self.0.slice_ref(part)
        } else {
            ByteString::from(part)
        }
    }

    /// A value as it was written.
    pub(super) fn raw(&self, value: Raw<'_>) -> ByteString {
        self.slice(value.as_written())
    }

    /// A string, which must be there.
    pub(super) fn text(
        &self,
        value: Option<Raw<'_>>,
        at: &At<'_>,
    ) -> Result<ByteString, RequestProblem> {
        let value = value.ok_or_else(|| at.absent("a string"))?;
        match value.text() {
            Some(Cow::Borrowed(text)) => Ok(self.slice(text)),
            Some(Cow::Owned(text)) => Ok(text.into()),
            None => Err(at.wrong("a string", value)),
        }
    }

    /// A string, which may be absent.
    pub(super) fn text_if_any(
        &self,
        value: Option<Raw<'_>>,
        at: &At<'_>,
    ) -> Result<Option<ByteString>, RequestProblem> {
        value.map(|value| self.text(Some(value), at)).transpose()
    }
}

/// A boolean, which may be absent.
pub(super) fn flag_if_any(
    value: Option<Raw<'_>>,
    at: &At<'_>,
) -> Result<Option<bool>, RequestProblem> {
    let Some(value) = value else { return Ok(None) };
    value.boolean().map(Some).ok_or_else(|| at.wrong("a boolean", value))
}

/// An object, which must be there.
pub(super) fn object<'a>(value: Option<Raw<'a>>, at: &At<'_>) -> Result<Raw<'a>, RequestProblem> {
    of_kind(value, Kind::Object, at)
}

/// An array, which must be there.
pub(super) fn array<'a>(value: Option<Raw<'a>>, at: &At<'_>) -> Result<Raw<'a>, RequestProblem> {
    of_kind(value, Kind::Array, at)
}

fn of_kind<'a>(value: Option<Raw<'a>>, kind: Kind, at: &At<'_>) -> Result<Raw<'a>, RequestProblem> {
    match value {
        Some(value) if value.kind() == kind => Ok(value),
        Some(value) => Err(at.wrong(kind.in_words(), value)),
        None => Err(at.absent(kind.in_words())),
    }
}

/// What the hub has no word for, under the place where it stood.
#[derive(Debug, Default)]
pub(super) struct Unmapped(pub(super) Vec<(Box<str>, ByteString)>);

impl Unmapped {
    /// Keeps a value.
    pub(super) fn keep(&mut self, at: &At<'_>, raw: ByteString) {
        self.0.push((at.to_string().into(), raw));
    }

    /// Keeps every member of an object that is not among `known`.
    pub(super) fn keep_others(&mut self, value: Raw<'_>, known: &[&str], at: &At<'_>, body: &Body) {
        for (name, member) in value.members().filter(|(name, _)| !known.contains(&&**name)) {
            self.keep(&at.member(&name), body.raw(member));
        }
    }
}
