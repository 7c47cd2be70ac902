//! What a provider deviates in: a closed list, applied by name and never by provider.

mod reasoning;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer};

pub use self::reasoning::{ReasoningBack, ThinkingSwitch};
use crate::json::{Kind, Raw, Splice, quoted};

/// The older and the newer name of the limit on output tokens.
pub(crate) const OUTPUT_LIMITS: [&str; 2] = ["max_tokens", "max_completion_tokens"];

/// What a provider deviates in.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quirks {
    /// Top-level request fields that it rejects or must not get. An operator can have them sent
    /// all the same, so they are dropped with the deployment's own and not by [`Self::apply`].
    pub drop_fields: Vec<Box<str>>,
    /// Fields that it rejects beside another one.
    pub drop_beside: Vec<DropBeside>,
    /// The client's field and the provider's name for it, sorted by the client's.
    #[serde(deserialize_with = "pairs")]
    pub rename_fields: Vec<(Box<str>, Box<str>)>,
    /// Fields and the raw JSON that it must get in them, whatever the client sent.
    #[serde(deserialize_with = "pairs")]
    pub set_fields: Vec<(Box<str>, Box<str>)>,
    /// Numbers that it rejects outside a range; the nearest number within is sent.
    #[serde(deserialize_with = "pairs")]
    pub clamp_fields: Vec<(Box<str>, Range)>,
    /// Which choices of tools it takes.
    pub tool_choice: ToolChoice,
    /// Its name for the limit on output tokens.
    pub output_limit: OutputLimit,
    /// When it reports usage in a stream.
    pub usage_in_stream: StreamUsage,
    /// Where it wants its reasoning back in translated requests; `None` where it must not get it.
    pub reasoning_back: Option<ReasoningBack>,
    /// The field of its own that switches thinking in translated requests, where it has one.
    pub thinking: Option<ThinkingSwitch>,
    /// Whether it takes `cache_control` on parts and tools.
    pub cache_control: bool,
}

/// Fields that are dropped when another one is sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropBeside {
    /// The field that must be there.
    pub beside: Box<str>,
    /// The fields that are dropped then.
    pub fields: Vec<Box<str>>,
}

/// The numbers that a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(from = "(f64, f64)")]
pub struct Range {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

/// Which choices of tools a provider takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToolChoice {
    /// The client's word and the provider's, sorted by the client's.
    #[serde(deserialize_with = "pairs")]
    pub rename: Vec<(Box<str>, Box<str>)>,
    /// The only words that it takes; another choice, a named function too, is dropped. Empty when
    /// it takes all.
    pub only: Vec<Box<str>>,
}

/// Names for the limit on output tokens. Never are both sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputLimit {
    /// It takes both: what the client sent is sent.
    #[default]
    AsSent,
    /// `max_tokens` only.
    MaxTokens,
    /// `max_completion_tokens` only.
    MaxCompletionTokens,
}

/// When a provider reports usage in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamUsage {
    /// When `stream_options.include_usage` asks for it.
    #[default]
    OnRequest,
    /// Always; asking is not needed or not allowed.
    Always,
    /// Not that it says so; asking is an error.
    Never,
}

impl Quirks {
    /// The quirks of a provider that has none.
    #[must_use]
    pub fn none() -> &'static Self {
        static NONE: LazyLock<Quirks> = LazyLock::new(Quirks::default);
        &NONE
    }

    /// Makes a body what the provider takes: everything but [`Self::drop_fields`] and
    /// [`Self::usage_in_stream`], which the deployment and the operator have a say in.
    pub fn apply(&self, body: &mut Splice) {
        if let Some((from, to)) = self.output_limit.renamed() {
            rename(body, from, to);
        }
        for (from, to) in &self.rename_fields {
            rename(body, from, to);
        }
        for rule in &self.drop_beside {
            if body.value(&rule.beside).is_some() {
                rule.fields.iter().for_each(|field| body.remove(field));
            }
        }
        for (field, range) in &self.clamp_fields {
            if let Some(bound) = body.value(field).and_then(|value| range.bound(value)) {
                body.set(field, bound.to_string());
            }
        }
        self.tool_choice.apply(body);
        for (field, raw) in &self.set_fields {
            body.set(field, raw.clone());
        }
    }
}

impl OutputLimit {
    /// The name that is not taken, and the one to use for it.
    const fn renamed(self) -> Option<(&'static str, &'static str)> {
        let [older, newer] = OUTPUT_LIMITS;
        match self {
            Self::AsSent => None,
            Self::MaxTokens => Some((newer, older)),
            Self::MaxCompletionTokens => Some((older, newer)),
        }
    }
}

impl ToolChoice {
    fn apply(&self, body: &mut Splice) {
        let Some(choice) = body.value("tool_choice") else { return };
        let sent = choice.text().unwrap_or_default().into_owned();
        let renamed = self.rename.iter().find(|(from, _)| **from == *sent);
        let word = renamed.map_or(&*sent, |(_, to)| to);
        if !self.only.is_empty() && !self.only.iter().any(|taken| **taken == *word) {
            body.remove("tool_choice");
        } else if renamed.is_some() {
            body.set("tool_choice", quoted(word));
        }
    }
}

impl Range {
    /// The end of the range beyond which a number lies; `None` for one within, and for what is no
    /// number, which is for the provider to refuse.
    fn bound(self, value: Raw<'_>) -> Option<f64> {
        let number: f64 = value.as_written().parse().ok()?;
        match value.kind() {
            Kind::Number if number < self.min => Some(self.min),
            Kind::Number if number > self.max => Some(self.max),
            _ => None,
        }
    }
}

impl From<(f64, f64)> for Range {
    fn from((min, max): (f64, f64)) -> Self {
        Self { min, max }
    }
}

/// Where both names stand, the provider's own stays.
pub(crate) fn rename(body: &mut Splice, from: &str, to: &str) {
    let Some(value) = body.value(from).map(|raw| Box::<str>::from(raw.as_written())) else {
        return;
    };
    body.remove(from);
    if body.value(to).is_none() {
        body.set(to, value);
    }
}

/// A table as pairs, sorted by its keys.
fn pairs<'de, D, V>(deserializer: D) -> Result<Vec<(Box<str>, V)>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    BTreeMap::deserialize(deserializer).map(|table| table.into_iter().collect())
}

#[cfg(test)]
mod tests;
