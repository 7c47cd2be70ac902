//! The embedded table of reasoning models that take fewer parameters, and finding a model's row.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{Capability, Efforts, NamedEffort, NeedsResponses};
use crate::conversation::Effort;

/// The table's text.
const TABLE: &str = include_str!("../../capabilities/openai.toml");

/// The table, read once. That it can be read is tested.
static RECORDS: LazyLock<Records> = LazyLock::new(|| Records::read(TABLE).unwrap_or_default());

/// A version, major and minor.
type Version = (u8, u8);

#[derive(Debug, Default)]
struct Records {
    platforms: Vec<String>,
    plain: Vec<String>,
    rows: Vec<Record>,
}

#[derive(Debug)]
struct Record {
    family: String,
    version: Version,
    variant: Vec<String>,
    usual: Capability,
    /// Of the variants that only the Responses API serves.
    responses_only: Capability,
    responses_words: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    platforms: Vec<String>,
    responses_only: Vec<String>,
    plain: Vec<String>,
    row: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    family: String,
    version: Version,
    #[serde(default)]
    variant: Vec<String>,
    efforts: Vec<NamedEffort>,
    default: NamedEffort,
    never: Vec<Box<str>>,
    while_reasoning: Vec<Box<str>>,
    tools: Tools,
    #[serde(default)]
    breakpoints: bool,
    output: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tools {
    Together,
    OnResponses,
}

/// What is known of a variant that does not reason: how its limit is called.
const PLAIN: Capability = Capability { newer_output_limit: true, ..Capability::UNKNOWN };

impl Row {
    fn capability(&self) -> Capability {
        let efforts = self.efforts.iter().fold(Efforts::default(), |all, e| all.with((*e).into()));
        Capability {
            thinking_disabled: efforts.has(Effort::None),
            thinking_budget: false,
            thinking_adaptive: false,
            thinks_by_default: Effort::from(self.default) != Effort::None,
            efforts,
            forced_tool_with_thinking: true,
            output_tokens_max: Some(self.output),
            newer_output_limit: true,
            cache_breakpoints: self.breakpoints,
            never_taken: kept(&self.never),
            not_while_thinking: kept(&self.while_reasoning),
            needs_responses: match self.tools {
                Tools::Together => NeedsResponses::Never,
                Tools::OnResponses => NeedsResponses::WithToolsWhileReasoning,
            },
            ..Capability::UNKNOWN
        }
    }
}

/// Names that live as long as the program, as the table does that they come from.
fn kept(names: &[Box<str>]) -> &'static [Box<str>] {
    Box::leak(names.to_vec().into_boxed_slice())
}

impl Records {
    fn read(text: &str) -> Result<Self, toml::de::Error> {
        let table: Table = toml::from_str(text)?;
        let record = |row: &Row| {
            let usual = row.capability();
            Record {
                family: row.family.clone(),
                version: row.version,
                variant: row.variant.clone(),
                responses_only: Capability {
                    needs_responses: NeedsResponses::Always,
                    ..usual.clone()
                },
                usual,
                responses_words: table.responses_only.clone(),
            }
        };
        let rows = table.row.iter().map(record).collect();
        Ok(Self { platforms: table.platforms, plain: table.plain, rows })
    }

    fn find(&self, platform: &str, model: &str) -> Option<&Capability> {
        if !self.platforms.iter().any(|name| name == platform) {
            return None;
        }
        let model = model.to_ascii_lowercase();
        let model = model.rsplit('/').next().unwrap_or_default();
        // A tuned model is what was tuned: `ft:<model>:<organization>:…`.
        let model = model.strip_prefix("ft:").unwrap_or(model);
        let model = model.split(':').next().unwrap_or_default();
        let (family, version, variant) = self.parse(model)?;
        let holds = |row: &&Record| {
            row.family == family
                && row.version <= version
                && (row.variant.is_empty() || named(&row.variant, variant))
        };
        // Of one version the row of a variant counts before the usual one.
        let row =
            self.rows.iter().filter(holds).max_by_key(|r| (r.version, !r.variant.is_empty()))?;
        if named(&self.plain, variant) {
            return Some(&PLAIN);
        }
        // A family whose name says it all has no variants: the name itself is one.
        let alone = named(&row.responses_words, variant) || named(&row.responses_words, family);
        Some(if alone { &row.responses_only } else { &row.usual })
    }

    /// The family, the version and the words behind it: `gpt-5.4-mini-2026-03-05` is `gpt-`, 5.4
    /// and `mini-2026-03-05`. A major version has one digit: more is another way to write names.
    fn parse<'m>(&self, model: &'m str) -> Option<(&str, Version, &'m str)> {
        let row = self.rows.iter().find(|row| model.starts_with(&row.family))?;
        let rest = model.strip_prefix(&row.family)?;
        if rest.is_empty() {
            return Some((&row.family, (0, 0), rest));
        }
        let (number, variant) = rest.split_once('-').unwrap_or((rest, ""));
        let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
        let major = major.parse().ok().filter(|_| major.len() == 1)?;
        Some((&row.family, (major, minor.parse().ok()?), variant))
    }
}

/// Whether one of these words stands in the rest of an id, as whole words between hyphens.
fn named(words: &[String], rest: &str) -> bool {
    let rest = format!("-{rest}-");
    words.iter().any(|word| rest.contains(&format!("-{word}-")))
}

/// The record of a model on a platform.
pub(super) fn find(platform: &str, model: &str) -> Option<&'static Capability> {
    RECORDS.find(platform, model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_reads_and_holds_each_row_once() {
        let records = Records::read(TABLE).expect("the table");
        assert!(records.rows.len() >= 10);
        let key = |row: &Record| (row.family.clone(), row.version, row.variant.clone());
        for (at, row) in records.rows.iter().enumerate() {
            let again = records.rows.iter().skip(at + 1).find(|other| key(other) == key(row));
            assert!(again.is_none(), "{row:?}");
        }
    }

    #[test]
    fn an_id_is_taken_apart_into_family_version_and_variant() {
        let records = Records::read(TABLE).expect("the table");
        for (id, parsed) in [
            ("gpt-5", Some(("gpt-", (5, 0), ""))),
            ("gpt-5.4-mini-2026-03-05", Some(("gpt-", (5, 4), "mini-2026-03-05"))),
            ("gpt-5-2025-08-07", Some(("gpt-", (5, 0), "2025-08-07"))),
            ("o3", Some(("o", (3, 0), ""))),
            ("o4-mini-deep-research", Some(("o", (4, 0), "mini-deep-research"))),
            ("codex-mini-latest", Some(("codex-mini-latest", (0, 0), ""))),
            ("gpt-4o-mini", None),
            ("gpt-35-turbo", None),
            ("gpt-oss-120b", None),
            ("omni-moderation-latest", None),
            ("text-embedding-3-large", None),
        ] {
            assert_eq!(records.parse(id), parsed, "{id}");
        }
    }
}
