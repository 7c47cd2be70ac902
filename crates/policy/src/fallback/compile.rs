//! Fallback chains from what is configured, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::fallback::{Chain, ChainKind, EVERY_GROUP, Fallbacks};

/// One entry as configured: a group and the groups to try after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FallbackList<'a> {
    /// The chain's kind.
    pub kind: ChainKind,
    /// The group, or `*` for every group without a chain of its own. `default_fallbacks` is an
    /// entry of kind [`ChainKind::Any`] for `*`.
    pub group: &'a str,
    /// The groups to try, in order.
    pub targets: Vec<&'a str>,
}

/// What is wrong with a configured chain, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FallbackProblem {
    /// Which entry, by its place in what was compiled.
    pub entry: usize,
    /// Which of its targets, or `None` where it is the group or the whole entry.
    pub target: Option<usize>,
    /// What is wrong.
    pub trouble: FallbackTrouble,
}

/// What can be wrong with a configured chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FallbackTrouble {
    /// No group, alias or pattern of this name.
    Unknown(Box<str>),
    /// A target is the group itself. It is left out.
    Itself,
    /// The target stands in the chain already. It is left out.
    Twice,
    /// An earlier entry has the group's chain of this kind. This one is left out.
    Again,
    /// The chains lead back to where they began, by these groups. A call never enters a group a
    /// second time, so the way back is not gone.
    Loop(Vec<Box<str>>),
    /// The chain has more targets than [`CHAIN_MAX`]. The rest is left out.
    TooLong,
}

impl Fallbacks {
    /// Chains of these entries and every problem with them. `resolve` gives a name as calls see
    /// it: the group that an alias stands for, the name itself where it is one or matches a
    /// pattern, nothing where nobody knows it.
    ///
    /// What is wrong is left out, so that the chains can be used whatever the problems weigh.
    pub fn compile(
        entries: &[FallbackList<'_>],
        resolve: &dyn Fn(&str) -> Option<Box<str>>,
    ) -> (Self, Vec<FallbackProblem>) {
        let mut compiling = Compiling { fallbacks: Self::default(), problems: Vec::new(), resolve };
        let mut edges = Edges::default();
        for (at, entry) in entries.iter().enumerate() {
            compiling.enter(at, entry, &mut edges);
        }
        edges.loops(&mut compiling.problems);
        (compiling.fallbacks, compiling.problems)
    }
}

struct Compiling<'r> {
    fallbacks: Fallbacks,
    problems: Vec<FallbackProblem>,
    resolve: &'r dyn Fn(&str) -> Option<Box<str>>,
}

impl Compiling<'_> {
    fn enter(&mut self, at: usize, entry: &FallbackList<'_>, edges: &mut Edges) {
        let for_all = entry.group == EVERY_GROUP;
        let group = if for_all { Some(entry.group.into()) } else { (self.resolve)(entry.group) };
        if group.is_none() {
            self.trouble(at, None, FallbackTrouble::Unknown(entry.group.into()));
        }
        let chain = self.targets(at, entry, group.as_deref());
        let Some(group) = group.filter(|_| !chain.is_empty()) else { return };
        if self.fallbacks.table(entry.kind).contains_key(&group) {
            return self.trouble(at, None, FallbackTrouble::Again);
        }
        edges.add(at, entry.kind, &group, &chain);
        // Calls ask by the name that the client sent and by what it stands for.
        if *group != *entry.group {
            self.fallbacks.table_mut(entry.kind).insert(entry.group.into(), Arc::clone(&chain));
        }
        self.fallbacks.table_mut(entry.kind).insert(group, chain);
    }

    fn targets(&mut self, at: usize, entry: &FallbackList<'_>, group: Option<&str>) -> Chain {
        let mut chain: Vec<Arc<str>> = Vec::new();
        for (place, target) in entry.targets.iter().enumerate() {
            let trouble = match (self.resolve)(target) {
                None => FallbackTrouble::Unknown((*target).into()),
                Some(target) if Some(&*target) == group => FallbackTrouble::Itself,
                Some(target) if chain.iter().any(|have| **have == *target) => {
                    FallbackTrouble::Twice
                }
                Some(_) if chain.len() == CHAIN_MAX => FallbackTrouble::TooLong,
                Some(target) => {
                    chain.push(target.into());
                    continue;
                }
            };
            let cut = trouble == FallbackTrouble::TooLong;
            self.trouble(at, Some(place), trouble);
            if cut {
                break;
            }
        }
        chain.into()
    }

    fn trouble(&mut self, entry: usize, target: Option<usize>, trouble: FallbackTrouble) {
        self.problems.push(FallbackProblem { entry, target, trouble });
    }
}

/// Who leads to whom, by kind, with the entry that says so.
#[derive(Default)]
struct Edges(BTreeMap<(u8, Box<str>), (usize, Chain)>);

impl Edges {
    fn add(&mut self, entry: usize, kind: ChainKind, group: &str, chain: &Chain) {
        self.0.insert((kind as u8, group.into()), (entry, Arc::clone(chain)));
    }

    /// Notes each loop once, at the entry of the group it is first met from.
    fn loops(&self, problems: &mut Vec<FallbackProblem>) {
        let mut done = BTreeSet::new();
        for (kind, start) in self.0.keys() {
            self.walk(*kind, start, &mut done, problems);
        }
    }

    /// Walks depth first without recursion: chains may be as long as a configuration makes them.
    fn walk(
        &self,
        kind: u8,
        start: &str,
        done: &mut BTreeSet<(u8, Box<str>)>,
        problems: &mut Vec<FallbackProblem>,
    ) {
        let mut path: Vec<(Box<str>, usize)> = vec![(start.into(), 0)];
        while let Some((group, next)) = path.last_mut() {
            let key = (kind, group.clone());
            let edge = self.0.get(&key).filter(|_| !done.contains(&key));
            let Some((entry, chain)) = edge else {
                path.pop();
                continue;
            };
            let Some(target) = chain.get(*next) else {
                done.insert(key);
                path.pop();
                continue;
            };
            let place = *next;
            *next += 1;
            if let Some(from) = path.iter().position(|(group, _)| **group == **target) {
                let way = path[from..].iter().map(|(group, _)| group.clone()).collect();
                let trouble = FallbackTrouble::Loop(way);
                problems.push(FallbackProblem { entry: *entry, target: Some(place), trouble });
            } else {
                path.push((Box::from(&**target), 0));
            }
        }
    }
}

/// Most targets of one chain.
pub const CHAIN_MAX: usize = 32;
