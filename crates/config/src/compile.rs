//! Text to snapshot, or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tollgate_domain::{ModelName, PriceSheetId, UsageKind};
use tollgate_policy::{PriceSheet, Rates, nearest};
use tollgate_wire::Catalog;

use crate::diagnostic::{Finding, Findings, Source, code};
use crate::environment::Environment;
use crate::fallbacks;
use crate::model_list::{Context, Credentials, Groups};
use crate::price::list::PriceList;
use crate::schema::{Given, KnownKeys, Reader, Section};
use crate::settings::{self, Routing, Sections, Shared, UnpricedModels};
use crate::snapshot::{Alias, Snapshot};
use crate::stored::{LeftOut, Stored};
use crate::yaml::{Entry, Mapping, Value};

/// A configuration that can be used.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The configuration.
    pub snapshot: Snapshot,
    /// What is not as it seems: warnings and notes, in the order of the file.
    pub warnings: Vec<Finding>,
    /// What of the database is not part of it.
    pub left_out: Vec<LeftOut>,
}

/// What a configuration is compiled with.
struct Sources<'a> {
    catalog: &'a Catalog,
    prices: &'a PriceList,
    stored: &'a Stored,
}

/// Compiles the configuration of a file alone. `env` looks up environment variables; nothing else
/// is read.
///
/// # Errors
/// [`Findings`]: every problem there is, not only the first. A text that is no YAML has one.
pub fn compile(
    source: Source<'_>,
    env: &dyn Fn(&str) -> Option<String>,
    catalog: &Catalog,
    prices: &PriceList,
) -> Result<Compiled, Findings> {
    compile_with(source, env, catalog, prices, &Stored::default())
}

/// Compiles a configuration with what a database adds. Nothing that comes from the database is an
/// error: what cannot be used is left out and named in [`Compiled::left_out`].
///
/// # Errors
/// As [`compile`].
pub fn compile_with(
    source: Source<'_>,
    env: &dyn Fn(&str) -> Option<String>,
    catalog: &Catalog,
    prices: &PriceList,
    stored: &Stored,
) -> Result<Compiled, Findings> {
    let sources = Sources { catalog, prices, stored };
    let (root, findings) = crate::yaml::read(source.text);
    let mut reader = Reader::new(Environment::new(env));
    reader.findings = findings;
    let snapshot = match root.as_ref().map(|root| &root.value) {
        Some(Value::Map(file)) => Some(sections(&mut reader, file, &sources)),
        Some(other) if *other != Value::Null => {
            let message = format!("the configuration is {}, not a mapping", other.described());
            reader.findings.push(Finding::error(code::WRONG_TYPE, 0..0, message));
            None
        }
        _ if reader.findings.is_empty() => {
            let finding = Finding::error(code::FIELD_MISSING, 0..0, "the configuration is empty");
            reader.findings.push(finding.with_help("it needs at least a `model_list`"));
            None
        }
        _ => None,
    };
    let findings = Findings::placed(&source, reader.findings);
    match snapshot {
        Some((snapshot, left_out)) if !findings.refuse() => {
            Ok(Compiled { snapshot, warnings: findings.into_inner(), left_out })
        }
        _ => Err(findings),
    }
}

fn sections(
    reader: &mut Reader<'_>,
    file: &Mapping,
    sources: &Sources<'_>,
) -> (Snapshot, Vec<LeftOut>) {
    let mut top = Section::new("the configuration", file);
    if let Some(variables) = top.take("environment_variables").and_then(|e| reader.mapping(e)) {
        environment(reader, variables);
    }
    let mut section = |name| match top.take(name).and_then(|entry| reader.mapping(entry)) {
        Some(mapping) => Section::new(name, mapping),
        None => Section::absent(name),
    };
    let mut sections = Sections {
        general: section("general_settings"),
        litellm: section("litellm_settings"),
        router: section("router_settings"),
    };
    let (settings, shared) = settings::read(reader, &mut sections);
    let assumed = match settings.unpriced_models {
        UnpricedModels::Assume(price) => assumed(price),
        UnpricedModels::Block | UnpricedModels::Allow => None,
    };
    let mut credentials = Credentials::read(reader, top.take("credential_list"));
    let mut left_out = credentials.add(&sources.stored.credentials);
    let models = (top.take("model_list"), &shared, assumed.as_ref());
    let found = groups(reader, models, &credentials, sources);
    let Groups { groups, patterns, absent, entries, left_out: more } = found;
    left_out.extend(more);
    let mut snapshot = Snapshot {
        groups,
        patterns,
        aliases: BTreeMap::new(),
        settings,
        entries,
        credentials: credentials.entries,
        names: Vec::new(),
        access: BTreeMap::new(),
        prices: sources.prices.clone(),
        assumed,
    };
    if let Some(entry) = sections.router.take("model_group_alias") {
        snapshot.aliases = aliases(reader, entry, &snapshot, &absent);
    }
    let chains = fallbacks::read(reader, (&mut sections.litellm, &mut sections.router));
    if !chains.is_empty() {
        let fallbacks = fallbacks::compile(reader, &chains, &snapshot, &absent);
        let routing = Routing { fallbacks, ..(*snapshot.settings.routing).clone() };
        snapshot.settings.routing = Arc::new(routing);
    }
    snapshot.names = snapshot.listed_names();
    snapshot.access = snapshot.access_by_group();
    top.finish(&KnownKeys::TOP_LEVEL, &mut reader.findings);
    sections.general.finish(&KnownKeys::GENERAL_SETTINGS, &mut reader.findings);
    sections.litellm.finish(&KnownKeys::LITELLM_SETTINGS, &mut reader.findings);
    sections.router.finish(&KnownKeys::ROUTER_SETTINGS, &mut reader.findings);
    (snapshot, left_out)
}

/// The model groups of the file and of the database.
fn groups(
    reader: &mut Reader<'_>,
    (list, shared, assumed): (Option<&Entry>, &Shared, Option<&Arc<PriceSheet>>),
    credentials: &Credentials,
    sources: &Sources<'_>,
) -> Groups {
    if list.is_none() && !shared.store_models {
        let finding = Finding::error(code::FIELD_MISSING, 0..0, "`model_list` is missing");
        reader.findings.push(finding.with_help(
            "it lists the models that can be called; set `general_settings.store_model_in_db: \
             true` if all of them are in the database",
        ));
    }
    let known = (sources.catalog, sources.prices);
    let mut context = Context::new(reader, known, shared, assumed, credentials);
    context.groups(list, &sources.stored.deployments)
}

/// Puts the file's own variables over the environment; their values may refer to it.
fn environment(reader: &mut Reader<'_>, variables: &Mapping) {
    for entry in variables.entries.iter().filter(|entry| entry.node.value != Value::Null) {
        // A flag is written as a boolean here more often than as text.
        let value = match &entry.node.value {
            Value::Bool(flag) => Some(Given::Text(if *flag { "True" } else { "False" }.to_owned())),
            _ => reader.given(entry),
        };
        match value {
            Some(Given::Text(value)) => reader.env.put(&entry.name, value),
            Some(Given::Unset(variable)) => reader.unset(entry, &variable),
            None => {}
        }
    }
}

/// The sheet for models without a price, where the operator assumes one.
fn assumed(price: tollgate_domain::Price) -> Option<Arc<PriceSheet>> {
    let rates = Rates::default().with(UsageKind::Input, price).with(UsageKind::Output, price);
    let id = PriceSheetId::new(&format!("assumed@{}", price.picos())).ok()?;
    Some(Arc::new(PriceSheet {
        id,
        rates,
        tiers: Vec::new(),
        per_request: None,
        per_searching_call: None,
    }))
}

/// `model_group_alias`: name to model, or to `{model, hidden}`. Aliases of models that are left out
/// are left out with them.
fn aliases(
    reader: &mut Reader<'_>,
    entry: &Entry,
    snapshot: &Snapshot,
    absent: &[ModelName],
) -> BTreeMap<ModelName, Alias> {
    let mut aliases = BTreeMap::new();
    let entries = reader.mapping(entry).into_iter().flat_map(|mapping| &mapping.entries);
    for entry in entries.filter(|entry| entry.node.value != Value::Null) {
        let Some((target, text, hidden)) = target(reader, entry) else { continue };
        let (Ok(name), Ok(model)) = (ModelName::new(&entry.name), ModelName::new(&text)) else {
            let message = format!("`{}` or `{text}` is not a model name", entry.name);
            let span = entry.name_span.clone();
            reader.findings.push(Finding::error(code::MALFORMED, span, message));
            continue;
        };
        if snapshot.resolve(&text).is_some() {
            aliases.insert(name, Alias { model, hidden });
        } else if !absent.iter().any(|absent| answers(absent, &text)) {
            let names = snapshot.groups.keys().chain(absent).map(ModelName::as_str);
            let message =
                format!("the alias `{name}` stands for `{text}`, which no model is called");
            let span = target.node.span.clone();
            // A model of the database may come later, and go.
            let finding = if snapshot.settings.store_models {
                Finding::warning(code::MODEL_UNKNOWN, span, message)
            } else {
                Finding::error(code::MODEL_UNKNOWN, span, message)
            };
            reader.findings.push(finding.with_nearest(&nearest(&text, names, 2)));
        }
    }
    aliases
}

/// The entry that names the alias's model, that name, and whether the alias is hidden.
fn target<'e>(reader: &mut Reader<'_>, entry: &'e Entry) -> Option<(&'e Entry, String, bool)> {
    let Value::Map(mapping) = &entry.node.value else {
        return Some((entry, reader.text(entry)?, false));
    };
    let mut section = Section::new("model_group_alias", mapping);
    let hidden = section.take("hidden").and_then(|entry| reader.flag(entry)).unwrap_or(false);
    let model = section.take("model");
    section.finish(&KnownKeys::ENTRY, &mut reader.findings);
    let Some(model) = model else {
        let message = "`model` is missing";
        reader.findings.push(Finding::error(code::FIELD_MISSING, entry.name_span.clone(), message));
        return None;
    };
    Some((model, reader.text(model)?, hidden))
}

/// Whether a configured name, which may be a pattern, answers to this one.
pub(crate) fn answers(configured: &ModelName, name: &str) -> bool {
    match crate::pattern::Pattern::read(configured.as_str()) {
        Some(pattern) => pattern.captures(name).is_some(),
        None => configured.as_str() == name,
    }
}

#[cfg(test)]
mod tests;
