//! A value of a request and where it stands, so that a complaint can name the place.
//!
//! The place is a chain of references to the places around it and becomes a text only when there
//! is something to complain about.

use std::borrow::Cow;
use std::fmt;

use bytestring::ByteString;

use super::super::request::RequestProblem;
use crate::conversation::Number;
use crate::json::{Kind, Raw};

/// A value of a request, its place and the body it stands in.
#[derive(Clone, Copy)]
pub(super) struct Spot<'b, 'p> {
    raw: Raw<'b>,
    path: Path<'p>,
    body: &'b ByteString,
}

/// The members of an object of a request, of duplicates the last.
pub(super) struct Fields<'b, 'p> {
    spot: Spot<'b, 'p>,
    members: Vec<(Cow<'b, str>, Raw<'b>)>,
}

#[derive(Clone, Copy)]
enum Path<'p> {
    Field(&'static str),
    Member(&'p Path<'p>, &'static str),
    Element(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => f.write_str(name),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl<'b, 'p> Spot<'b, 'p> {
    /// A field of the outermost object.
    pub(super) const fn field(raw: Raw<'b>, name: &'static str, body: &'b ByteString) -> Self {
        Self { raw, path: Path::Field(name), body }
    }

    /// The value.
    pub(super) const fn raw(&self) -> Raw<'b> {
        self.raw
    }

    /// The value as it was written, a slice of the body.
    pub(super) fn written(&self) -> ByteString {
        self.body.slice_ref(self.raw.as_written())
    }

    /// Reads every element of an array.
    pub(super) fn each<T>(
        &self,
        expected: &'static str,
        mut read: impl FnMut(Spot<'b, '_>) -> Result<T, RequestProblem>,
    ) -> Result<Vec<T>, RequestProblem> {
        if self.raw.kind() != Kind::Array {
            return Err(self.wrong(expected));
        }
        let elements = self.raw.elements().enumerate().map(|(index, raw)| {
            read(Spot { raw, path: Path::Element(&self.path, index), body: self.body })
        });
        elements.collect()
    }

    /// The members of an object, listed in one walk.
    pub(super) fn fields(&self) -> Result<Fields<'b, 'p>, RequestProblem> {
        if self.raw.kind() != Kind::Object {
            return Err(self.wrong("an object"));
        }
        Ok(Fields { spot: *self, members: self.raw.members().collect() })
    }

    /// The text of a string: a slice of the body where it holds no escapes.
    pub(super) fn text(&self) -> Result<ByteString, RequestProblem> {
        self.raw.text().map(|text| self.keep(text)).ok_or_else(|| self.wrong("a string"))
    }

    /// A boolean.
    pub(super) fn boolean(&self) -> Result<bool, RequestProblem> {
        self.raw.boolean().ok_or_else(|| self.wrong("a boolean"))
    }

    /// A number in the client's own spelling.
    pub(super) fn number(&self) -> Result<Number, RequestProblem> {
        match self.raw.kind() {
            Kind::Number => Ok(Number(self.written())),
            _ => Err(self.wrong("a number")),
        }
    }

    /// A text that was read from this body: a slice of it where it could be borrowed.
    pub(super) fn keep(&self, text: Cow<'b, str>) -> ByteString {
        match text {
            Cow::Borrowed(text) => self.body.slice_ref(text),
            Cow::Owned(text) => text.into(),
        }
    }

    /// A complaint about the value's kind.
    pub(super) fn wrong(&self, expected: &'static str) -> RequestProblem {
        let found = self.raw.kind().in_words();
        RequestProblem::WrongType { field: self.path.to_string(), expected, found }
    }

    /// A complaint about the value rather than its kind.
    pub(super) fn out_of_range(&self, expected: impl Into<String>) -> RequestProblem {
        RequestProblem::OutOfRange { field: self.path.to_string(), expected: expected.into() }
    }
}

impl<'b, 'p> Fields<'b, 'p> {
    /// The object itself.
    pub(super) const fn spot(&self) -> Spot<'b, 'p> {
        self.spot
    }

    /// A member, unless it is absent or `null`.
    pub(super) fn member(&self, name: &'static str) -> Option<Spot<'b, '_>> {
        let (_, raw) = self.members.iter().rev().find(|(member, _)| member == name)?;
        let path = Path::Member(&self.spot.path, name);
        Some(Spot { raw: *raw, path, body: self.spot.body }).filter(|spot| !spot.raw.is_null())
    }

    /// A member that must be there.
    pub(super) fn required(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Spot<'b, '_>, RequestProblem> {
        self.member(name).ok_or_else(|| RequestProblem::WrongType {
            field: format!("{}.{name}", self.spot.path),
            expected,
            found: "absent",
        })
    }

    /// A text member that may be absent.
    pub(super) fn text_member(
        &self,
        name: &'static str,
    ) -> Result<Option<ByteString>, RequestProblem> {
        self.member(name).map(|spot| spot.text()).transpose()
    }

    /// A text member that must be there.
    pub(super) fn required_text(&self, name: &'static str) -> Result<ByteString, RequestProblem> {
        self.required(name, "a string")?.text()
    }
}
