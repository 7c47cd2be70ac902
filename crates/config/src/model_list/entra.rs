//! How a deployment at Azure says who it is: exactly one mode, decided here (S11, S19).
//!
//! The entry's `api_key`, else its own Entra ID fields, else `azure_credential`, else
//! `enable_azure_ad_token_refresh`, else a key of the environment.

use std::path::PathBuf;

use tollgate_domain::{Assertion, EntraIdentity, EntraLink, Identity, Secret};
use tollgate_wire::{AuthScheme, Provider};

use crate::diagnostic::{Finding, code};
use crate::environment::Environment;
use crate::schema::{Reader, Section};
use crate::yaml::Entry;

/// The identity, where the mode is not a key.
pub(super) fn identity(
    reader: &mut Reader<'_>,
    params: &mut Section<'_>,
    own_key: Option<&Entry>,
    provider: &Provider,
) -> Option<Identity> {
    if provider.auth != AuthScheme::Entra {
        return None;
    }
    let first = FIELDS.iter().find_map(|name| params.take(name));
    let mut text = |name| params.take(name).and_then(|entry| reader.text(entry));
    let own = explicit(&mut text);
    let (scope, host) = (text("azure_scope"), text("azure_authority_host"));
    let credential = params.take("azure_credential");
    let refresh = params.take("enable_azure_ad_token_refresh");
    if own_key.is_some() {
        return None;
    }
    let links = match (own, credential) {
        (Some(link), _) => vec![link],
        (None, Some(entry)) => chosen(reader, entry)?,
        (None, None) => {
            let enabled = refresh.and_then(|entry| reader.flag(entry)) == Some(true);
            enabled.then(|| chain(&reader.env))?
        }
    };
    if let (Some(entry), Some(variable)) = (
        first.or(credential).or(refresh),
        provider.key_env.iter().find(|name| reader.env.variable(name).is_some()),
    ) {
        let message = format!("`{variable}` is ignored: this deployment uses Entra ID");
        reader.findings.push(Finding::note(code::CONFLICT, entry.name_span.clone(), message));
    }
    let scope = scope.or_else(|| reader.env.variable("AZURE_SCOPE"));
    let host = host.or_else(|| reader.env.variable("AZURE_AUTHORITY_HOST"));
    Some(Identity::Entra(EntraIdentity {
        authority_host: host.unwrap_or_else(|| AUTHORITY.to_owned()),
        scope: scope.unwrap_or_else(|| SCOPE.to_owned()),
        links,
    }))
}

/// What the entry's own fields say.
fn explicit(text: &mut impl FnMut(&'static str) -> Option<String>) -> Option<EntraLink> {
    let token = text("azure_ad_token");
    let (tenant, client) = (text("tenant_id"), text("client_id"));
    let secret = text("client_secret");
    let (username, password) = (text("azure_username"), text("azure_password"));
    if let Some(token) = token {
        return Some(EntraLink::Token(Secret::new(token)));
    }
    let (tenant_id, client_id) = (tenant?, client?);
    if let Some(secret) = secret {
        let client_secret = Secret::new(secret);
        return Some(EntraLink::ClientSecret { tenant_id, client_id, client_secret });
    }
    let (username, password) = (username?, Secret::new(password?));
    Some(EntraLink::Password { tenant_id, client_id, username, password })
}

/// The links that `azure_credential` names.
fn chosen(reader: &mut Reader<'_>, entry: &Entry) -> Option<Vec<EntraLink>> {
    let name = reader.text(entry)?;
    match name.to_ascii_lowercase().as_str() {
        "default" | "defaultazurecredential" => Some(chain(&reader.env)),
        "client_secret" | "environmentcredential" => Some(vec![of_environment(&reader.env)]),
        "workload_identity" | "workloadidentitycredential" => Some(vec![workload(&reader.env)]),
        "managed_identity" | "managedidentitycredential" => Some(vec![managed(&reader.env)]),
        "cli" | "azureclicredential" => Some(vec![cli()]),
        _ => {
            let message = format!("`azure_credential` has no mode `{name}`");
            let finding = Finding::error(code::MALFORMED, entry.node.span.clone(), message);
            let help = "default, client_secret, workload_identity, managed_identity or cli";
            reader.findings.push(finding.with_help(help));
            None
        }
    }
}

/// `DefaultAzureCredential`.
fn chain(env: &Environment<'_>) -> Vec<EntraLink> {
    vec![of_environment(env), workload(env), managed(env), cli()]
}

fn of_environment(env: &Environment<'_>) -> EntraLink {
    const NAMES: [&str; 3] = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"];
    match NAMES.map(|name| env.variable(name)) {
        [Some(tenant_id), Some(client_id), Some(secret)] => {
            EntraLink::ClientSecret { tenant_id, client_id, client_secret: Secret::new(secret) }
        }
        values => absent("environment", NAMES, &values),
    }
}

fn workload(env: &Environment<'_>) -> EntraLink {
    const NAMES: [&str; 3] = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"];
    match NAMES.map(|name| env.variable(name)) {
        [Some(tenant_id), Some(client_id), Some(file)] => {
            let assertion = Assertion::File(PathBuf::from(file));
            EntraLink::Federated { tenant_id, client_id, assertion }
        }
        values => absent("workload identity", NAMES, &values),
    }
}

fn managed(env: &Environment<'_>) -> EntraLink {
    let client_id = env.variable("AZURE_CLIENT_ID");
    match (env.variable("IDENTITY_ENDPOINT"), env.variable("IDENTITY_HEADER")) {
        (Some(endpoint), Some(header)) => {
            EntraLink::AppService { endpoint, header: Secret::new(header), client_id }
        }
        _ => EntraLink::Machine { endpoint: MACHINE.to_owned(), client_id },
    }
}

fn cli() -> EntraLink {
    EntraLink::Cli { program: PathBuf::from("az"), tenant_id: None }
}

fn absent(link: &'static str, names: [&str; 3], values: &[Option<String>; 3]) -> EntraLink {
    let unset = names.iter().zip(values).filter(|(_, value)| value.is_none());
    let unset: Vec<String> = unset.map(|(name, _)| format!("`{name}`")).collect();
    EntraLink::Absent { link, reason: format!("not set: {}", unset.join(", ")) }
}

/// The entry's own fields of Entra ID.
const FIELDS: [&str; 3] = ["azure_ad_token", "client_secret", "azure_password"];

const AUTHORITY: &str = "https://login.microsoftonline.com";
const SCOPE: &str = "https://cognitiveservices.azure.com/.default";
const MACHINE: &str = "http://169.254.169.254";

#[cfg(test)]
mod tests;
