//! How well each key of a LiteLLM configuration comes over: what `check --from litellm` tells.
//!
//! What a key does here is known from compiling it: a finding stands at the key that it is about,
//! and a key without one does what it does at LiteLLM.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::diagnostic::{Finding, Severity, code};
use crate::yaml::{Mapping, Node, Value};

/// How well something of LiteLLM's comes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// It does here what it does there.
    Exact,
    /// It does nearly the same; what changes is said beside it.
    Approximated,
    /// Somebody has to do something; what is said beside it.
    Manual,
    /// There is nothing like it here.
    Unsupported,
}

impl Grade {
    /// Every grade, the best first.
    pub const ALL: [Self; 4] = [Self::Exact, Self::Approximated, Self::Manual, Self::Unsupported];

    /// The grade in a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Approximated => "approximated",
            Self::Manual => "manual",
            Self::Unsupported => "unsupported",
        }
    }

    /// The grade of a key with this finding.
    fn of(finding: &Finding) -> Self {
        match (finding.severity, finding.code) {
            (_, code::NO_EFFECT | code::PROVIDER_UNSUPPORTED) => Self::Unsupported,
            (Severity::Error, _)
            | (_, code::KEY_UNKNOWN | code::VARIABLE_UNSET | code::CREDENTIAL_MISSING) => {
                Self::Manual
            }
            (Severity::Warning | Severity::Note, _) => Self::Approximated,
        }
    }
}

/// A key of the configuration, in all the places where it is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GradedKey {
    /// Where it stands: `general_settings.master_key`, `model_list[].litellm_params.model`.
    pub key: String,
    /// The worst grade of all its places.
    pub grade: Grade,
    /// In how many places it is given.
    pub places: usize,
    /// What is to be said about it, each with its line, at most [`NOTES_MAX`] of them.
    pub notes: Vec<String>,
}

/// Grades every key of a configuration by what compiling it found.
#[must_use]
pub fn grade(text: &str, findings: &[Finding]) -> Vec<GradedKey> {
    let (root, _) = crate::yaml::read(text);
    let mut places: Vec<(usize, String)> = Vec::new();
    if let Some(Node { value: Value::Map(file), .. }) = &root {
        top_level(file, &mut places);
    }
    places.sort();
    let mut keys: BTreeMap<String, GradedKey> = BTreeMap::new();
    for (_, key) in &places {
        graded(&mut keys, key).places += 1;
    }
    for finding in findings {
        // The last key that begins no later is the one that the finding stands in.
        let after = places.partition_point(|(start, _)| *start <= finding.span.start);
        let place = after.checked_sub(1).and_then(|index| places.get(index));
        let key = graded(&mut keys, place.map_or(WHOLE, |(_, key)| key));
        key.grade = key.grade.max(Grade::of(finding));
        if key.notes.len() < NOTES_MAX {
            let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
            key.notes.push(format!("line {}: {}{help}", finding.line, finding.message));
        }
    }
    keys.into_values().collect()
}

fn graded<'k>(keys: &'k mut BTreeMap<String, GradedKey>, key: &str) -> &'k mut GradedKey {
    keys.entry(key.to_owned()).or_insert_with(|| GradedKey {
        key: key.to_owned(),
        grade: Grade::Exact,
        places: 0,
        notes: Vec::new(),
    })
}

fn top_level(file: &Mapping, places: &mut Vec<(usize, String)>) {
    for entry in &file.entries {
        let name = &*entry.name;
        match &entry.node.value {
            Value::Map(section) if SECTIONS.contains(&name) => named(section, name, places),
            Value::List(items) if name == "model_list" => {
                for item in items {
                    deployment(item, places);
                }
            }
            _ => places.push((entry.name_span.start, name.to_owned())),
        }
    }
}

fn named(section: &Mapping, within: &str, places: &mut Vec<(usize, String)>) {
    for entry in &section.entries {
        places.push((entry.name_span.start, format!("{within}.{}", entry.name)));
    }
}

fn deployment(item: &Node, places: &mut Vec<(usize, String)>) {
    let Value::Map(entries) = &item.value else { return };
    for entry in &entries.entries {
        let within = format!("model_list[].{}", entry.name);
        match &entry.node.value {
            Value::Map(section) => named(section, &within, places),
            _ => places.push((entry.name_span.start, within)),
        }
    }
}

/// Sections whose keys are graded each.
const SECTIONS: [&str; 4] =
    ["environment_variables", "general_settings", "litellm_settings", "router_settings"];
/// Where a finding stands that is before every key.
const WHOLE: &str = "the configuration";
/// Most remarks that are kept of one key.
pub const NOTES_MAX: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PriceList, Source};
    use tollgate_wire::Catalog;

    fn grades(text: &str) -> Vec<(String, Grade, usize)> {
        let catalog = Catalog::embedded().expect("a catalog");
        let source = Source { name: "config.yaml", text };
        let compiled = crate::compile(source, &|_| None, &catalog, &PriceList::embedded());
        let findings = match compiled {
            Ok(compiled) => compiled.warnings,
            Err(findings) => findings.iter().cloned().collect(),
        };
        let keys = grade(text, &findings).into_iter();
        keys.map(|key| (key.key, key.grade, key.places)).collect()
    }

    #[test]
    fn each_key_has_the_grade_of_what_was_found_at_it() {
        let graded = grades(
            "model_list:
  - model_name: chat
    litellm_params: {model: openai/gpt-4o, api_key: sk-x}
  - model_name: other
    litellm_params:
      model: openai/gpt-4o-mini
      api_key: os.environ/NOT_SET
      tiemout: 5
litellm_settings:
  drop_params: true
general_settings:
  alerting: [slack]
guardrails: []
",
        );
        let of = |wanted: &str| {
            let found = graded.iter().find(|(key, ..)| key == wanted);
            found.map(|(_, grade, places)| (*grade, *places))
        };
        assert_eq!(of("model_list[].model_name"), Some((Grade::Exact, 2)));
        assert_eq!(of("model_list[].litellm_params.model"), Some((Grade::Exact, 2)));
        assert_eq!(of("model_list[].litellm_params.api_key"), Some((Grade::Manual, 2)));
        assert_eq!(of("model_list[].litellm_params.tiemout"), Some((Grade::Manual, 1)));
        assert_eq!(of("litellm_settings.drop_params"), Some((Grade::Exact, 1)));
        assert_eq!(of("general_settings.alerting"), Some((Grade::Unsupported, 1)));
        assert_eq!(of("guardrails"), Some((Grade::Exact, 1)), "it says nothing");
    }

    #[test]
    fn a_text_that_is_no_configuration_has_its_findings_all_the_same() {
        assert_eq!(grades(""), [("the configuration".to_owned(), Grade::Manual, 0)]);
    }
}
