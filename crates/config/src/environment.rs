//! The environment as a lookup that is passed in, with the configuration's own variables over it.

use std::collections::BTreeMap;
use std::fmt;

/// What marks a text as the name of a variable (config.md, `os.environ/NAME`).
const REFERENCE: &str = "os.environ/";

/// Environment variables: those of `environment_variables` first, then the ones passed in. Nothing
/// is ever set into the process.
pub(crate) struct Environment<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    own: BTreeMap<Box<str>, String>,
}

impl<'a> Environment<'a> {
    pub(crate) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, own: BTreeMap::new() }
    }

    /// Puts a variable over the ones passed in.
    pub(crate) fn put(&mut self, name: &str, value: String) {
        self.own.insert(name.into(), value);
    }

    /// The variable's value; an empty one counts as unset.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let value = self.own.get(name).cloned().or_else(|| (self.lookup)(name));
        value.filter(|value| !value.is_empty())
    }

    /// The first of several variables that is set.
    pub(crate) fn first<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> Option<String> {
        names.into_iter().find_map(|name| self.variable(name))
    }
}

impl fmt::Debug for Environment<'_> {
    /// Names only: the values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("own", &self.own.keys()).finish_non_exhaustive()
    }
}

/// How the variables begin that are the gateway's own: nobody who may only add deployments can have
/// one of them sent to an address of theirs.
const OWN: [&str; 4] = ["DATABASE_URL", "TOLLGATE_", "LITELLM_", "REDIS_"];

/// Whether a variable is the gateway's own.
pub(crate) fn is_own(name: &str) -> bool {
    OWN.iter().any(|own| name.starts_with(own))
}

/// The variable that a text names, when it is a reference to one.
pub(crate) fn reference(text: &str) -> Option<&str> {
    text.strip_prefix(REFERENCE)
}
