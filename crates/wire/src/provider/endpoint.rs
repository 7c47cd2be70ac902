//! What a provider speaks at which path.

use serde::Deserialize;

use crate::formats::anthropic_messages::Envelope;

/// A dialect on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WireFormat {
    /// OpenAI's chat completions.
    #[serde(rename = "openai_chat")]
    OpenAiChat,
    /// OpenAI's Responses.
    #[serde(rename = "openai_responses")]
    OpenAiResponses,
    /// Anthropic's Messages.
    AnthropicMessages,
    /// Google's generateContent.
    Gemini,
    /// Amazon Bedrock's Converse.
    BedrockConverse,
    /// Cohere's chat, version 2.
    Cohere,
    /// Ollama's own chat.
    Ollama,
}

impl WireFormat {
    /// Every format.
    pub const ALL: [Self; 7] = [
        Self::OpenAiChat,
        Self::OpenAiResponses,
        Self::AnthropicMessages,
        Self::Gemini,
        Self::BedrockConverse,
        Self::Cohere,
        Self::Ollama,
    ];

    /// Its name in provider files and in what is shown to people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
            Self::OpenAiResponses => "openai_responses",
            Self::AnthropicMessages => "anthropic_messages",
            Self::Gemini => "gemini",
            Self::BedrockConverse => "bedrock_converse",
            Self::Cohere => "cohere",
            Self::Ollama => "ollama",
        }
    }

    /// Its usual path, and the one for streams where that is another.
    const fn usual_paths(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::OpenAiChat => ("/chat/completions", None),
            Self::OpenAiResponses => ("/responses", None),
            Self::AnthropicMessages => ("/v1/messages", None),
            Self::Gemini => (
                "/v1beta/models/{model}:generateContent",
                Some("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
            ),
            Self::BedrockConverse => {
                ("/model/{model}/converse", Some("/model/{model}/converse-stream"))
            }
            Self::Cohere => ("/v2/chat", None),
            Self::Ollama => ("/api/chat", None),
        }
    }

    /// How many segments at the end of a path are the operation. A base URL holds all of them or
    /// none.
    pub(super) const fn operation_segments(self) -> usize {
        match self {
            Self::OpenAiChat | Self::Gemini => 2,
            Self::BedrockConverse => 3,
            Self::OpenAiResponses | Self::AnthropicMessages | Self::Cohere | Self::Ollama => 1,
        }
    }
}

/// Where a provider speaks one wire format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The format.
    pub format: WireFormat,
    /// Where this endpoint is, when it is not where the others are. A deployment with a base URL of
    /// its own is not called here.
    pub base_url: Option<String>,
    /// The path behind the base URL; `{model}` and the provider's variables stand for their values.
    pub path: String,
    /// The path for streams, where it is another; may hold a query.
    pub stream_path: Option<String>,
    /// The path at which the provider counts the tokens of a request, where it does.
    pub count_path: Option<String>,
    /// The path of the provider's surface without versions.
    pub unversioned_path: Option<String>,
    /// How the body is wrapped.
    pub envelope: Envelope,
    /// Only models with one of these in their names, in lower case, are called here; all when
    /// empty.
    pub models: Vec<String>,
    /// Whether pictures are taken as bytes only, where the format does not say so already.
    pub wants_bytes: bool,
    /// What a deployment's model begins with to be called here and nowhere else; it is no part of
    /// the model's name.
    pub prefix: Option<String>,
}

/// An endpoint as written in a provider file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EndpointFile {
    base_url: Option<String>,
    path: Option<String>,
    stream_path: Option<String>,
    count_path: Option<String>,
    unversioned_path: Option<String>,
    envelope: Envelope,
    models: Vec<String>,
    wants_bytes: bool,
    prefix: Option<String>,
}

impl EndpointFile {
    pub(super) fn into_endpoint(self, format: WireFormat) -> Endpoint {
        let (path, stream_path) = format.usual_paths();
        let usual_stream = stream_path.filter(|_| self.path.is_none()).map(str::to_owned);
        Endpoint {
            format,
            base_url: self.base_url,
            path: self.path.unwrap_or_else(|| path.to_owned()),
            stream_path: self.stream_path.or(usual_stream),
            count_path: self.count_path,
            unversioned_path: self.unversioned_path,
            envelope: self.envelope,
            models: self.models,
            wants_bytes: self.wants_bytes,
            prefix: self.prefix,
        }
    }
}

impl Endpoint {
    /// Whether a model is called here.
    #[must_use]
    pub fn serves(&self, model: &str) -> bool {
        let model = model.to_ascii_lowercase();
        self.models.is_empty() || self.models.iter().any(|part| model.contains(part.as_str()))
    }

    /// The same endpoint where it counts, if it does.
    #[must_use]
    pub fn counting(&self) -> Option<Self> {
        let path = self.count_path.clone()?;
        Some(Self { path, stream_path: None, unversioned_path: None, ..self.clone() })
    }
}

/// How a deployment is called, as far as it decides about that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calling {
    /// The only format it is called in.
    pub pinned: Option<WireFormat>,
    /// Whether it has a base URL of its own, behind which nothing is known to be but what the
    /// provider has behind its usual one.
    pub own_base_url: bool,
}

impl super::Provider {
    /// Where a model is called for a client that speaks `client`: at the endpoint of that format
    /// where there is one, else at the first that serves the model.
    #[must_use]
    pub fn endpoint(&self, model: &str, client: WireFormat, calling: Calling) -> Option<&Endpoint> {
        let allowed = |at: &&Endpoint| match calling.pinned {
            Some(format) => at.format == format,
            None => at.serves(model) && !(calling.own_base_url && at.base_url.is_some()),
        };
        let fitting = || self.endpoints.iter().filter(allowed);
        fitting().find(|at| at.format == client).or_else(|| fitting().next())
    }

    /// The only format of a model whose mode is `responses`, where the provider speaks it.
    #[must_use]
    pub fn responses_only(&self, mode: Option<&str>) -> Option<WireFormat> {
        let format = WireFormat::OpenAiResponses;
        let there = self.endpoints.iter().any(|endpoint| endpoint.format == format);
        (there && mode == Some("responses")).then_some(format)
    }
}
