//! The public name of a model.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// Longest model name that is accepted, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// A model name as callers write it, such as `gpt-4o` or `openai/*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelName(Arc<str>);

/// Why a text is not a model name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ModelNameError {
    /// The text is empty.
    #[error("a model name is not empty")]
    Empty,
    /// The text is longer than 256 bytes.
    #[error("a model name has at most {NAME_BYTES_MAX} bytes")]
    TooLong,
    /// The text holds a control character.
    #[error("a model name holds no control characters")]
    ControlCharacter,
}

impl ModelName {
    /// Takes a text of 1 to 256 bytes without control characters.
    ///
    /// # Errors
    /// [`ModelNameError`] says which rule the text breaks.
    pub fn new(text: &str) -> Result<Self, ModelNameError> {
        if text.is_empty() {
            return Err(ModelNameError::Empty);
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(ModelNameError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(ModelNameError::ControlCharacter);
        }
        Ok(Self(Arc::from(text)))
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same to be kept: sharing it copies nothing.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// Whether the name is a pattern with `*`.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        self.0.contains('*')
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for ModelName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_name_has_limits() {
        assert_eq!(ModelName::new(""), Err(ModelNameError::Empty));
        assert_eq!(ModelName::new(&"x".repeat(257)), Err(ModelNameError::TooLong));
        assert_eq!(ModelName::new("gpt\u{0}"), Err(ModelNameError::ControlCharacter));
        assert!(ModelName::new("openai/*").expect("a name").is_pattern());
    }
}
