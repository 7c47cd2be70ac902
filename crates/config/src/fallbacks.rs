//! Fallback chains as configured: who follows whom when a model group cannot serve a call.
//!
//! `fallbacks`, `context_window_fallbacks` and `content_policy_fallbacks` map groups to lists of
//! groups, and `default_fallbacks` is for every group without a chain of its own. All of LiteLLM's
//! ways to write them are read (seed-behaviour S18): a list of mappings, one mapping, one name in
//! place of a list.

use tollgate_domain::ModelName;
use tollgate_policy::{
    CHAIN_MAX, ChainKind, FallbackList, FallbackProblem, FallbackTrouble, Fallbacks, nearest,
};

use crate::diagnostic::{Finding, code};
use crate::schema::{Reader, Section};
use crate::snapshot::Snapshot;
use crate::yaml::{Entry, Mapping, Span, Value};

/// One chain with the places of its names in the file.
pub(crate) struct Listed {
    kind: ChainKind,
    group: (String, Span),
    targets: Vec<(String, Span)>,
}

/// Reads every chain. What the router's section says goes before what the other one does.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    (litellm, router): (&mut Section<'_>, &mut Section<'_>),
) -> Vec<Listed> {
    let mut lists = Vec::new();
    for (kind, name) in [
        (ChainKind::Any, "fallbacks"),
        (ChainKind::ContextWindow, "context_window_fallbacks"),
        (ChainKind::ContentPolicy, "content_policy_fallbacks"),
    ] {
        let (of_litellm, of_router) = (litellm.take(name), router.take(name));
        if let Some(entry) = of_router.or(of_litellm) {
            for mapping in mappings(reader, entry) {
                lists.extend(mapping.entries.iter().filter_map(|group| {
                    let targets = targets(reader, group)?;
                    let group = (group.name.to_string(), group.name_span.clone());
                    Some(Listed { kind, group, targets })
                }));
            }
        }
    }
    let name = "default_fallbacks";
    let (of_litellm, of_router) = (litellm.take(name), router.take(name));
    if let Some(entry) = of_router.or(of_litellm)
        && let Some(targets) = targets(reader, entry)
    {
        let group = ("*".to_owned(), entry.name_span.clone());
        lists.push(Listed { kind: ChainKind::Any, group, targets });
    }
    lists
}

/// Compiles the chains with the models there are. A name that is left out because its model is
/// (`absent`) is left out silently: something says so already.
pub(crate) fn compile(
    reader: &mut Reader<'_>,
    lists: &[Listed],
    snapshot: &Snapshot,
    absent: &[ModelName],
) -> Fallbacks {
    let entries: Vec<FallbackList<'_>> = lists
        .iter()
        .map(|list| FallbackList {
            kind: list.kind,
            group: &list.group.0,
            targets: list.targets.iter().map(|(name, _)| name.as_str()).collect(),
        })
        .collect();
    let (fallbacks, problems) = Fallbacks::compile(&entries, &|name| resolved(snapshot, name));
    for problem in &problems {
        if let Some(list) = lists.get(problem.entry)
            && let Some(finding) = finding(list, problem, snapshot, absent)
        {
            reader.findings.push(finding);
        }
    }
    fallbacks
}

/// The name that calls see: what an alias stands for, a group's or a matching name itself.
fn resolved(snapshot: &Snapshot, name: &str) -> Option<Box<str>> {
    snapshot.resolve(name)?;
    Some(snapshot.aliases.get(name).map_or(name, |alias| alias.model.as_str()).into())
}

fn finding(
    list: &Listed,
    problem: &FallbackProblem,
    snapshot: &Snapshot,
    absent: &[ModelName],
) -> Option<Finding> {
    let key = list.kind.key();
    let (name, span) = problem.target.and_then(|at| list.targets.get(at)).unwrap_or(&list.group);
    let warning = |message| Finding::warning(code::CONFLICT, span.clone(), message);
    Some(match &problem.trouble {
        FallbackTrouble::Unknown(_)
            if absent.iter().any(|one| crate::compile::answers(one, name)) =>
        {
            return None;
        }
        FallbackTrouble::Unknown(_) => {
            let message = format!("`{key}` names `{name}`, which no model is called");
            let names = snapshot.groups.keys().chain(snapshot.aliases.keys());
            let near = nearest(name, names.map(ModelName::as_str), 2);
            // A model of the database may come later, and go.
            let finding = if snapshot.settings.store_models {
                Finding::warning(code::MODEL_UNKNOWN, span.clone(), message)
            } else {
                Finding::error(code::MODEL_UNKNOWN, span.clone(), message)
            };
            finding.with_nearest(&near)
        }
        FallbackTrouble::Itself => {
            warning(format!("`{name}` falls back to itself; that is left out"))
        }
        FallbackTrouble::Twice => {
            let group = &list.group.0;
            warning(format!("`{name}` stands in the chain of `{group}` already; it is tried once"))
        }
        FallbackTrouble::Again => {
            warning(format!("`{key}` has a chain for `{name}` already; this one is left out"))
                .with_help("write all of its models in one list")
        }
        FallbackTrouble::Loop(way) => {
            let way: Vec<String> = way.iter().map(|group| format!("`{group}`")).collect();
            let way = way.join(" to ");
            warning(format!(
                "`{key}` leads from {way} and back to `{name}`; a call goes there once"
            ))
        }
        FallbackTrouble::TooLong => {
            let group = &list.group.0;
            let message = format!(
                "the chain of `{group}` has more than {CHAIN_MAX} models; `{name}` is too many"
            );
            Finding::error(code::OUT_OF_RANGE, span.clone(), message)
        }
    })
}

/// The mappings of a list, or the one that stands in its place.
fn mappings<'e>(reader: &mut Reader<'_>, entry: &'e Entry) -> Vec<&'e Mapping> {
    match &entry.node.value {
        Value::Map(mapping) => vec![mapping],
        Value::List(items) => {
            let mut mappings = Vec::with_capacity(items.len());
            for item in items {
                match &item.value {
                    Value::Map(mapping) => mappings.push(mapping),
                    other => {
                        let found = other.described();
                        let message = format!(
                            "an item of `{}` is {found}; a mapping of a model is expected",
                            entry.name
                        );
                        let span = item.span.clone();
                        reader.findings.push(Finding::error(code::WRONG_TYPE, span, message));
                    }
                }
            }
            mappings
        }
        _ => {
            reader.wrong_type(entry, "a list of mappings of a model to others");
            Vec::new()
        }
    }
}

/// The names of an entry, or the one that stands in their place.
fn targets(reader: &mut Reader<'_>, entry: &Entry) -> Option<Vec<(String, Span)>> {
    if matches!(entry.node.value, Value::Text(_)) {
        let name = reader.text(entry)?;
        return Some(vec![(name, entry.node.span.clone())]);
    }
    let targets = reader.placed_texts(entry);
    (!targets.is_empty()).then_some(targets)
}

#[cfg(test)]
mod tests;
