//! Which generation a model belongs to, by its name: the generations take thinking, ids of calls
//! and media differently (Google's Gemini API guide, "Thinking" and "Gemini 3").

use crate::conversation::Effort;

/// What marks a name of this family, and stands before its version.
const MARK: &str = "gemini-";

/// What the writer needs to know about a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    /// Major and minor version. An alias without one (`gemini-flash-latest`) stands for the newest.
    /// `None` for a name outside the family, such as a tuned model's.
    version: Option<(u8, u8)>,
    tier: Tier,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tier {
    Pro,
    Flash,
    FlashLite,
}

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
        let name = name.to_ascii_lowercase();
        let rest = name.rfind(MARK).and_then(|at| name.get(at + MARK.len()..));
        let tier = match rest.unwrap_or_default() {
            rest if rest.contains("lite") => Tier::FlashLite,
            rest if rest.contains("pro") => Tier::Pro,
            _ => Tier::Flash,
        };
        Self { version: rest.map(version), tier }
    }

    /// How it thinks. A model of an unknown name is told by a budget without limits, which tuned
    /// models take.
    pub(super) fn thinking(self) -> Thinking {
        let unknown = Thinking::Budget { least: 0, most: u64::MAX, off: true };
        let Some(version) = self.version else { return unknown };
        if version >= (3, 0) {
            return Thinking::Level;
        }
        if version < (2, 5) {
            return Thinking::Never;
        }
        match self.tier {
            Tier::Pro => Thinking::Budget { least: 128, most: 32_768, off: false },
            Tier::Flash => Thinking::Budget { least: 0, most: 24_576, off: true },
            Tier::FlashLite => Thinking::Budget { least: 512, most: 24_576, off: true },
        }
    }

    /// The level nearest to an effort; for no effort the least there is.
    pub(super) fn level(self, effort: Effort) -> &'static str {
        match (effort, self.tier) {
            (Effort::None | Effort::Minimal, Tier::Pro) | (Effort::Low, _) => "low",
            (Effort::None | Effort::Minimal, Tier::Flash | Tier::FlashLite) => "minimal",
            (Effort::Medium, Tier::Pro) if self.version < Some((3, 1)) => "high",
            (Effort::Medium, _) => "medium",
            (Effort::High | Effort::XHigh | Effort::Max, _) => "high",
        }
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

    /// Whether it belongs to the third generation or a later one, which takes ids of calls, media
    /// in function responses, a JSON answer beside functions, and wants seals back.
    pub(super) fn is_third(self) -> bool {
        self.version >= Some((3, 0))
    }
}

/// The version at the front of what follows the mark: `2.5-pro`, `3-flash`, `flash-latest`.
fn version(rest: &str) -> (u8, u8) {
    let word = rest.split('-').next().unwrap_or_default();
    let (major, minor) = word.split_once('.').unwrap_or((word, "0"));
    match (major.parse(), minor.parse()) {
        (Ok(major), Ok(minor)) => (major, minor),
        _ => (u8::MAX, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_name_gives_its_generation() {
        for (name, version, tier) in [
            ("gemini-2.5-pro", Some((2, 5)), Tier::Pro),
            ("models/gemini-2.5-flash-lite-preview-09-2025", Some((2, 5)), Tier::FlashLite),
            ("publishers/google/models/gemini-2.0-flash-001", Some((2, 0)), Tier::Flash),
            ("gemini-3-pro-preview", Some((3, 0)), Tier::Pro),
            ("Gemini-3.1-Pro", Some((3, 1)), Tier::Pro),
            ("gemini-flash-latest", Some((u8::MAX, 0)), Tier::Flash),
            ("projects/1/locations/x/endpoints/42", None, Tier::Flash),
        ] {
            assert_eq!(Model::of(name), Model { version, tier }, "{name}");
        }
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
