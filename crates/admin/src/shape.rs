//! What a route takes: each field with its type, said once, for reading and for describing.

/// A field of a body, or a name in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether the request has to have it.
    pub required: bool,
    /// Whether it names what the request is about, though something else may do so too.
    pub names: bool,
    /// What it means, in one sentence.
    pub about: &'static str,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// An instant as RFC 3339 writes it.
    Instant,
    /// True or false.
    Flag,
    /// A whole number, zero or more.
    Count,
    /// An amount of dollars, zero or more.
    Dollars,
    /// A list of texts.
    Texts,
    /// A list of anything.
    List,
    /// An object.
    Object,
    /// An object, or a list of objects.
    OneOrMore,
}

/// What a request may hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// What is read.
    pub fields: Vec<Field>,
    /// LiteLLM's fields that are refused when they ask for something.
    pub not_yet: Vec<&'static str>,
}

impl Shape {
    /// A shape of these fields.
    pub(crate) fn of(fields: &[Field]) -> Self {
        Self { fields: fields.to_vec(), not_yet: Vec::new() }
    }

    /// The same with more fields.
    #[must_use]
    pub(crate) fn and(mut self, fields: &[Field]) -> Self {
        self.fields.extend(fields);
        self
    }

    /// The same where these fields of LiteLLM's are known and refused.
    #[must_use]
    pub(crate) fn but_not(mut self, names: &[&'static str]) -> Self {
        self.not_yet.extend(names);
        self
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }
}

impl Field {
    /// The same field, where it names what the request is about.
    pub(crate) const fn naming(self) -> Self {
        Self { names: true, ..self }
    }

    /// The same field, where a request has to have it.
    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}

const fn field(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, required: false, names: false, about }
}

pub(crate) const fn text(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::Text, about)
}

pub(crate) const fn choice(
    name: &'static str,
    among: &'static [&'static str],
    about: &'static str,
) -> Field {
    field(name, Kind::Choice(among), about)
}

pub(crate) const fn instant(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::Instant, about)
}

pub(crate) const fn flag(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::Flag, about)
}

pub(crate) const fn count(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::Count, about)
}

pub(crate) const fn dollars(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::Dollars, about)
}

pub(crate) const fn texts(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::Texts, about)
}

pub(crate) const fn list(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::List, about)
}

pub(crate) const fn object(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::Object, about)
}

pub(crate) const fn one_or_more(name: &'static str, about: &'static str) -> Field {
    field(name, Kind::OneOrMore, about)
}
