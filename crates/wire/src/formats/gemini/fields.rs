//! The members of objects in either of the format's two spellings.

use std::borrow::Cow;

use crate::formats::openai_chat::RequestProblem;
pub(super) use crate::formats::values::{Body, Place, Unmapped, count, flag, of_kind};
use crate::json::{Kind, Object, Raw};

/// The members of one object, listed once so that a large value is walked over once.
///
/// Google's APIs take `inline_data` for `inlineData`: names are kept in the second spelling. Of
/// duplicates the last counts.
#[derive(Debug)]
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

impl<'a> Members<'a> {
    /// No members: those of an object that is absent.
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    /// The members of a value, none for what is no object.
    pub(super) fn of(object: Raw<'a>) -> Self {
        Self(object.members().map(|(name, value)| (camel_case(name), value)).collect())
    }

    /// The members of a scanned body.
    pub(super) fn of_body(object: &Object<'a>) -> Self {
        let members = object.members().iter();
        Self(members.map(|m| (camel_case(m.name.clone()), m.raw())).collect())
    }

    /// The members of a value that must be an object.
    pub(super) fn read(value: Raw<'a>, at: &Place<'_>) -> Result<Self, RequestProblem> {
        of_kind(Some(value), Kind::Object, at).map(Self::of)
    }

    /// The member of this name, unless it is absent or `null`.
    pub(super) fn find(&self, name: &str) -> Option<Raw<'a>> {
        let last = self.0.iter().rev().find(|(member, _)| member == name);
        last.map(|(_, value)| *value).filter(|value| !value.is_null())
    }

    /// The members of other names than these, unless they are `null`.
    pub(super) fn others(&self, known: &[&str]) -> impl Iterator<Item = (&str, Raw<'a>)> {
        let unknown = self.0.iter().filter(|(name, _)| !known.contains(&&**name));
        unknown.filter(|(_, value)| !value.is_null()).map(|(name, value)| (&**name, *value))
    }
}

fn camel_case(name: Cow<'_, str>) -> Cow<'_, str> {
    if !name.contains('_') {
        return name;
    }
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    Cow::Owned(out)
}
