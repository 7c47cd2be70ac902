//! YAML text to a tree in which every value knows where it stands.
//!
//! The tree is built from the parser's events rather than by deserializing into structs, because a
//! deserializer stops at its first problem and a configuration is reported with all of them. The
//! rest of the crate knows only this tree, so that the parser can be replaced here.
//!
//! Plain scalars mean what they mean to the loader that LiteLLM uses (YAML 1.1: `yes` is a
//! boolean), merge keys (`<<`) and aliases are resolved, and a file cannot make the tree larger or
//! deeper than the limits below.

mod json;
mod scalar;
mod tree;

use std::ops::Range;

pub(crate) use tree::read;

/// A range of bytes in the source text.
pub(crate) type Span = Range<usize>;

/// A value and where it stands. A value that came through an alias stands at its anchor.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    List(Vec<Node>),
    Map(Mapping),
}

/// A number, never passed through binary floating point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    /// As it is written, for fields that are text and happen to look like a number.
    pub(crate) written: Box<str>,
    /// As a JSON number.
    pub(crate) json: Box<str>,
}

/// The entries of a mapping in the order of the file; no name appears twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Mapping {
    pub(crate) entries: Vec<Entry>,
}

/// One `name: value` of a mapping.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: Box<str>,
    pub(crate) name_span: Span,
    pub(crate) node: Node,
}

impl PartialEq for Node {
    /// Equal content; where it stands does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialEq for Entry {
    /// Equal name and content; where it stands does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.node == other.node
    }
}

impl Value {
    /// What the value is, with its article, for messages.
    pub(crate) const fn described(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }

    /// Whether the value says nothing: null, `false`, an empty text, list or mapping.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) => true,
            Self::Bool(true) | Self::Number(_) => false,
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(map) => map.entries.is_empty(),
        }
    }
}

impl Mapping {
    /// Where it begins: at its first name.
    pub(crate) fn span(&self) -> Span {
        self.entries.first().map_or(0..0, |entry| entry.name_span.clone())
    }

    /// The entry of this name.
    pub(crate) fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| &*entry.name == name)
    }
}

#[cfg(test)]
mod tests;
