//! What the writer needs to know about a model, found by its name in the embedded table of
//! generations: they take thinking, ids of calls and media differently.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::conversation::Effort;

/// The table's text.
const TABLE: &str = include_str!("../../../capabilities/gemini.toml");

/// The table, read once. That it can be read is tested.
static TABLE_READ: LazyLock<Table> = LazyLock::new(|| Table::read(TABLE).unwrap_or_default());

/// A version, major and minor.
type Version = (u8, u8);

/// What an alias without a version stands for.
const NEWEST: Version = (u8::MAX, 0);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    marker: String,
    row: Vec<Row>,
}

/// What models of a generation and a tier can do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    version: Version,
    #[serde(default)]
    tier: String,
    budget: Option<(u64, u64)>,
    #[serde(default)]
    off: bool,
    #[serde(default)]
    levels: Vec<Level>,
    #[serde(default)]
    third: bool,
}

/// A value of `thinkingLevel`, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Minimal,
    Low,
    Medium,
    High,
}

/// A model. One outside the family, such as a tuned one, has no row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model(Option<&'static Row>);

/// How a model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// It does not think.
    Never,
    /// By a budget in tokens: the least and most it takes, and whether it can be switched off.
    Budget {
        /// Least tokens.
        least: u64,
        /// Most tokens.
        most: u64,
        /// Whether a budget of 0 switches thinking off.
        off: bool,
    },
    /// By a level; it cannot be switched off.
    Level,
}

impl Model {
    /// The model of a name, in any spelling: `models/gemini-2.5-pro`,
    /// `publishers/google/models/gemini-3-flash-preview`, `gemini-2.0-flash-001`.
    pub(super) fn of(name: &str) -> Self {
        Self(TABLE_READ.find(name))
    }

    /// How it thinks. A model of an unknown name is told by a budget without limits, which tuned
    /// models take.
    pub(super) fn thinking(self) -> Thinking {
        let Some(row) = self.0 else {
            return Thinking::Budget { least: 0, most: u64::MAX, off: true };
        };
        match row.budget {
            _ if !row.levels.is_empty() => Thinking::Level,
            Some((least, most)) => Thinking::Budget { least, most, off: row.off },
            None => Thinking::Never,
        }
    }

    /// The least level that is not below an effort, or the most there is.
    pub(super) fn level(self, effort: Effort) -> &'static str {
        let levels = self.0.map_or(&[][..], |row| &row.levels);
        let wanted = Level::of(effort);
        let fitting = levels.iter().find(|level| **level >= wanted).or(levels.last());
        fitting.copied().unwrap_or(wanted).word()
    }

    /// The budget in tokens that stands for an effort, before it is brought into the model's range
    /// (the figures of the system taken over).
    pub(super) const fn budget(effort: Effort) -> u64 {
        match effort {
            Effort::None => 0,
            Effort::Minimal => 1,
            Effort::Low => 1024,
            Effort::Medium => 2048,
            Effort::High | Effort::XHigh | Effort::Max => 4096,
        }
    }

    /// Whether it belongs to the third generation or a later one.
    pub(super) fn is_third(self) -> bool {
        self.0.is_some_and(|row| row.third)
    }
}

impl Level {
    const fn of(effort: Effort) -> Self {
        match effort {
            Effort::None | Effort::Minimal => Self::Minimal,
            Effort::Low => Self::Low,
            Effort::Medium => Self::Medium,
            Effort::High | Effort::XHigh | Effort::Max => Self::High,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Table {
    /// Newest rows first; rows of one version stay in the table's order.
    fn read(text: &str) -> Result<Self, toml::de::Error> {
        let mut table: Self = toml::from_str(text)?;
        table.row.sort_by_key(|row| std::cmp::Reverse(row.version));
        Ok(table)
    }

    fn find(&self, name: &str) -> Option<&Row> {
        let name = name.to_ascii_lowercase();
        let start = name.rfind(&self.marker).filter(|_| !self.marker.is_empty())?;
        let rest = name.get(start + self.marker.len()..)?;
        let version = version(rest);
        self.row.iter().find(|row| row.version <= version && rest.contains(&row.tier))
    }
}

/// The version at the front of what follows the mark: `2.5-pro`, `3-flash`, `flash-latest`.
fn version(rest: &str) -> Version {
    let word = rest.split('-').next().unwrap_or_default();
    let (major, minor) = word.split_once('.').unwrap_or((word, "0"));
    match (major.parse(), minor.parse()) {
        (Ok(major), Ok(minor)) => (major, minor),
        _ => NEWEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_table_reads_and_every_row_can_be_found() {
        let table = Table::read(TABLE).expect("the table");
        assert!(table.row.len() >= 7);
        for row in &table.row {
            let (major, minor) = row.version;
            let name = format!("{}{major}.{minor}-{}", table.marker, row.tier);
            let found = table.find(&name).expect("a row");
            assert_eq!((found.version, &found.tier), (row.version, &row.tier), "{name}");
            assert!(row.levels.is_sorted(), "{name}");
            assert!(row.budget.is_none() || row.levels.is_empty(), "{name}");
        }
    }

    #[test]
    fn every_way_to_write_a_name_gives_its_generation() {
        for (name, version, tier) in [
            ("gemini-1.5-pro-002", (0, 0), ""),
            ("gemini-2.5-pro", (2, 5), "pro"),
            ("models/gemini-2.5-flash-lite-preview-09-2025", (2, 5), "lite"),
            ("publishers/google/models/gemini-2.0-flash-001", (0, 0), ""),
            ("gemini-3-pro-preview", (3, 0), "pro"),
            ("Gemini-3.1-Pro", (3, 1), "pro"),
            ("gemini-3.1-flash-lite", (3, 0), ""),
            ("gemini-flash-latest", (3, 0), ""),
            ("gemini-pro-latest", (3, 1), "pro"),
        ] {
            let row = Model::of(name).0.expect("a row");
            assert_eq!((row.version, &*row.tier), (version, tier), "{name}");
        }
        assert!(Model::of("projects/1/locations/x/endpoints/42").0.is_none());
    }

    #[test]
    fn the_levels_are_those_that_a_model_has() {
        for (name, effort, level) in [
            ("gemini-3-pro", Effort::Minimal, "low"),
            ("gemini-3-pro", Effort::Medium, "high"),
            ("gemini-3.1-pro", Effort::Medium, "medium"),
            ("gemini-3-flash", Effort::None, "minimal"),
            ("gemini-3-flash", Effort::Medium, "medium"),
            ("gemini-3-flash", Effort::Max, "high"),
        ] {
            assert_eq!(Model::of(name).level(effort), level, "{name} {effort:?}");
        }
    }

    #[test]
    fn thinking_follows_the_generation() {
        assert_eq!(Model::of("gemini-2.0-flash").thinking(), Thinking::Never);
        assert_eq!(Model::of("gemini-3-flash").thinking(), Thinking::Level);
        let pro = Thinking::Budget { least: 128, most: 32_768, off: false };
        assert_eq!(Model::of("gemini-2.5-pro").thinking(), pro);
        assert!(!Model::of("tuned").is_third());
    }
}
