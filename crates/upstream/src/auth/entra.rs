//! Tokens of Entra ID.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use http::HeaderName;
use tollgate_domain::{EntraIdentity, EntraLink, Secret, Timestamp};

use super::errand::{Courier, Errand, PROBE_LIMIT, form};
use super::grant::{Grant, json, text, vouched};

/// The token of the first link that has one.
pub(super) async fn fetch(
    courier: &Courier,
    identity: &EntraIdentity,
    now: Timestamp,
) -> Result<Grant, String> {
    let mut failures = Vec::new();
    for link in &identity.links {
        match of_link(courier, identity, link, now).await {
            Ok(grant) => return Ok(grant),
            Err(why) => failures.push(format!("{}: {why}", name(link))),
        }
    }
    Err(failures.join("; "))
}

const fn name(link: &EntraLink) -> &'static str {
    match link {
        EntraLink::Token(_) => "azure_ad_token",
        EntraLink::ClientSecret { .. } => "client secret",
        EntraLink::Password { .. } => "username and password",
        EntraLink::Federated { .. } => "workload identity",
        EntraLink::Machine { .. } | EntraLink::AppService { .. } => "managed identity",
        EntraLink::Cli { .. } => "Azure CLI",
        EntraLink::Absent { link, .. } => link,
    }
}

async fn of_link(
    courier: &Courier,
    to: &EntraIdentity,
    link: &EntraLink,
    now: Timestamp,
) -> Result<Grant, String> {
    let exchange = match link {
        EntraLink::Token(token) => return Ok(Grant::bearer(token.expose(), None)),
        EntraLink::Absent { reason, .. } => return Err(reason.clone()),
        EntraLink::Cli { program, tenant_id } => {
            return cli(program, tenant_id.as_deref(), &to.scope, now).await;
        }
        EntraLink::ClientSecret { tenant_id, client_id, client_secret } => {
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", client_id),
                ("client_secret", client_secret.expose()),
                ("scope", &to.scope),
            ];
            Errand::form(token_url(to, tenant_id), &fields)
        }
        EntraLink::Password { tenant_id, client_id, username, password } => {
            let fields = [
                ("grant_type", "password"),
                ("client_id", client_id),
                ("username", username),
                ("password", password.expose()),
                ("scope", &to.scope),
            ];
            Errand::form(token_url(to, tenant_id), &fields)
        }
        EntraLink::Federated { tenant_id, client_id, assertion } => {
            let assertion = vouched(assertion).await?;
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", client_id),
                ("client_assertion_type", JWT_BEARER),
                ("client_assertion", assertion.expose()),
                ("scope", &to.scope),
            ];
            Errand::form(token_url(to, tenant_id), &fields)
        }
        EntraLink::Machine { endpoint, client_id } => {
            let url = format!("{}/metadata/identity/oauth2/token", endpoint.trim_end_matches('/'));
            let url = managed_url(&url, "2018-02-01", to, client_id.as_deref());
            // Without the header the service answers 400: enough to know that it is there.
            courier.ask(Errand::get(url.clone()).within(PROBE_LIMIT)).await?;
            Errand::get(url).with(METADATA, &Secret::new("true"))?
        }
        EntraLink::AppService { endpoint, header, client_id } => {
            let url = managed_url(endpoint, "2019-08-01", to, client_id.as_deref());
            Errand::get(url).with(IDENTITY_HEADER, header)?
        }
    };
    Grant::of_oauth(&courier.fetch(exchange).await?, now)
}

fn token_url(to: &EntraIdentity, tenant_id: &str) -> String {
    format!("{}/{tenant_id}/oauth2/v2.0/token", to.authority_host.trim_end_matches('/'))
}

fn managed_url(base: &str, version: &str, to: &EntraIdentity, client_id: Option<&str>) -> String {
    let resource = to.scope.strip_suffix("/.default").unwrap_or(&to.scope);
    let mut fields = vec![("api-version", version), ("resource", resource)];
    fields.extend(client_id.map(|id| ("client_id", id)));
    format!("{base}?{}", form(&fields))
}

/// The token of whoever is logged in to `az`.
async fn cli(
    program: &Path,
    tenant_id: Option<&str>,
    scope: &str,
    now: Timestamp,
) -> Result<Grant, String> {
    let mut command = tokio::process::Command::new(program);
    command.args(["account", "get-access-token", "--output", "json", "--scope", scope]);
    if let Some(tenant_id) = tenant_id {
        command.args(["--tenant", tenant_id]);
    }
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let running = tokio::time::timeout(CLI_LIMIT, command.output()).await;
    let output = running.map_err(|_| format!("it did not answer within {CLI_LIMIT:?}"))?;
    let output = output.map_err(|error| format!("it cannot be run: {error}"))?;
    if !output.status.success() {
        return Err("it has no token; run `az login`".to_owned());
    }
    let mut answer = json(&output.stdout)?;
    let token = text(&answer, "accessToken")?.to_owned();
    answer["access_token"] = token.into();
    Grant::of_oauth(&answer, now)
}

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const METADATA: HeaderName = HeaderName::from_static("metadata");
const IDENTITY_HEADER: HeaderName = HeaderName::from_static("x-identity-header");

/// How long `az` may take; it is slow to start.
const CLI_LIMIT: Duration = Duration::from_secs(20);
