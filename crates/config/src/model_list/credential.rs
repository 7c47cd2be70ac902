//! An entry's credential, base URL and API version: from the entry, else from the environment.

use tollgate_domain::{Identity, Secret};
use tollgate_wire::{AuthScheme, Provider, UnsetVariable};

use super::{aws, entra, google};
use crate::diagnostic::{Finding, code};
use crate::schema::{Given, Reader, Section};
use crate::yaml::{Entry, Span};

/// Something an entry needs.
#[derive(Debug)]
pub(super) enum Needed<T> {
    /// It is there.
    Found(T),
    /// The environment does not hold it: the deployment is left out, which a note says.
    Lacking,
    /// The file is wrong, which a finding says.
    Wrong,
}

impl<T> Needed<T> {
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Needed<U> {
        match self {
            Self::Found(found) => Needed::Found(change(found)),
            Self::Lacking => Needed::Lacking,
            Self::Wrong => Needed::Wrong,
        }
    }

    pub(super) fn and_then<U>(self, next: impl FnOnce(T) -> Needed<U>) -> Needed<U> {
        match self {
            Self::Found(found) => next(found),
            Self::Lacking => Needed::Lacking,
            Self::Wrong => Needed::Wrong,
        }
    }
}

/// Where findings about one entry point, and what they call it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) model_name: &'a str,
    /// Where `litellm_params.model` stands.
    pub(super) model: &'a Span,
}

/// The name of one of a provider's variables, and its value.
pub(super) type Variable = (Box<str>, Box<str>);

/// A deployment as far as it decides about the credential.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) provider: &'a Provider,
    pub(super) subject: Subject<'a>,
    /// The values of the provider's variables.
    pub(super) variables: &'a [Variable],
    /// Whether the operator's own base URL leads to this machine, where a mock needs no credential.
    pub(super) mock: bool,
    /// Whether clients may bring credentials of their own.
    pub(super) brought: bool,
}

impl Call<'_> {
    /// The value of one of the provider's variables.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(known, _)| **known == *name);
        found.map(|(_, value)| &**value)
    }
}

/// What kind of credential a deployment has: exactly one.
#[derive(Debug)]
pub(super) enum Mode {
    /// The entry's key, else the environment's.
    Key,
    /// One that is fetched, or that signs.
    Identity(Identity),
    /// None at all.
    Open,
}

/// How the deployment proves on whose behalf it calls: a key, or an identity that is exchanged for
/// tokens or signs.
#[derive(Debug, Default)]
pub(super) struct Proof {
    pub(super) key: Option<Secret>,
    pub(super) identity: Option<Identity>,
}

pub(super) fn proof(
    reader: &mut Reader<'_>,
    params: &mut Section<'_>,
    call: Call<'_>,
) -> Needed<Proof> {
    let own_key = params.take("api_key").filter(|entry| !entry.node.value.is_empty());
    let mode = match &call.provider.auth {
        AuthScheme::Entra { scope } => entra::mode(reader, params, (own_key, scope), call),
        AuthScheme::SigV4 { .. } => aws::mode(reader, params, own_key, call),
        AuthScheme::Google => google::mode(reader, params, own_key, call),
        AuthScheme::Bearer | AuthScheme::Header(_) | AuthScheme::None => Needed::Found(Mode::Key),
    };
    mode.and_then(|mode| match mode {
        Mode::Key => key(reader, own_key, call).map(|key| Proof { key, identity: None }),
        Mode::Identity(identity) => Needed::Found(Proof { key: None, identity: Some(identity) }),
        Mode::Open => Needed::Found(Proof::default()),
    })
}

/// The key: the entry's own, else the provider's first variable that is set.
///
/// A variable that the entry names and that is not set is not replaced by another one: the operator
/// chose a credential, and another one may belong to somebody else.
fn key(
    reader: &mut Reader<'_>,
    entry: Option<&Entry>,
    Call { provider, subject, brought, .. }: Call<'_>,
) -> Needed<Option<Secret>> {
    let written = entry.map(|entry| (entry, reader.given(entry)));
    let (missing, span) = match written {
        Some((_, Some(Given::Text(key)))) => return Needed::Found(Some(Secret::new(key))),
        Some((entry, Some(Given::Unset(variable)))) => {
            (format!("the variable `{variable}` is not set"), &entry.node.span)
        }
        Some((_, None)) | None => match reader.env.first(&provider.key_env) {
            Some(key) => return Needed::Found(Some(Secret::new(key))),
            None => (none_set(&provider.key_env), subject.model),
        },
    };
    let fetched = matches!(provider.auth, AuthScheme::SigV4 { .. } | AuthScheme::Google);
    if !(provider.key_required || fetched) || brought && !fetched && entry.is_none() {
        return Needed::Found(None);
    }
    let help = "set it, or give the entry an `api_key`";
    leave_out(reader, span, (subject.model_name, &missing), help);
    Needed::Lacking
}

/// A base URL without a slash at its end.
#[derive(Debug)]
pub(super) struct BaseUrl {
    pub(super) url: String,
    /// Whether it is the operator's rather than the provider's usual one.
    pub(super) own: bool,
}

/// The values of the provider's variables: the entry's own, else the environment's, else the usual
/// one. What is nowhere is left out here and missed where it is needed.
pub(super) fn variables(
    reader: &mut Reader<'_>,
    params: &mut Section<'_>,
    provider: &Provider,
) -> Vec<Variable> {
    let mut values = Vec::new();
    for variable in &provider.variables {
        let own = params
            .take_where(|name| variable.is_held_by(name))
            .into_iter()
            .min_by_key(|entry| *entry.name != *variable.param)
            .and_then(|entry| reader.text(entry));
        let found = own.or_else(|| reader.env.first(&variable.env));
        if let Some(value) = found.or_else(|| variable.default.clone()) {
            values.push((variable.name.as_str().into(), value.into()));
        }
    }
    values
}

/// The base URL: the entry's own, else the provider's first variable that is set, else where the
/// provider is.
pub(super) fn base_url(
    reader: &mut Reader<'_>,
    entry: Option<&Entry>,
    (provider, variables): (&Provider, &[Variable]),
    subject: Subject<'_>,
) -> Needed<BaseUrl> {
    let mut own = true;
    let written = entry.map(|entry| (entry, reader.given(entry)));
    let (url, span) = match written {
        Some((entry, Some(Given::Text(url)))) => (url, &entry.node.span),
        Some((entry, Some(Given::Unset(variable)))) => {
            let missing = format!("the variable `{variable}` is not set");
            let help = "set it to the base URL, or leave `api_base` out for the provider's own";
            leave_out(reader, &entry.node.span, (subject.model_name, &missing), help);
            return Needed::Lacking;
        }
        Some((_, None)) | None => match standing_base_url(reader, provider, variables) {
            Ok(Some(standing)) => {
                own = standing.own;
                (standing.url, subject.model)
            }
            Ok(None) => {
                reader.findings.push(no_base_url(provider, subject.model));
                return Needed::Wrong;
            }
            Err(unset) => {
                let (missing, help) = unset_variable(provider, &unset.0);
                leave_out(reader, subject.model, (subject.model_name, &missing), &help);
                return Needed::Lacking;
            }
        },
    };
    match check_url(&url) {
        Ok(()) => Needed::Found(BaseUrl { url: url.trim_end_matches('/').to_owned(), own }),
        Err(problem) => {
            let message = format!("the base URL {problem}");
            let finding = Finding::error(code::MALFORMED, span.clone(), message);
            reader.findings.push(finding.with_help("such as `https://api.example.com/v1`"));
            Needed::Wrong
        }
    }
}

/// The provider's first variable that is set, else where the provider is.
fn standing_base_url(
    reader: &Reader<'_>,
    provider: &Provider,
    variables: &[Variable],
) -> Result<Option<BaseUrl>, UnsetVariable> {
    if let Some(url) = reader.env.first(&provider.base_url_env) {
        return Ok(Some(BaseUrl { url, own: true }));
    }
    let known = |name: &str| variables.iter().find(|(variable, _)| **variable == *name);
    let value = |name: &str| match known(name) {
        Some((_, value)) => Some(value.to_string()),
        None => reader.env.variable(name),
    };
    let url = provider.own_base_url(value)?;
    Ok(url.map(|url| BaseUrl { url, own: false }))
}

/// The API version: the entry's own, else the provider's first variable that is set.
pub(super) fn api_version(
    reader: &mut Reader<'_>,
    entry: Option<&Entry>,
    provider: &Provider,
) -> Option<String> {
    let own = entry.and_then(|entry| reader.text(entry));
    own.or_else(|| reader.env.first(&provider.api_version.as_ref()?.env))
}

fn no_base_url(provider: &Provider, span: &Span) -> Finding {
    let message = format!("provider `{}` has no base URL of its own", provider.name);
    let finding = Finding::error(code::BASE_URL_MISSING, span.clone(), message);
    finding.with_help(match provider.base_url_env.first() {
        Some(variable) => format!("set `api_base`, or the variable `{variable}`"),
        None => "set `api_base`".to_owned(),
    })
}

/// What is missing where a provider's variable has no value, and what to do about it.
pub(super) fn unset_variable(provider: &Provider, name: &str) -> (String, String) {
    let Some(variable) = provider.variables.iter().find(|variable| variable.name == name) else {
        let help = "set it, or give the entry an `api_base`";
        return (UnsetVariable(name.to_owned()).to_string(), help.to_owned());
    };
    let missing = format!("it has no `{}`, and {}", variable.param, none_set(&variable.env));
    (missing, format!("set one, or give the entry a `{}`", variable.param))
}

fn none_set(variables: &[String]) -> String {
    match variables {
        [] => "it has no `api_key`".to_owned(),
        [one] => format!("the variable `{one}` is not set"),
        several => {
            let names: Vec<String> = several.iter().map(|name| format!("`{name}`")).collect();
            format!("none of the variables {} is set", names.join(", "))
        }
    }
}

/// Notes that a model is left out, and for want of what.
pub(super) fn leave_out(
    reader: &mut Reader<'_>,
    span: &Span,
    (model_name, missing): (&str, &str),
    help: &str,
) {
    let message = format!("`{model_name}` is left out: {missing}");
    let finding = Finding::note(code::CREDENTIAL_MISSING, span.clone(), message);
    reader.findings.push(finding.with_help(help));
}

/// What is wrong with a base URL. The URL itself is not repeated: it may hold a password.
fn check_url(url: &str) -> Result<(), &'static str> {
    let scheme_and_rest = url.split_once("://").filter(|(s, _)| matches!(*s, "http" | "https"));
    let Some((_, rest)) = scheme_and_rest else {
        return Err("does not start with `http://` or `https://`");
    };
    if rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("holds white space");
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err("has no host");
    }
    Ok(())
}
