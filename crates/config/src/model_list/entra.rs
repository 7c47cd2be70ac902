//! How a deployment at Azure says who it is: exactly one mode, decided here (S11, S19).
//!
//! The entry's `api_key`, else its own Entra ID fields, else `azure_credential`, else
//! `enable_azure_ad_token_refresh`, else a key of the environment.

use std::path::PathBuf;

use tollgate_domain::{Assertion, EntraIdentity, EntraLink, Identity, Secret};

use super::credential::{Call, Mode, Needed, leave_out};
use super::own::{Own, assertion, note_ignored};
use crate::diagnostic::{Finding, code};
use crate::environment::Environment;
use crate::schema::{Given, Reader, Section};
use crate::yaml::Entry;

/// The mode: a key, or an identity.
pub(super) fn mode(
    reader: &mut Reader<'_>,
    params: &mut Section<'_>,
    (own_key, usual_scope): (Option<&Entry>, &str),
    call: Call<'_>,
) -> Needed<Mode> {
    let own = Own::take(reader, params, &FIELDS);
    let mut text = |name| params.take(name).and_then(|entry| reader.text(entry));
    let (scope, host) = (text("azure_scope"), text("azure_authority_host"));
    let credential = params.take("azure_credential").filter(|entry| !entry.node.value.is_empty());
    let refresh = params.take("enable_azure_ad_token_refresh");
    if own_key.is_some() {
        return Needed::Found(Mode::Key);
    }
    if own.lacks(reader, call.subject) {
        return Needed::Lacking;
    }
    let found = match (own.first(), credential) {
        (Some(entry), _) => explicit(reader, &own, call).map(|link| (entry, vec![link])),
        (None, Some(entry)) => chosen(reader, entry, call).map(|links| (entry, links)),
        (None, None) => {
            let enabled = refresh.filter(|entry| reader.flag(entry) == Some(true));
            let Some(entry) = enabled else { return Needed::Found(Mode::Key) };
            Needed::Found((entry, chain(&reader.env)))
        }
    };
    let (entry, links) = match found {
        Needed::Found(found) => found,
        Needed::Lacking => return Needed::Lacking,
        Needed::Wrong => return Needed::Wrong,
    };
    note_ignored(reader, entry, (&call.provider.key_env, "Entra ID"));
    let scope = scope.or_else(|| reader.env.variable("AZURE_SCOPE"));
    let host = host.or_else(|| reader.env.variable("AZURE_AUTHORITY_HOST"));
    Needed::Found(Mode::Identity(Identity::Entra(EntraIdentity {
        authority_host: host.unwrap_or_else(|| AUTHORITY.to_owned()),
        scope: scope.unwrap_or_else(|| usual_scope.to_owned()),
        links,
    })))
}

/// What the entry's own fields say.
fn explicit(reader: &mut Reader<'_>, own: &Own<'_>, call: Call<'_>) -> Needed<EntraLink> {
    let ids = own.text("tenant_id").zip(own.text("client_id"));
    if let Some((entry, token)) = own.entry(TOKEN).zip(own.text(TOKEN)) {
        if !token.starts_with("oidc/") {
            return Needed::Found(EntraLink::Token(Secret::new(token)));
        }
        let Some((tenant_id, client_id)) = ids else { return incomplete(reader, entry) };
        return assertion(reader, entry, &token, call.subject)
            .map(|assertion| EntraLink::Federated { tenant_id, client_id, assertion });
    }
    let user = own.text("azure_username").zip(own.text("azure_password"));
    match (ids, own.text("client_secret"), user) {
        (Some((tenant_id, client_id)), Some(secret), _) => {
            let client_secret = Secret::new(secret);
            Needed::Found(EntraLink::ClientSecret { tenant_id, client_id, client_secret })
        }
        (Some((tenant_id, client_id)), None, Some((username, password))) => {
            let password = Secret::new(password);
            Needed::Found(EntraLink::Password { tenant_id, client_id, username, password })
        }
        _ => own.first().map_or(Needed::Wrong, |entry| incomplete(reader, entry)),
    }
}

fn incomplete(reader: &mut Reader<'_>, entry: &Entry) -> Needed<EntraLink> {
    let message = format!("`{}` is part of a set of fields that is not complete", entry.name);
    let finding = Finding::error(code::FIELD_MISSING, entry.name_span.clone(), message);
    let help = "`tenant_id` and `client_id`, with `client_secret`, with `azure_username` and \
                `azure_password`, or with an `azure_ad_token` that is `oidc/…`";
    reader.findings.push(finding.with_help(help));
    Needed::Wrong
}

/// The links that `azure_credential` names.
fn chosen(reader: &mut Reader<'_>, entry: &Entry, call: Call<'_>) -> Needed<Vec<EntraLink>> {
    let name = match reader.given(entry) {
        Some(Given::Text(name)) => name,
        Some(Given::Unset(variable)) => {
            let missing = format!("the variable `{variable}` is not set");
            let help = "set it, or leave `azure_credential` out";
            leave_out(reader, &entry.node.span, (call.subject.model_name, &missing), help);
            return Needed::Lacking;
        }
        None => return Needed::Wrong,
    };
    Needed::Found(match name.to_ascii_lowercase().as_str() {
        "default" | "defaultazurecredential" => chain(&reader.env),
        "client_secret" | "environmentcredential" => vec![of_environment(&reader.env)],
        "workload_identity" | "workloadidentitycredential" => vec![workload(&reader.env)],
        "managed_identity" | "managedidentitycredential" => vec![managed(&reader.env)],
        "cli" | "azureclicredential" => vec![cli()],
        _ => {
            let message = format!("`azure_credential` has no mode `{name}`");
            let finding = Finding::error(code::MALFORMED, entry.node.span.clone(), message);
            let help = "default, client_secret, workload_identity, managed_identity or cli";
            reader.findings.push(finding.with_help(help));
            return Needed::Wrong;
        }
    })
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
const FIELDS: [&str; 6] =
    [TOKEN, "tenant_id", "client_id", "client_secret", "azure_username", "azure_password"];
const TOKEN: &str = "azure_ad_token";

const AUTHORITY: &str = "https://login.microsoftonline.com";
const MACHINE: &str = "http://169.254.169.254";

#[cfg(test)]
mod tests;
