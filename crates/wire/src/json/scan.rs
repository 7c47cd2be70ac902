//! One scan of a whole body that remembers where the members of its outermost object stand.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::grammar::{Cursor, MemberSpans};
use super::text::unescaped;
use super::{Malformed, Raw};

/// How many members are expected, so that the usual body needs one allocation.
const USUAL_MEMBERS: usize = 12;

/// The outermost object of a body that has been validated as a whole.
#[derive(Debug, Clone)]
pub struct Object<'a> {
    members: Vec<Member<'a>>,
    inside: usize,
}

/// One member of an [`Object`].
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// The name with its escapes read: `mod\u0065l` is `model`.
    pub name: Cow<'a, str>,
    /// The value as it stands in the body.
    pub value: &'a str,
    /// Where the value stands, in bytes of the body.
    pub value_span: Range<usize>,
    /// Where the member stands, from the opening quote of its name to the end of its value.
    pub member_span: Range<usize>,
}

impl<'a> Object<'a> {
    /// Validates a whole body and lists the members of its outermost object. Duplicates are all
    /// listed.
    ///
    /// # Errors
    /// [`Malformed`] when the body is not UTF-8, not strict JSON, not an object, or nested deeper
    /// than [`NESTING_MAX`](super::NESTING_MAX) levels.
    pub fn scan(body: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(body).map_err(|error| {
            Malformed::at(body, error.valid_up_to(), "the body is not valid UTF-8")
        })?;
        Self::walk(text).map_err(|fault| Malformed::from_fault(text, fault))
    }

    /// The members of a body whose layout is known, without another scan. A layout of another body
    /// gives nothing.
    #[must_use]
    pub fn laid_out(body: &'a [u8], layout: &'a Layout) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let member = |place: &'a Place| {
            Some(Member {
                name: Cow::Borrowed(&*place.name),
                value: text.get(place.value.clone())?,
                value_span: place.value.clone(),
                member_span: place.member.clone(),
            })
        };
        let members = layout.places.iter().map(member).collect::<Option<_>>()?;
        Some(Self { members, inside: layout.inside })
    }

    fn walk(text: &'a str) -> Result<Self, super::grammar::Fault> {
        let mut cursor = Cursor::new(text);
        cursor.enter_object()?;
        let inside = cursor.offset();
        let mut members = Vec::with_capacity(USUAL_MEMBERS);
        while let Some(spans) = cursor.next_member(members.is_empty())? {
            members.push(Member::new(text, spans));
        }
        cursor.end()?;
        Ok(Self { members, inside })
    }

    /// The member of this name; of duplicates the last, which is the one that readers take.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Member<'a>> {
        self.members.iter().rev().find(|member| member.name == name)
    }

    /// Every member in the order of the body, duplicates included.
    #[must_use]
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// The member of this name for reading, unless it is absent or `null`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Raw<'a>> {
        self.find(name).map(Member::raw).filter(|raw| !raw.is_null())
    }

    /// Where the members stand, without borrowing the body.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let places = self.members.iter().map(|member| Place {
            name: member.name.as_ref().into(),
            value: member.value_span.clone(),
            member: member.member_span.clone(),
        });
        Layout { places: places.collect(), inside: self.inside }
    }
}

impl<'a> Member<'a> {
    fn new(text: &'a str, spans: MemberSpans) -> Self {
        Self {
            name: unescaped(&text[spans.name]),
            value: &text[spans.value.clone()],
            value_span: spans.value,
            member_span: spans.member,
        }
    }

    /// The value, for reading below the top level.
    #[must_use]
    pub const fn raw(&self) -> Raw<'a> {
        Raw::scanned(self.value)
    }
}

/// Where the members of a scanned object stand: what editing its body needs, without borrowing it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    pub(super) places: Arc<[Place]>,
    /// Offset just inside the opening brace.
    pub(super) inside: usize,
}

/// One member's name and spans.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: Box<str>,
    pub(super) value: Range<usize>,
    pub(super) member: Range<usize>,
}

impl Layout {
    /// The names of the members in the order of the body, duplicates included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| &*place.name)
    }

    /// Where the value of a name stands, in bytes of the body; of duplicates the last.
    #[must_use]
    pub fn span(&self, name: &str) -> Option<Range<usize>> {
        let place = self.places.iter().rev().find(|place| *place.name == *name);
        place.map(|place| place.value.clone())
    }
}
