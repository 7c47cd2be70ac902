//! Fallback chains: which model groups are tried when one is exhausted, and why that one failed.
//!
//! [`Fallbacks::compile`] reads what the configuration lists, with every name resolved as calls
//! resolve theirs, and says what is wrong with it; [`Fallbacks::chain`] answers for a call.

mod compile;

use std::collections::HashMap;
use std::sync::Arc;

pub use compile::{CHAIN_MAX, FallbackList, FallbackProblem, FallbackTrouble};

/// What a chain is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChainKind {
    /// Any failure that another model group may not have: `fallbacks`.
    Any,
    /// A prompt that is too long: `context_window_fallbacks`.
    ContextWindow,
    /// Content that the provider refuses: `content_policy_fallbacks`.
    ContentPolicy,
}

/// A chain: the model groups to try, in order.
pub type Chain = Arc<[Arc<str>]>;

/// The chains of every model group.
#[derive(Debug, Clone, Default)]
pub struct Fallbacks {
    any: HashMap<Box<str>, Chain>,
    context_window: HashMap<Box<str>, Chain>,
    content_policy: HashMap<Box<str>, Chain>,
}

impl ChainKind {
    /// Its key in the configuration.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Any => "fallbacks",
            Self::ContextWindow => "context_window_fallbacks",
            Self::ContentPolicy => "content_policy_fallbacks",
        }
    }
}

impl Fallbacks {
    /// The chain of a model group for a kind of failure, where there is one.
    ///
    /// `names` are all the names that the group goes by for this call, the nearest first: the one
    /// that was asked for, what it is an alias of, the pattern that it matches, the name without
    /// its provider's prefix. Then comes the chain for every group, and a kind without any falls to
    /// the general one (seed-behaviour S18).
    #[must_use]
    pub fn chain(&self, kind: ChainKind, names: &[&str]) -> Option<&Chain> {
        let of = |kind: ChainKind| {
            let table = self.table(kind);
            names.iter().find_map(|name| table.get(*name)).or_else(|| table.get(EVERY_GROUP))
        };
        of(kind).or_else(|| of(ChainKind::Any))
    }

    /// Whether no group has a chain.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let tables = [&self.any, &self.context_window, &self.content_policy];
        tables.into_iter().all(HashMap::is_empty)
    }

    /// The groups that have a chain of this kind, in alphabetical order, `*` among them where there
    /// is one for all others; for telling whoever expected one.
    #[must_use]
    pub fn configured(&self, kind: ChainKind) -> Vec<&str> {
        let mut names: Vec<&str> = self.table(kind).keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    /// The chain that is configured for a group of this name itself.
    #[must_use]
    pub fn own_chain(&self, kind: ChainKind, group: &str) -> Option<Vec<&str>> {
        let chain = self.table(kind).get(group)?;
        Some(chain.iter().map(|name| &**name).collect())
    }

    const fn table(&self, kind: ChainKind) -> &HashMap<Box<str>, Chain> {
        match kind {
            ChainKind::Any => &self.any,
            ChainKind::ContextWindow => &self.context_window,
            ChainKind::ContentPolicy => &self.content_policy,
        }
    }

    fn table_mut(&mut self, kind: ChainKind) -> &mut HashMap<Box<str>, Chain> {
        match kind {
            ChainKind::Any => &mut self.any,
            ChainKind::ContextWindow => &mut self.context_window,
            ChainKind::ContentPolicy => &mut self.content_policy,
        }
    }
}

/// The name that stands for every group without a chain of its own.
const EVERY_GROUP: &str = "*";

#[cfg(test)]
mod tests;
