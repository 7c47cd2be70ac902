//! The embedded table of model families, and finding a model's row in it by whatever id it has.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{Capability, Converse, Efforts, NamedEffort, ReasoningField, TopK};

/// The table's text.
const TABLE: &str = include_str!("../../capabilities/claude.toml");

/// The table, read once. That it can be read is tested.
static RECORDS: LazyLock<Records> = LazyLock::new(|| Records::read(TABLE).unwrap_or_default());

/// Digits of a version number at most; longer ones are dates.
const VERSION_DIGITS_MAX: usize = 2;

/// A version, major and minor.
type Version = (u8, u8);

#[derive(Debug, Default)]
struct Records {
    marker: String,
    rows: Vec<Record>,
    platforms: Vec<Platform>,
}

#[derive(Debug)]
struct Record {
    family: String,
    version: Version,
    anywhere: Capability,
    /// On the platforms that keep no schema.
    without_json: Capability,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    marker: String,
    platform: Vec<Platform>,
    converse: ConverseRow,
    row: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Platform {
    names: Vec<String>,
    json: bool,
}

/// What the whole family takes in a body of `bedrock_converse`, and from which version on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConverseRow {
    stops: usize,
    cache_hour_from: Version,
    parallel_switch_from: Version,
    text_format_from: Version,
}

impl ConverseRow {
    fn of(&self, row: &Row) -> Converse {
        Converse {
            reasoning: ReasoningField::Thinking,
            top_k: Some(TopK::Plain),
            stops_max: Some(self.stops),
            cache: true,
            cache_hour: row.version >= self.cache_hour_from,
            forces_tool: true,
            parallel_switch: row.version >= self.parallel_switch_from,
            result_status: true,
            text_format: row.json && row.version >= self.text_format_from,
            ..Converse::UNKNOWN
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    family: String,
    version: Version,
    thinking: Vec<Thinking>,
    #[serde(default)]
    by_default: bool,
    #[serde(default)]
    efforts: Vec<NamedEffort>,
    #[serde(default)]
    effort_cap: bool,
    sampling: Draw,
    #[serde(default)]
    prefill: bool,
    forced_tool: bool,
    #[serde(default)]
    json: bool,
    #[serde(default)]
    system: bool,
    output: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Thinking {
    Disabled,
    Enabled,
    Adaptive,
    BetweenTools,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Draw {
    Free,
    OneOf,
    None,
}

impl Row {
    fn capability(&self, converse: &ConverseRow) -> Capability {
        let thinks = |thinking| self.thinking.contains(&thinking);
        Capability {
            thinking_disabled: thinks(Thinking::Disabled),
            thinking_budget: thinks(Thinking::Enabled),
            thinking_adaptive: thinks(Thinking::Adaptive),
            thinking_between_tools: thinks(Thinking::BetweenTools),
            thinks_by_default: self.by_default,
            efforts: self.efforts.iter().fold(Efforts::default(), |all, e| all.with((*e).into())),
            effort_capped_without_thinking: self.effort_cap,
            forced_tool_with_thinking: false,
            forced_tool: self.forced_tool,
            native_structured_output: self.json,
            sampling: self.sampling != Draw::None,
            temperature_with_top_p: self.sampling == Draw::Free,
            prefill: self.prefill,
            system_anywhere: self.system,
            output_tokens_max: Some(self.output),
            converse: converse.of(self),
            ..Capability::UNKNOWN
        }
    }
}

impl Records {
    fn read(text: &str) -> Result<Self, toml::de::Error> {
        let table: Table = toml::from_str(text)?;
        let mut rows: Vec<Record> =
            table.row.iter().map(|row| Record::of(row, &table.converse)).collect();
        rows.sort_by(|a, b| (&a.family, a.version).cmp(&(&b.family, b.version)));
        Ok(Self { marker: table.marker, rows, platforms: table.platform })
    }

    fn find(&self, platform: &str, model: &str) -> Option<&Capability> {
        let model = model.to_ascii_lowercase();
        let start = model.rfind(&self.marker).filter(|_| !self.marker.is_empty())?;
        let (family, version) = self.parse(model.get(start + self.marker.len()..)?)?;
        let mut rows = self.rows.iter().filter(|row| row.family == family).peekable();
        let last = rows.clone().last();
        let row = rows.find(|row| row.version >= version).or(last)?;
        let deaf = |at: &&Platform| at.names.iter().any(|name| name == platform);
        let json = self.platforms.iter().find(deaf).is_none_or(|at| at.json);
        Some(if json { &row.anywhere } else { &row.without_json })
    }

    /// The family and version in what follows the marker: `-opus-4-7-v1:0`, `-3-5-sonnet@20241022`.
    fn parse(&self, rest: &str) -> Option<(&str, Version)> {
        let mut family = None;
        let mut numbers: Vec<u8> = Vec::new();
        for word in rest.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()) {
            if let Some(row) = self.rows.iter().find(|row| row.family == word) {
                family = Some(row.family.as_str());
            } else if word.len() <= VERSION_DIGITS_MAX
                && let Ok(number) = word.parse()
            {
                numbers.push(number);
            } else if family.is_some() {
                // A date, a revision or a variant: what follows is no version any more.
                break;
            }
        }
        let number = |at: usize| numbers.get(at).copied();
        // A family without a number is called by an alias, which stands for its newest model.
        Some((family?, (number(0).unwrap_or(u8::MAX), number(1).unwrap_or(0))))
    }
}

impl Record {
    fn of(row: &Row, converse: &ConverseRow) -> Self {
        let anywhere = row.capability(converse);
        let without_json = Capability { native_structured_output: false, ..anywhere };
        Self { family: row.family.clone(), version: row.version, anywhere, without_json }
    }
}

/// The record of a model on a platform.
pub(super) fn find(platform: &str, model: &str) -> Option<&'static Capability> {
    RECORDS.find(platform, model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_reads_and_holds_each_version_once() {
        let records = Records::read(TABLE).expect("the table");
        assert!(records.rows.len() >= 20);
        for pair in records.rows.windows(2) {
            assert!((&pair[0].family, pair[0].version) < (&pair[1].family, pair[1].version));
        }
    }

    #[test]
    fn every_way_to_write_an_id_gives_the_same_version() {
        let records = Records::read(TABLE).expect("the table");
        for (id, family, version) in [
            ("-opus-4-7", "opus", (4, 7)),
            ("-opus-4-7-v1:0", "opus", (4, 7)),
            ("-opus-4-20250514", "opus", (4, 0)),
            ("-sonnet-4-5@20250929", "sonnet", (4, 5)),
            ("-3-5-sonnet-20241022-v2:0", "sonnet", (3, 5)),
            ("-3-opus@20240229", "opus", (3, 0)),
            ("-sonnet-4.5", "sonnet", (4, 5)),
            ("-opus-5[1m]", "opus", (5, 0)),
            ("-sonnet-5-latest", "sonnet", (5, 0)),
            ("-haiku", "haiku", (u8::MAX, 0)),
        ] {
            assert_eq!(records.parse(id), Some((family, version)), "{id}");
        }
        assert_eq!(records.parse("-instant-1.2"), None);
    }
}
