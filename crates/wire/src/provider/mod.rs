//! Providers: companies or servers that can be called, described as data in `providers/*.toml`.
//!
//! No Rust file names a provider. A provider that speaks a known wire format is one more file in
//! that folder.

mod catalog;
mod quirks;
mod schema;
mod url;

use serde::Deserialize;
use tollgate_domain::ProviderName;

pub use catalog::{Catalog, CatalogError};
pub use quirks::{DropBeside, OutputLimit, Quirks, Range, StreamUsage, ToolChoice};
pub use url::UnsetVariable;

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
    /// The wire formats it speaks, the preferred one first.
    pub formats: Vec<WireFormat>,
    /// Path of chat completions behind the base URL; may hold `{model}`.
    pub chat_path: String,
    /// The version that every URL names, where it has versions.
    pub api_version: Option<ApiVersion>,
    /// What it deviates in.
    pub quirks: Quirks,
    /// Headers that go with every request.
    pub headers: Vec<(String, String)>,
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
    Azure,
    /// A token of Google's OAuth in `Authorization: Bearer` (gemini.md §1).
    Google,
    /// A signature of AWS, or a key in `Authorization: Bearer` (bedrock.md §2).
    SigV4 {
        /// The service that is signed for, such as `bedrock`.
        service: String,
    },
}

/// A dialect on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum WireFormat {
    /// OpenAI's chat completions.
    #[serde(rename = "openai_chat")]
    OpenAiChat,
}

impl WireFormat {
    /// Its name in provider files and in what is shown to people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
        }
    }
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

/// A second surface of a versioned provider, at another path and without a version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unversioned {
    /// "Versions" that mean this surface.
    pub versions: Vec<String>,
    /// Those of them that are still sent as the version.
    #[serde(default)]
    pub sent: Vec<String>,
    /// Path of chat completions; a base URL that already holds all but its operation means this
    /// surface too.
    pub chat_path: String,
}

#[cfg(test)]
mod tests;
