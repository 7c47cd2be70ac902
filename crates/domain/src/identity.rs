//! Newtypes for everything that has an identity.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;
use uuid::Uuid;

/// Longest identifier that is accepted, in bytes.
const ID_BYTES_MAX: usize = 256;

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdError {
    /// The text is empty.
    #[error("an identifier is not empty")]
    Empty,
    /// The text is longer than 256 bytes.
    #[error("an identifier has at most {ID_BYTES_MAX} bytes")]
    TooLong,
    /// The text holds a control character.
    #[error("an identifier holds no control characters")]
    ControlCharacter,
}

pub(crate) fn checked(text: &str) -> Result<Arc<str>, IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(IdError::ControlCharacter);
    }
    Ok(Arc::from(text))
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text of 1 to 256 bytes without control characters.
            ///
            /// # Errors
            /// [`IdError`] says which rule the text breaks.
            pub fn new(text: &str) -> Result<Self, IdError> {
                checked(text).map(Self)
            }

            /// The identifier's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The same to be kept: sharing it copies nothing.
            #[must_use]
            pub fn shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier! {
    /// A deployment: one model at one provider with one credential.
    DeploymentId
}
identifier! {
    /// A provider in the catalog, such as `openai`.
    ProviderName
}
identifier! {
    /// A team.
    TeamId
}
identifier! {
    /// An internal user.
    UserId
}
identifier! {
    /// An organization.
    OrganizationId
}
identifier! {
    /// A customer: the end user on whose behalf an application calls.
    CustomerId
}
identifier! {
    /// A project: a part of a team's work with limits of its own.
    ProjectId
}
identifier! {
    /// A tag that calls carry.
    TagName
}
identifier! {
    /// A budget that several share the rules of.
    BudgetId
}
identifier! {
    /// The public identity of a virtual key. It is drawn at random and says nothing about the key
    /// or its hash.
    KeyId
}
identifier! {
    /// The dated price sheet that a cost was computed with.
    PriceSheetId
}
identifier! {
    /// A kept answer of the Responses API, such as `resp_…`; the gateway makes it.
    ResponseId
}

impl KeyId {
    /// The identity under which calls made with the master key are recorded.
    pub const MASTER: &'static str = "master";

    /// The identity of the master key.
    #[must_use]
    pub fn master() -> Self {
        Self(Arc::from(Self::MASTER))
    }

    /// Whether this is the identity of the master key.
    #[must_use]
    pub fn is_master(&self) -> bool {
        &*self.0 == Self::MASTER
    }
}

/// The identity of one call, sent to the client as `x-litellm-call-id` and used as the ledger
/// entry's key.
///
/// The gateway draws it itself; an id that a client sends is recorded beside it, never instead of
/// it, so that two calls can never share an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(Uuid);

impl CallId {
    /// An identity from a UUID that the caller drew.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Reads the form that `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_limits() {
        assert_eq!(TeamId::new(""), Err(IdError::Empty));
        assert_eq!(TeamId::new(&"x".repeat(257)), Err(IdError::TooLong));
        assert!(TeamId::new(&"x".repeat(256)).is_ok());
        assert_eq!(TeamId::new("a\nb"), Err(IdError::ControlCharacter));
    }

    #[test]
    fn a_call_id_reads_what_it_prints() {
        let id = CallId::from_uuid(Uuid::from_u128(7));
        assert_eq!(CallId::parse(&id.to_string()), Some(id));
    }
}
