//! A value that a scan has accepted, read only as far as somebody asks.

use std::borrow::Cow;

use tollgate_domain::parse_scaled;

use super::grammar::Cursor;
use super::text::unescaped;

/// One JSON value inside a text that [`Object::scan`](super::Object::scan) has validated.
///
/// Reading never fails and never panics: a value of another kind than the one asked for answers
/// `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

/// The kinds of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The kind in words, for messages: `a string`.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

impl<'a> Raw<'a> {
    pub(crate) const fn scanned(text: &'a str) -> Self {
        Self(text)
    }

    /// The value as it was written.
    #[must_use]
    pub const fn as_written(self) -> &'a str {
        self.0
    }

    /// The value's kind.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// Whether the value is `null`, which means the same as an absent member.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The text of a string, its escapes read.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        Some(unescaped(self.0.strip_prefix('"')?.strip_suffix('"')?))
    }

    /// A boolean.
    #[must_use]
    pub fn boolean(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A whole number that is not negative, however it is spelled: `100`, `100.0` and `1e2` are the
    /// same.
    #[must_use]
    pub fn whole(self) -> Option<u64> {
        if self.kind() != Kind::Number {
            return None;
        }
        let scaled = parse_scaled(self.0, 0).ok().filter(|scaled| scaled.exact)?;
        u64::try_from(scaled.value).ok()
    }

    /// Whether the value is an array or an object that holds something.
    #[must_use]
    pub fn holds_something(self) -> bool {
        let inside = self.0.strip_prefix(['[', '{']);
        inside.is_some_and(|inside| !inside.trim_ascii_start().starts_with([']', '}']))
    }

    /// The members of an object in order; nothing for any other kind.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        let mut cursor = Cursor::new(self.0);
        let open = cursor.enter_object().is_ok();
        Members { text: self.0, cursor, open, first: true }
    }

    /// The elements of an array in order; nothing for any other kind.
    #[must_use]
    pub fn elements(self) -> Elements<'a> {
        let mut cursor = Cursor::new(self.0);
        let open = cursor.enter_array().is_ok();
        Elements { text: self.0, cursor, open, first: true }
    }

    /// An object's member of this name, of duplicates the last, unless it is absent or `null`.
    #[must_use]
    pub fn find(self, name: &str) -> Option<Self> {
        let last = self.members().filter(|(member, _)| member == name).last();
        last.map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// Several members in one walk, each as [`find`](Self::find) gives it.
    #[must_use]
    pub fn find_each<const N: usize>(self, names: [&str; N]) -> [Option<Self>; N] {
        let mut found: [Option<Self>; N] = [None; N];
        for (name, value) in self.members() {
            let at = names.iter().position(|wanted| name == *wanted);
            if let Some(slot) = at.and_then(|at| found.get_mut(at)) {
                *slot = Some(value);
            }
        }
        found.map(|value| value.filter(|value| !value.is_null()))
    }
}

/// The members of an object.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    text: &'a str,
    cursor: Cursor<'a>,
    open: bool,
    first: bool,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Raw<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if !self.open {
            return None;
        }
        let Ok(Some(spans)) = self.cursor.next_member(self.first) else {
            self.open = false;
            return None;
        };
        self.first = false;
        Some((unescaped(self.text.get(spans.name)?), Raw(self.text.get(spans.value)?)))
    }
}

/// The elements of an array.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    text: &'a str,
    cursor: Cursor<'a>,
    open: bool,
    first: bool,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.open {
            return None;
        }
        let Ok(Some(span)) = self.cursor.next_element(self.first) else {
            self.open = false;
            return None;
        };
        self.first = false;
        self.text.get(span).map(Raw)
    }
}
