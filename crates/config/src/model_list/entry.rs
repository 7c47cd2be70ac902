//! One entry of `model_list` to the deployments it stands for.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tollgate_domain::{DeploymentId, ModelName};
use tollgate_wire::Provider;

use super::credential::{Subject, leave_out};
use super::parameters::{Common, Part, Plain};
use super::provider::{Inferred, infer};
use super::{Context, Placed, shared_credentials, shown};
use crate::diagnostic::{Finding, code};
use crate::pattern::Pattern;
use crate::schema::{KnownKeys, Reader, Section};
use crate::yaml::{Entry, Mapping, Node, Span, Value};

/// What became of an entry.
#[derive(Default)]
pub(super) struct Made {
    /// The name of its group, if it could be read.
    pub(super) group: Option<ModelName>,
    /// Its id, if it has one that is its own.
    pub(super) id: Option<DeploymentId>,
    /// Whether it gets no calls for now.
    pub(super) blocked: bool,
    /// Its parameters as they may be shown.
    pub(super) params: Map<String, Json>,
    /// The names of the parameters that are not shown.
    pub(super) masked: Vec<String>,
    /// Its `model_info` as it may be shown.
    pub(super) info: Map<String, Json>,
    /// Its deployments: none where a finding says why, one as a rule, and for `*` one for every
    /// provider that has a credential.
    pub(super) placed: Vec<Placed>,
}

/// Compiles one entry.
pub(super) fn compile(cx: &mut Context<'_, '_>, item: &Node) -> Made {
    let Value::Map(mapping) = &item.value else {
        let message =
            format!("an entry of `model_list` is {}, not a mapping", item.value.described());
        cx.reader.findings.push(Finding::error(code::WRONG_TYPE, item.span.clone(), message));
        return Made::default();
    };
    let mut section = Section::new("model_list", mapping);
    let name = required(cx.reader, &mut section, "model_name", &item.span);
    let group = name.and_then(|(entry, text)| group_name(cx.reader, entry, &text));
    let params = section.take("litellm_params");
    if params.is_none() {
        missing(cx.reader, "litellm_params", &item.span);
    }
    let info = section.take("model_info").and_then(|entry| cx.reader.mapping(entry));
    section.finish(&KnownKeys::ENTRY, &mut cx.reader.findings);
    let params = params.and_then(|entry| Some((entry, cx.reader.mapping(entry)?)));
    let mut made = Made { group: group.clone(), ..Made::default() };
    let Some((entry, own)) = params else { return made };
    let described = info.map(Mapping::to_json).unwrap_or_default();
    let written = own.to_json();
    made.params = shown::params(&written);
    made.masked = written.into_iter().map(|(name, _)| name).collect();
    made.masked.retain(|name| !made.params.contains_key(name));
    made.info = shown::described(&described);
    let mut info =
        info.map_or_else(|| Section::absent("model_info"), |map| Section::new("model_info", map));
    let name = group.as_ref().map_or("", ModelName::as_str);
    made.id = cx.identities.give(cx.reader, info.take("id"), (name, own));
    made.blocked = info.take("blocked").and_then(|e| cx.reader.flag(e)).unwrap_or_default();
    let whole = match cx.credentials.complete(cx.reader, own) {
        Ok(whole) => whole,
        Err(absent) => {
            without_credential(cx.reader, own, (name, &absent));
            return made;
        }
    };
    let params = whole.as_ref().unwrap_or(own);
    made.placed = Written { group, entry, params }.deployments(cx, info, &made);
    made
}

/// Notes that an entry refers to a credential that is not there.
fn without_credential(reader: &mut Reader<'_>, params: &Mapping, (model, name): (&str, &str)) {
    let span = params.find(shared_credentials::NAME).map(|entry| entry.node.span.clone());
    let missing = format!("no credential is called `{name}`");
    let help = "add it to `credential_list`, or to the database with `POST /credentials`";
    leave_out(reader, &span.unwrap_or_default(), (model, &missing), help);
}

/// The text of a field that must be there.
fn required<'a>(
    reader: &mut Reader<'_>,
    section: &mut Section<'a>,
    name: &'static str,
    within: &Span,
) -> Option<(&'a Entry, String)> {
    let Some(entry) = section.take(name) else {
        missing(reader, name, within);
        return None;
    };
    if matches!(&entry.node.value, Value::Text(text) if text.is_empty()) {
        missing(reader, name, &entry.node.span);
        return None;
    }
    Some((entry, reader.text(entry)?))
}

fn missing(reader: &mut Reader<'_>, name: &str, within: &Span) {
    let message = format!("`{name}` is missing");
    reader.findings.push(Finding::error(code::FIELD_MISSING, within.clone(), message));
}

fn group_name(reader: &mut Reader<'_>, entry: &Entry, text: &str) -> Option<ModelName> {
    match ModelName::new(text) {
        Ok(name) => Some(name),
        Err(problem) => {
            let span = entry.node.span.clone();
            reader.findings.push(Finding::error(code::MALFORMED, span, problem.to_string()));
            None
        }
    }
}

/// An entry as it is written.
struct Written<'e> {
    group: Option<ModelName>,
    /// `litellm_params`.
    entry: &'e Entry,
    /// Its fields, with those of the credential that it names.
    params: &'e Mapping,
}

impl Written<'_> {
    fn deployments(
        &self,
        cx: &mut Context<'_, '_>,
        mut info: Section<'_>,
        made: &Made,
    ) -> Vec<Placed> {
        let mut params = Section::new("litellm_params", self.params);
        params.take(shared_credentials::NAME);
        let name = self.group.as_ref().map_or("", ModelName::as_str);
        let model = required(cx.reader, &mut params, "model", &self.entry.name_span);
        let explicit = params.take("custom_llm_provider").and_then(|e| cx.reader.text(e));
        let base = info.take("base_model");
        let base_model = base.and_then(|e| Some((cx.reader.text(e)?, e.node.span.clone())));
        let groups = info.take("access_groups").map(|e| cx.reader.texts(e)).unwrap_or_default();
        let access_groups = groups.into_iter().map(String::into_boxed_str).collect();
        let blocked = made.blocked;
        let common = made.id.clone().zip(self.group.clone()).map(|(id, group)| Common {
            id,
            group,
            base_model,
            access_groups,
            blocked,
        });
        let Some((model_entry, model)) = model else {
            Plain::read(cx.reader, (&mut params, &mut info), &cx.shared.health);
            return Vec::new();
        };
        if model == "*" && explicit.is_none() {
            return self.every_provider(
                cx,
                (&params, &info),
                common.as_ref(),
                &model_entry.node.span,
            );
        }
        let (model_span, known) = (&model_entry.node.span, (cx.catalog, cx.prices));
        let inferred = match infer(known.0, known.1, explicit.as_deref(), &model) {
            Ok(inferred) => inferred,
            Err(no_provider) => {
                cx.reader.findings.push(no_provider.finding(model_span.clone(), &model));
                Plain::read(cx.reader, (&mut params, &mut info), &cx.shared.health);
                return Vec::new();
            }
        };
        let fits = self.target_fits(cx.reader, &model, model_span);
        let part = Part { subject: Subject { model_name: name, model: model_span }, common };
        let deployment = part.deployment(cx, (params, info), inferred);
        let Some(deployment) = deployment.filter(|_| fits) else { return Vec::new() };
        vec![Placed { pattern: Pattern::read(name), deployment, last_resort: name == "*" }]
    }

    /// `*` as the target: the models of every provider whose credential the environment holds,
    /// under `provider/…`, when nothing else matches.
    fn every_provider(
        &self,
        cx: &mut Context<'_, '_>,
        (params, info): (&Section<'_>, &Section<'_>),
        common: Option<&Common>,
        span: &Span,
    ) -> Vec<Placed> {
        let name = self.group.as_ref().map_or("", ModelName::as_str);
        let is_own = |name| self.params.find(name).is_some_and(|e| !e.node.value.is_empty());
        let own = ["api_key", "api_base", "base_url"].into_iter().find(|name| is_own(name));
        let problem = match own {
            _ if name != "*" => format!("it cannot be behind `{name}`"),
            Some(field) => format!("`{field}` cannot be for all of them"),
            None => return self.available(cx, (params, info), common, span),
        };
        let message = format!("`*` stands for every provider, so {problem}");
        let finding = Finding::error(code::WILDCARD, span.clone(), message);
        cx.reader.findings.push(finding.with_help("write the model as `provider/*`"));
        Vec::new()
    }

    fn available(
        &self,
        cx: &mut Context<'_, '_>,
        (params, info): (&Section<'_>, &Section<'_>),
        common: Option<&Common>,
        span: &Span,
    ) -> Vec<Placed> {
        let providers: Vec<Arc<Provider>> =
            cx.catalog.iter().filter(|p| is_available(cx.reader, p)).cloned().collect();
        if providers.is_empty() {
            let message = "`*` is left out: no provider's key is in the environment";
            let finding = Finding::note(code::CREDENTIAL_MISSING, span.clone(), message);
            cx.reader.findings.push(finding.with_help("set one, or write `provider/*`"));
        }
        let mut placed = Vec::new();
        for provider in providers {
            let common = common.and_then(|common| common.at(&provider));
            let part = Part { subject: Subject { model_name: "*", model: span }, common };
            let pattern = Pattern::read(&format!("{}/*", provider.name));
            let inferred = Inferred { upstream_model: "*".to_owned(), provider, pinned: None };
            let deployment = part.deployment(cx, (params.clone(), info.clone()), inferred);
            placed.extend(deployment.map(|d| Placed { deployment: d, pattern, last_resort: true }));
        }
        placed
    }

    /// Whether every `*` of the target has one in the name to take its text from.
    fn target_fits(&self, reader: &mut Reader<'_>, target: &str, span: &Span) -> bool {
        let count = |text: &str| text.matches('*').count();
        let Some(group) = &self.group else { return true };
        if count(target) <= count(group.as_str()) {
            return true;
        }
        let message = format!("`{target}` has more `*` than the model name `{group}`");
        let finding = Finding::error(code::WILDCARD, span.clone(), message);
        reader.findings.push(finding.with_help("each `*` takes the text of one in `model_name`"));
        false
    }
}

/// Whether the environment holds what a provider needs: its key, or where none is needed its base.
fn is_available(reader: &Reader<'_>, provider: &Provider) -> bool {
    let has_key = reader.env.first(&provider.key_env).is_some();
    let has_base = reader.env.first(&provider.base_url_env).is_some();
    match (provider.key_required, &provider.base_url) {
        (true, Some(_)) => has_key,
        (true, None) => has_key && has_base,
        (false, _) => has_base,
    }
}
