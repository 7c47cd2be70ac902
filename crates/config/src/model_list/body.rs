//! What an entry puts into requests: headers, fields set by default or always, fields removed.

use tollgate_domain::Secret;
use tollgate_policy::nearest;
use tollgate_wire::Provider;
use tollgate_wire::json::JsonPath;

use crate::diagnostic::{Finding, code};
use crate::price::field::is_price;
use crate::schema::{KnownKeys, Reader, Section};
use crate::settings::Shared;
use crate::yaml::{Entry, Value};

/// Names with raw JSON values.
pub(super) type Fields = Vec<(Box<str>, Box<str>)>;

/// The headers to send, each name once: `extra_headers`, then `organization`, then the provider's.
pub(super) fn headers(
    reader: &mut Reader<'_>,
    params: &mut Section<'_>,
    provider: &Provider,
) -> Vec<(String, Secret)> {
    let mut headers: Vec<(String, Secret)> = Vec::new();
    let mut add = |name: &str, value: Secret| {
        if !headers.iter().any(|(there, _)| there.eq_ignore_ascii_case(name)) {
            headers.push((name.to_owned(), value));
        }
    };
    let extra = params.take("extra_headers").and_then(|entry| reader.mapping(entry));
    for entry in extra.into_iter().flat_map(|mapping| &mapping.entries) {
        if let Some(value) = header_value(reader, entry) {
            add(&entry.name, value);
        }
    }
    let organization = params.take("organization");
    if let Some(value) = organization.and_then(|entry| header_value(reader, entry)) {
        add("OpenAI-Organization", value);
    }
    for (name, value) in &provider.headers {
        add(name, Secret::new(value.clone()));
    }
    headers
}

/// The text of an entry where it can be sent as a header.
fn header_value(reader: &mut Reader<'_>, entry: &Entry) -> Option<Secret> {
    if matches!(entry.node.value, Value::Null) {
        return None;
    }
    let value = reader.text(entry)?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let problem = if entry.name.is_empty() || !entry.name.bytes().all(is_token) {
        format!("`{}` is not the name of a header", entry.name)
    } else if value.chars().any(|c| c.is_control() && c != '\t') {
        format!("the value of the header `{}` holds control characters", entry.name)
    } else {
        return Some(Secret::new(value));
    };
    reader.findings.push(Finding::error(code::MALFORMED, entry.name_span.clone(), problem));
    None
}

/// `extra_body`: fields that are set whatever the client sent.
pub(super) fn extra(reader: &mut Reader<'_>, params: &mut Section<'_>) -> Fields {
    let extra = params.take("extra_body").and_then(|entry| reader.mapping(entry));
    let entries = extra.into_iter().flat_map(|mapping| &mapping.entries);
    entries.map(|e| (e.name.clone(), reader.json(&e.node).into())).collect()
}

/// How the bodies for a deployment may be edited.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// What the entry names to be removed.
    pub(super) drop_paths: Vec<JsonPath>,
    /// Whether what the model does not take is left out, where the file says.
    pub(super) drops: Option<bool>,
    pub(super) repairs: bool,
    pub(super) allowed: Vec<Box<str>>,
}

/// `drop_params`, `additional_drop_params`, `modify_params` and `allowed_openai_params`.
pub(super) fn edits(reader: &mut Reader<'_>, params: &mut Section<'_>, shared: &Shared) -> Edits {
    let drops = params.take("drop_params").and_then(|entry| reader.flag(entry));
    let repairs = params.take("modify_params").and_then(|entry| reader.flag(entry));
    let allowed = params.take("allowed_openai_params").map(|entry| reader.texts(entry));
    let paths = params.take("additional_drop_params").map(|entry| paths(reader, entry));
    Edits {
        drop_paths: paths.unwrap_or_default(),
        drops: drops.or(shared.drop_params),
        repairs: repairs.or(shared.modify_params).unwrap_or(false),
        allowed: allowed.into_iter().flatten().map(Into::into).collect(),
    }
}

/// The paths of a list, each once; one that cannot be read is a finding at its place.
fn paths(reader: &mut Reader<'_>, entry: &Entry) -> Vec<JsonPath> {
    let mut paths: Vec<JsonPath> = Vec::new();
    for (text, span) in reader.placed_texts(entry) {
        match JsonPath::parse(&text) {
            Ok(path) if paths.contains(&path) => {}
            Ok(path) => paths.push(path),
            Err(problem) => {
                let message = format!("this is no path within a body: {problem}");
                let finding = Finding::error(code::MALFORMED, span, message);
                reader.findings.push(finding.with_help("such as `a.b`, `tools[*].x`, `tools[0]`"));
            }
        }
    }
    paths
}

/// Every parameter that nothing has asked for: a default for the body, as LiteLLM has it, unless it
/// is a parameter of LiteLLM's own.
pub(super) fn defaults(reader: &mut Reader<'_>, params: &Section<'_>) -> Fields {
    let mut defaults = Fields::new();
    for entry in params.rest().filter(|entry| entry.node.value != Value::Null) {
        let name = &*entry.name;
        if NEVER_DEFAULTS.contains(&name)
            || KnownKeys::LITELLM_PARAMS.contains(name)
            || is_price(name)
        {
            if !entry.node.value.is_empty() {
                reader.findings.push(params.without_effect(entry));
            }
            continue;
        }
        if !KnownKeys::BODY.contains(name) {
            reader.findings.extend(perhaps_misspelt(params, entry));
        }
        defaults.push((entry.name.clone(), reader.json(&entry.node).into()));
    }
    defaults
}

/// The warning for a field that is sent although its name is nearly that of a parameter.
fn perhaps_misspelt(params: &Section<'_>, entry: &Entry) -> Option<Finding> {
    let of_body = nearest(&entry.name, KnownKeys::BODY.names(), 1);
    let near: Vec<&str> = params.nearest(&entry.name).into_iter().chain(of_body).collect();
    if near.is_empty() {
        return None;
    }
    let message = format!("`{}` is no parameter, so it is sent as a field of the body", entry.name);
    let finding = Finding::warning(code::KEY_UNKNOWN, entry.name_span.clone(), message);
    Some(finding.with_nearest(&near))
}

/// Fields of the body that are the call itself.
const NEVER_DEFAULTS: [&str; 2] = ["messages", "stream"];
