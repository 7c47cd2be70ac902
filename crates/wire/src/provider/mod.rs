//! Providers: companies or servers that can be called, described as data in `providers/*.toml`.
//!
//! No Rust file names a provider. A provider that speaks a known wire format is one more file in
//! that folder.

mod catalog;
mod endpoint;
mod quirks;
mod schema;
mod url;

use serde::Deserialize;
use tollgate_domain::ProviderName;

pub use catalog::{Catalog, CatalogError};
pub use endpoint::{Calling, Endpoint, WireFormat};
pub use quirks::{
    DropBeside, OutputLimit, Quirks, Range, ReasoningBack, StreamUsage, ThinkingSwitch, ToolChoice,
};
pub(crate) use quirks::{OUTPUT_LIMITS, rename};
pub use url::{Address, UnsetVariable};

/// A provider: where it is, how it wants to be authenticated, what it speaks and what it deviates
/// in.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// Its name, which is also its file's name and the prefix of its models in a configuration.
    pub name: ProviderName,
    /// Other names it is configured under.
    pub aliases: Vec<String>,
    /// Where it is unless the deployment says otherwise; `None` where every deployment must say.
    /// `{NAME}` in it stands for the environment variable of that name.
    pub base_url: Option<String>,
    /// Environment names that replace `base_url`, the first one set wins.
    pub base_url_env: Vec<String>,
    /// Environment names of its key, the first one set wins.
    pub key_env: Vec<String>,
    /// Whether it cannot be called without a key.
    pub key_required: bool,
    /// How a key is presented.
    pub auth: AuthScheme,
    /// What it speaks and where, the preferred one first.
    pub endpoints: Vec<Endpoint>,
    /// What its URLs are made of besides the model.
    pub variables: Vec<Variable>,
    /// Where it is instead when a variable has one of these values.
    pub base_url_when: Vec<BaseUrlWhen>,
    /// The version that every URL names, where it has versions.
    pub api_version: Option<ApiVersion>,
    /// What it deviates in.
    pub quirks: Quirks,
    /// Headers that go with every request.
    pub headers: Vec<(String, String)>,
    /// Headers of a client that speaks the provider's own format which go on to it, in lower case.
    pub client_headers: Vec<String>,
    /// Those of them that are lists, which are joined with the operator's own.
    pub client_lists: Vec<String>,
    /// Headers in which a client names an account of its own at the provider, in lower case.
    pub client_accounts: Vec<String>,
    /// How tokens begin that the provider gives to its users and that a client may bring as
    /// `Authorization: Bearer …`. What begins otherwise is not the provider's and never goes there.
    pub client_tokens: Vec<String>,
}

/// A part of a provider's URLs that a deployment or the environment decides, such as a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name in base URLs and paths: `{name}`.
    pub name: String,
    /// The parameter of a deployment that holds it.
    pub param: String,
    /// Other names of that parameter.
    pub also: Vec<String>,
    /// Environment names that hold it where the deployment does not, the first one set wins.
    pub env: Vec<String>,
    /// Its value where nothing else says.
    pub default: Option<String>,
}

impl Variable {
    /// Whether a parameter of this name holds it.
    #[must_use]
    pub fn is_held_by(&self, param: &str) -> bool {
        self.param == param || self.also.iter().any(|name| name == param)
    }
}

/// Another base URL for some values of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseUrlWhen {
    /// The variable's name.
    pub variable: String,
    /// Its values.
    pub values: Vec<String>,
    /// The base URL then; may hold variables.
    pub url: String,
}

/// How a key is presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthScheme {
    /// `Authorization: Bearer <key>`.
    Bearer,
    /// The key alone in a header of this name.
    Header(String),
    /// No key is ever sent.
    None,
    /// A key in `api-key`, or a token of Entra ID in `Authorization: Bearer` (openai.md §8).
    Entra {
        /// What a token is asked for, such as `https://cognitiveservices.azure.com/.default`.
        scope: String,
    },
    /// A token of Google's OAuth in `Authorization: Bearer` (gemini.md §1).
    Google,
    /// A signature of AWS, or a key in `Authorization: Bearer` (bedrock.md §2).
    SigV4 {
        /// The service that is signed for, such as `bedrock`.
        service: String,
    },
}

/// API versions that a URL names in its query.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiVersion {
    /// Name of the query parameter.
    pub query: String,
    /// The version used unless the deployment or the environment says otherwise.
    pub default: String,
    /// Environment names that replace `default`, the first one set wins.
    #[serde(default)]
    pub env: Vec<String>,
    /// The provider's surface that needs no version, where it has one.
    pub unversioned: Option<Unversioned>,
}

/// A second surface of a versioned provider, at the endpoints' other paths and without a version. A
/// base URL that already holds all but such a path's operation means this surface too.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unversioned {
    /// "Versions" that mean this surface.
    pub versions: Vec<String>,
    /// Those of them that are still sent as the version.
    #[serde(default)]
    pub sent: Vec<String>,
}

#[cfg(test)]
mod tests;
