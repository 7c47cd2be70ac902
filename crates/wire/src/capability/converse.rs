//! What model families take in a body of `bedrock_converse`, where the families differ.

use std::sync::LazyLock;

use serde::Deserialize;

use super::NamedEffort;
use super::{Capability, Efforts};
use crate::conversation::Effort;

/// The table's text.
const TABLE: &str = include_str!("../../capabilities/bedrock_converse.toml");

/// The table, read once. That it can be read is tested.
static FAMILIES: LazyLock<Families> = LazyLock::new(|| Families::read(TABLE).unwrap_or_default());

/// What a model family takes in a body of `bedrock_converse`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Converse {
    /// How reasoning is asked for.
    pub reasoning: ReasoningField,
    /// The effort beside which it takes neither sampling nor an output limit.
    pub bare_effort: Option<Effort>,
    /// Where `top_k` goes.
    pub top_k: Option<TopK>,
    /// Most stop sequences, where known.
    pub stops_max: Option<usize>,
    /// Whether it takes cache points.
    pub cache: bool,
    /// Whether cache points may last an hour.
    pub cache_hour: bool,
    /// Whether a tool can be forced by its name.
    pub forces_tool: bool,
    /// Whether it can be kept to one call of a tool at a time.
    pub parallel_switch: bool,
    /// Whether a tool's result may say that the tool failed.
    pub result_status: bool,
    /// Whether tool results cannot share a turn with anything else.
    pub results_alone: bool,
    /// Whether tool names begin with a letter and hold no hyphen.
    pub plain_names: bool,
    /// Whether it keeps a JSON schema by itself (`outputConfig.textFormat`).
    pub text_format: bool,
}

/// How reasoning is asked for in `additionalModelRequestFields`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningField {
    /// It cannot be.
    #[default]
    None,
    /// `thinking` and `output_config`, as in `anthropic_messages`. Only such models sign their
    /// reasoning and take it back.
    Thinking,
    /// `reasoningConfig` with a level.
    Levels,
    /// `reasoning_effort`, a text.
    Effort,
    /// `reasoning` with an effort.
    Object,
}

/// Where `top_k` goes in `additionalModelRequestFields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopK {
    /// As `top_k`.
    Plain,
    /// As `inferenceConfig.topK`.
    InferenceConfig,
}

impl Converse {
    /// A family that nothing is known about: what some family refuses is not said to it.
    pub const UNKNOWN: Self = Self {
        reasoning: ReasoningField::None,
        bare_effort: None,
        top_k: None,
        stops_max: None,
        cache: false,
        cache_hour: false,
        forces_tool: true,
        parallel_switch: false,
        result_status: false,
        results_alone: false,
        plain_names: false,
        text_format: false,
    };
}

#[derive(Debug, Default)]
struct Families {
    platforms: Vec<String>,
    rows: Vec<(Vec<String>, Capability)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    platforms: Vec<String>,
    family: Vec<Family>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    marks: Vec<String>,
    #[serde(default)]
    reasoning: ReasoningField,
    #[serde(default)]
    efforts: Vec<NamedEffort>,
    #[serde(default)]
    by_default: bool,
    bare_effort: Option<NamedEffort>,
    top_k: Option<TopK>,
    stops: Option<usize>,
    #[serde(default)]
    cache: bool,
    #[serde(default)]
    forces_tool: bool,
    #[serde(default)]
    result_status: bool,
    #[serde(default)]
    results_alone: bool,
    #[serde(default)]
    plain_names: bool,
}

impl Family {
    fn capability(&self) -> Capability {
        let converse = Converse {
            reasoning: self.reasoning,
            bare_effort: self.bare_effort.map(Into::into),
            top_k: self.top_k,
            stops_max: self.stops,
            cache: self.cache,
            forces_tool: self.forces_tool,
            result_status: self.result_status,
            results_alone: self.results_alone,
            plain_names: self.plain_names,
            ..Converse::UNKNOWN
        };
        Capability {
            thinking_disabled: false,
            thinking_budget: false,
            thinking_adaptive: false,
            thinks_by_default: self.by_default,
            efforts: self.efforts.iter().fold(Efforts::default(), |all, e| all.with((*e).into())),
            converse,
            ..Capability::UNKNOWN
        }
    }
}

impl Families {
    fn read(text: &str) -> Result<Self, toml::de::Error> {
        let table: Table = toml::from_str(text)?;
        let rows = table.family.into_iter().map(|family| {
            let capability = family.capability();
            (family.marks, capability)
        });
        Ok(Self { platforms: table.platforms, rows: rows.collect() })
    }

    fn find(&self, platform: &str, model: &str) -> Option<&Capability> {
        if !self.platforms.iter().any(|name| name == platform) {
            return None;
        }
        let model = model.to_ascii_lowercase();
        let matching = self.rows.iter().filter_map(|(marks, capability)| {
            let held = marks.iter().filter(|mark| model.contains(mark.as_str()));
            Some((held.map(String::len).max()?, capability))
        });
        matching.max_by_key(|(length, _)| *length).map(|(_, capability)| capability)
    }
}

/// The record of a model on a platform.
pub(super) fn find(platform: &str, model: &str) -> Option<&'static Capability> {
    FAMILIES.find(platform, model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_reads_and_no_mark_stands_twice() {
        let families = Families::read(TABLE).expect("the table");
        let mut marks: Vec<&String> = families.rows.iter().flat_map(|(marks, _)| marks).collect();
        let all = marks.len();
        marks.sort();
        marks.dedup();
        assert!(all >= 6 && marks.len() == all);
    }

    #[test]
    fn the_longest_mark_in_an_id_counts() {
        for (id, reasoning, alone) in [
            ("us.amazon.nova-pro-v1:0", ReasoningField::None, true),
            ("global.amazon.nova-2-lite-v1:0", ReasoningField::Levels, true),
            ("openai.gpt-oss-120b-1:0", ReasoningField::Effort, false),
            ("openai.gpt-5.5", ReasoningField::Object, false),
            ("us.deepseek.r1-v1:0", ReasoningField::None, false),
            ("mistral.mistral-large-2407-v1:0", ReasoningField::None, true),
            ("us.anthropic.claude-opus-4-7", ReasoningField::Thinking, false),
        ] {
            let converse = Capability::of("bedrock", id).converse;
            assert_eq!((converse.reasoning, converse.results_alone), (reasoning, alone), "{id}");
        }
        let opaque = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc";
        assert_eq!(*Capability::of("bedrock", opaque), Capability::UNKNOWN);
        assert_eq!(*Capability::of("openai", "openai.gpt-oss-120b-1:0"), Capability::UNKNOWN);
    }

    #[test]
    fn the_generations_of_a_signing_family_differ() {
        let of = |id| Capability::of("bedrock", id).converse;
        let (old, new) = (of("anthropic.claude-3-5-sonnet-v2:0"), of("claude-opus-4-7"));
        assert!(old.cache && !old.cache_hour && !old.parallel_switch && !old.text_format);
        assert!(new.cache && new.cache_hour && new.parallel_switch && new.text_format);
        assert!(of("claude-3-7-sonnet").parallel_switch && !of("claude-opus-4-1").text_format);
    }
}
