//! The public tokenizers, and which model uses which.

use std::sync::LazyLock;

use serde::Deserialize;

/// A public tokenizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Encoding {
    /// Two hundred thousand tokens: the models from 2024 on.
    #[serde(rename = "o200k_base")]
    O200k,
    /// A hundred thousand tokens: the models before, and the embeddings.
    #[serde(rename = "cl100k_base")]
    Cl100k,
}

impl Encoding {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::O200k, Self::Cl100k];

    /// Its public name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::O200k => "o200k_base",
            Self::Cl100k => "cl100k_base",
        }
    }

    /// The encoding of a model, by the name that its provider gives it; `None` where the model's
    /// tokenizer is not public, or the model is not known.
    #[must_use]
    pub fn of_model(model: &str) -> Option<Self> {
        let name = model.rsplit('/').next().unwrap_or(model);
        let rows = &TABLE.rows;
        let whole = rows.iter().find(|row| row.names.iter().any(|known| known == name));
        let by_prefix = || {
            let fits = rows.iter().filter_map(|row| Some((row.longest_prefix(name)?, row)));
            fits.max_by_key(|(length, _)| *length).map(|(_, row)| row)
        };
        whole.or_else(by_prefix).map(|row| row.name)
    }
}

/// The table of models.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Models {
    #[serde(rename = "encoding")]
    rows: Vec<Row>,
}

/// The models of one encoding.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: Encoding,
    names: Vec<String>,
    prefixes: Vec<String>,
}

impl Row {
    /// The length of the longest beginning that a name has.
    fn longest_prefix(&self, name: &str) -> Option<usize> {
        let fits = self.prefixes.iter().filter(|prefix| name.starts_with(prefix.as_str()));
        fits.map(String::len).max()
    }
}

static TABLE: LazyLock<Models> = LazyLock::new(|| toml::from_str(TEXT).unwrap_or_default());
/// A test reads it, so that it is never the empty table.
const TEXT: &str = include_str!("../models.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_names_both_encodings() {
        let models: Models = toml::from_str(TEXT).expect("the table");
        let named: Vec<Encoding> = models.rows.iter().map(|row| row.name).collect();
        assert_eq!(named, Encoding::ALL);
    }

    #[test]
    fn models_have_the_encoding_of_the_table_and_others_none() {
        for (model, encoding) in [
            ("gpt-4o", Some(Encoding::O200k)),
            ("gpt-4o-mini-2024-07-18", Some(Encoding::O200k)),
            ("gpt-4.1-nano", Some(Encoding::O200k)),
            ("gpt-5", Some(Encoding::O200k)),
            ("gpt-5.1-codex", Some(Encoding::O200k)),
            ("chatgpt-4o-latest", Some(Encoding::O200k)),
            ("o1", Some(Encoding::O200k)),
            ("o3-mini", Some(Encoding::O200k)),
            ("o4-mini", Some(Encoding::O200k)),
            ("openai/gpt-oss-120b", Some(Encoding::O200k)),
            ("openai.gpt-oss-20b-1:0", Some(Encoding::O200k)),
            ("ft:gpt-4o-mini:acme::id", Some(Encoding::O200k)),
            ("ft:gpt-4-0613:acme::id", Some(Encoding::Cl100k)),
            ("gpt-4", Some(Encoding::Cl100k)),
            ("gpt-4-turbo", Some(Encoding::Cl100k)),
            ("gpt-3.5-turbo-0125", Some(Encoding::Cl100k)),
            ("gpt-35-turbo", Some(Encoding::Cl100k)),
            ("text-embedding-3-large", Some(Encoding::Cl100k)),
            ("claude-sonnet-5", None),
            ("gemini-3-pro", None),
            ("gpt-4all", None),
            ("o1x", None),
            ("simulated", None),
            ("", None),
        ] {
            assert_eq!(Encoding::of_model(model), encoding, "{model}");
        }
    }
}
