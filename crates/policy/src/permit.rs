//! Which models a caller sees. Listing and authorising ask the same question, so they cannot
//! disagree.

use tollgate_domain::ModelName;

/// The models that one level (key, team, user, organization) grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// No restriction at this level.
    Everything,
    /// Only names that match one of these; none when there are none.
    Only(Vec<ModelPattern>),
}

/// A model name in which `*` stands for any text, the empty one included. The pattern matches a
/// whole name, and every other character stands for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPattern(Box<str>);

impl Grant {
    /// Reads a `models` list (management-api §2). An empty list, `*` and `all-proxy-models` grant
    /// everything; so does `all-team-models`, because the team's own grant is applied beside it.
    /// `no-default-models` grants nothing, whatever stands next to it.
    #[must_use]
    pub fn read(models: &[String]) -> Self {
        let named = |wanted: &str| models.iter().any(|model| model == wanted);
        if named(NOTHING) {
            return Self::Only(Vec::new());
        }
        if models.is_empty() || EVERYTHING.into_iter().any(named) {
            return Self::Everything;
        }
        Self::Only(models.iter().map(|model| ModelPattern::new(model)).collect())
    }

    /// Whether a caller with this grant may see and call the model.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(patterns) => patterns.iter().any(|pattern| pattern.matches(name)),
        }
    }

    /// Whether it allows every name that a pattern matches.
    #[must_use]
    pub fn includes(&self, pattern: &ModelPattern) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(patterns) => patterns.iter().any(|own| own.includes(pattern)),
        }
    }

    /// Whether the grant has this very name: an access group's, or one that a team has for a model.
    /// A wildcard stands for models, and would otherwise grant models that it does not match.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        match self {
            Self::Everything => false,
            Self::Only(patterns) => patterns.iter().any(|pattern| pattern.as_str() == name),
        }
    }
}

impl ModelPattern {
    /// A pattern from its text. Every text is a pattern.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Box::from(text))
    }

    /// The pattern's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it matches every name that the other matches. A character that no name has stands
    /// for the other's `*`, so that only an own `*` can match it.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self == other || self.matches(&other.0.replace('*', "\u{0}"))
    }

    /// Whether the whole name matches. Takes at most name × pattern steps, whatever their content.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let mut pieces = self.0.split('*');
        let Some(rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else {
            return false;
        };
        let Some(last) = pieces.next_back() else { return rest.is_empty() };
        // The leftmost place for each piece leaves the most room for the pieces behind it.
        let mut rest = rest;
        for piece in pieces {
            let Some(at) = rest.find(piece) else { return false };
            rest = rest.get(at + piece.len()..).unwrap_or_default();
        }
        rest.ends_with(last)
    }
}

/// The model groups that a caller with this grant sees, in their order. A group is visible exactly
/// when [`Grant::allows`] its name.
#[must_use]
pub fn visible_models<'a>(
    groups: impl Iterator<Item = &'a ModelName>,
    grant: &Grant,
) -> Vec<&'a ModelName> {
    groups.filter(|name| grant.allows(name.as_str())).collect()
}

/// The words of LiteLLM's `models` lists that restrict nothing.
const EVERYTHING: [&str; 3] = ["*", "all-proxy-models", "all-team-models"];
/// The word that grants nothing.
const NOTHING: &str = "no-default-models";

#[cfg(test)]
mod tests;
