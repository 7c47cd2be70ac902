//! What a route answers with, as far as it is promised: answers may hold more.

use crate::shape::Field;

/// What a route answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// JSON of which nothing is promised.
    Any,
    /// A number.
    Count,
    /// A record.
    One(&'static Told),
    /// A list of records.
    List(&'static Told),
    /// An object whose members are such records, by names that the gateway does not choose.
    Each(&'static Told),
    /// A page for people.
    Html,
}

/// A record that answers tell.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// What the description calls it; nothing else is called so.
    pub name: &'static str,
    /// What is in it.
    pub parts: &'static [Part],
}

/// A part of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Members that are always there, null where there is nothing to tell.
    Fields(&'static [Field]),
    /// Members that are left out where there is nothing to tell.
    May(&'static [Field]),
    /// Everything that another record has.
    All(&'static Told),
    /// A member that is a record.
    One(&'static str, &'static Told),
    /// A member that is a list of records.
    List(&'static str, &'static Told),
    /// A member that is an object of records.
    Each(&'static str, &'static Told),
}

impl Answer {
    /// The record that is told of, if any is.
    #[must_use]
    pub const fn told(self) -> Option<&'static Told> {
        match self {
            Self::One(told) | Self::List(told) | Self::Each(told) => Some(told),
            Self::Any | Self::Count | Self::Html => None,
        }
    }
}

impl Part {
    /// The other record that it tells of, if it does.
    #[must_use]
    pub const fn told(self) -> Option<&'static Told> {
        match self {
            Self::All(told) | Self::One(_, told) | Self::List(_, told) | Self::Each(_, told) => {
                Some(told)
            }
            Self::Fields(_) | Self::May(_) => None,
        }
    }
}
