//! The shape of a provider file. What is not in it is refused, so that a misspelt quirk is found by
//! a test.

use std::collections::BTreeMap;

use serde::Deserialize;
use tollgate_domain::{IdError, ProviderName};

use super::endpoint::{Endpoint, EndpointFile, WireFormat};
use super::{ApiVersion, AuthScheme, BaseUrlWhen, Provider, Quirks, Variable};

/// A provider file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderFile {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    base_url: Option<String>,
    #[serde(default)]
    base_url_env: Vec<String>,
    #[serde(default)]
    key_env: Vec<String>,
    #[serde(default = "yes")]
    key_required: bool,
    #[serde(default)]
    auth: AuthFile,
    formats: Vec<WireFormat>,
    #[serde(default)]
    endpoints: BTreeMap<WireFormat, EndpointFile>,
    #[serde(default)]
    variables: BTreeMap<String, VariableFile>,
    #[serde(default)]
    base_url_when: Vec<BaseUrlWhen>,
    api_version: Option<ApiVersion>,
    #[serde(default)]
    quirks: Quirks,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    client_headers: Vec<String>,
    #[serde(default)]
    client_lists: Vec<String>,
    #[serde(default)]
    client_accounts: Vec<String>,
    #[serde(default)]
    client_tokens: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VariableFile {
    param: String,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    env: Vec<String>,
    default: Option<String>,
}

/// Braces, because a variant without them would let unknown fields pass.
#[derive(Debug, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case", deny_unknown_fields)]
enum AuthFile {
    Bearer {},
    Header {
        name: String,
    },
    None {},
    Entra {
        scope: String,
    },
    Google {},
    #[serde(rename = "sigv4")]
    SigV4 {
        service: String,
    },
}

impl Default for AuthFile {
    fn default() -> Self {
        Self::Bearer {}
    }
}

impl ProviderFile {
    pub(super) fn into_provider(self) -> Result<Provider, IdError> {
        Ok(Provider {
            name: ProviderName::new(&self.name)?,
            aliases: self.aliases,
            base_url: self.base_url,
            base_url_env: self.base_url_env,
            key_env: self.key_env,
            key_required: self.key_required,
            auth: match self.auth {
                AuthFile::Bearer {} => AuthScheme::Bearer,
                AuthFile::Header { name } => AuthScheme::Header(name),
                AuthFile::None {} => AuthScheme::None,
                AuthFile::Entra { scope } => AuthScheme::Entra { scope },
                AuthFile::Google {} => AuthScheme::Google,
                AuthFile::SigV4 { service } => AuthScheme::SigV4 { service },
            },
            endpoints: endpoints(&self.formats, self.endpoints),
            variables: self.variables.into_iter().map(variable).collect(),
            base_url_when: self.base_url_when,
            api_version: self.api_version,
            quirks: self.quirks,
            headers: self.headers.into_iter().collect(),
            client_headers: self.client_headers,
            client_lists: self.client_lists,
            client_accounts: self.client_accounts,
            client_tokens: self.client_tokens,
        })
    }
}

/// One endpoint for each format, in the order of the formats.
fn endpoints(
    formats: &[WireFormat],
    mut written: BTreeMap<WireFormat, EndpointFile>,
) -> Vec<Endpoint> {
    let endpoint =
        |format: &WireFormat| written.remove(format).unwrap_or_default().into_endpoint(*format);
    formats.iter().map(endpoint).collect()
}

fn variable((name, written): (String, VariableFile)) -> Variable {
    let VariableFile { param, also, env, default } = written;
    Variable { name, param, also, env, default }
}

const fn yes() -> bool {
    true
}
