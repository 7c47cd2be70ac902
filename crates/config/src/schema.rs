//! Sections of the configuration: which keys are read, and what becomes of the others.
//!
//! LiteLLM ignores a key it does not know. So do we, but never silently: a key of LiteLLM's that
//! has no effect yet and a key that nobody knows are each a warning. What is *read* is not listed
//! anywhere; a section remembers every name it was asked for.

mod read;

use crate::diagnostic::{Finding, code};
use crate::yaml::{Entry, Mapping, Value};
use tollgate_policy::nearest;

pub(crate) use read::{Given, Reader, quoted};

/// One mapping of the configuration and the names that were looked up in it.
#[derive(Clone)]
pub(crate) struct Section<'a> {
    name: &'static str,
    entries: &'a [Entry],
    looked_up: Vec<&'a str>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(name: &'static str, mapping: &'a Mapping) -> Self {
        Self { name, entries: &mapping.entries, looked_up: Vec::new() }
    }

    /// A section that is not in the file.
    pub(crate) fn absent(name: &'static str) -> Self {
        Self { name, entries: &[], looked_up: Vec::new() }
    }

    /// The entry of this name; one without a value counts as absent.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<&'a Entry> {
        self.looked_up.push(name);
        self.peek(name)
    }

    /// The same, where somebody else answers for it being read.
    pub(crate) fn peek(&self, name: &str) -> Option<&'a Entry> {
        let entry = self.entries.iter().find(|entry| &*entry.name == name)?;
        (entry.node.value != Value::Null).then_some(entry)
    }

    /// Every entry whose name is wanted, those without a value excepted.
    pub(crate) fn take_where(&mut self, wanted: impl Fn(&str) -> bool) -> Vec<&'a Entry> {
        let taken: Vec<&Entry> = self.entries.iter().filter(|entry| wanted(&entry.name)).collect();
        self.looked_up.extend(taken.iter().map(|entry| &*entry.name));
        taken.into_iter().filter(|entry| entry.node.value != Value::Null).collect()
    }

    /// The entries that were never asked for.
    pub(crate) fn rest(&self) -> impl Iterator<Item = &'a Entry> + use<'_, 'a> {
        self.entries.iter().filter(|entry| !self.looked_up.contains(&&*entry.name))
    }

    /// A warning for each entry that was never asked for and says something.
    pub(crate) fn finish(&self, known: &KnownKeys, findings: &mut Vec<Finding>) {
        for entry in self.rest().filter(|entry| !entry.node.value.is_empty()) {
            findings.push(if known.contains(&entry.name) {
                self.without_effect(entry)
            } else {
                self.unknown(entry, known)
            });
        }
    }

    /// The warning for a key of LiteLLM's that nothing reads yet.
    pub(crate) fn without_effect(&self, entry: &Entry) -> Finding {
        let message = format!("`{}` in `{}` has no effect yet", entry.name, self.name);
        Finding::warning(code::NO_EFFECT, entry.name_span.clone(), message)
    }

    fn unknown(&self, entry: &Entry, known: &KnownKeys) -> Finding {
        let message = format!("`{}` is not a key of `{}`", entry.name, self.name);
        let names =
            self.looked_up.iter().copied().chain(known.names().map(|name| -> &str { name }));
        Finding::warning(code::KEY_UNKNOWN, entry.name_span.clone(), message)
            .with_nearest(&nearest(&entry.name, names, 2))
    }

    /// The names that were looked up and that this one is probably a misspelling of.
    pub(crate) fn nearest(&self, name: &str) -> Vec<&'a str> {
        nearest(name, self.looked_up.iter().copied(), 1)
    }
}

/// Keys of LiteLLM's (config.md), one a line; `#` begins a comment, and a name may end in `*`.
pub(crate) struct KnownKeys(&'static str);

impl KnownKeys {
    pub(crate) const TOP_LEVEL: Self = Self(include_str!("../keys/top_level.txt"));
    pub(crate) const GENERAL_SETTINGS: Self = Self(include_str!("../keys/general_settings.txt"));
    pub(crate) const LITELLM_SETTINGS: Self = Self(include_str!("../keys/litellm_settings.txt"));
    pub(crate) const ROUTER_SETTINGS: Self = Self(include_str!("../keys/router_settings.txt"));
    pub(crate) const LITELLM_PARAMS: Self = Self(include_str!("../keys/litellm_params.txt"));
    pub(crate) const MODEL_INFO: Self = Self(include_str!("../keys/model_info.txt"));
    /// Parameters that a credential holds.
    pub(crate) const CREDENTIAL: Self = Self(include_str!("../keys/credential.txt"));
    /// Fields of a chat request, which `litellm_params` may give a default for.
    pub(crate) const BODY: Self = Self(include_str!("../keys/body.txt"));
    /// Keys in the sections about the making of keys.
    pub(crate) const KEY_MAKING: Self = Self(include_str!("../keys/key_making.txt"));
    /// Keys in the sections about new users and teams.
    pub(crate) const NEWCOMERS: Self = Self(include_str!("../keys/newcomers.txt"));
    /// The only keys of one entry of `model_list`.
    pub(crate) const ENTRY: Self = Self("");

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.0.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names().any(|known| match known.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => known == name,
        })
    }
}
