//! Providers are data: outside tests, no Rust names one, so that adding one needs no Rust.
//!
//! A wire format may be named after the provider that first spoke it (`openai_chat`,
//! `Dialect::OpenAi`, `/openai/deployments/…`), and some are called by an ordinary word. Such a
//! name is only reported where it stands for the provider: a string that is the name, that starts
//! with the name and a slash, or holds its host.

use std::collections::HashMap;

use toml::Table;

use crate::problem::Problem;
use crate::rust::{Kind, Source, Token};
use crate::tree::{File, Tree};

/// A provider of the catalogue, as far as it must not be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    name: String,
    host: Option<String>,
    /// Its name has another meaning too: of a wire format, or as an ordinary word.
    ambiguous: bool,
}

/// Names of providers that are ordinary words of this code base.
const GENERIC: [&str; 2] = ["simulated", "simulator"];

/// Names of providers that mean something else as a word of a longer name or text.
const ORDINARY: [(&str, &str); 9] = [
    ("cognition", "a word of English"),
    ("github", "where source code is"),
    ("inception", "a word of English"),
    ("meta", "an element of HTML, a prefix"),
    ("morph", "a word of English"),
    ("poe", "short enough to be anything"),
    ("synthetic", "a word of English"),
    ("v0", "a version"),
    ("writer", "what writes"),
];

/// Files and folders whose subject is one provider's own word, and why.
const ALLOWED: [(&str, &str, &str); 16] = [
    ("crates/faults/src/", "azure", "the catalogue explains this provider's own failures by name"),
    ("crates/faults/src/", "openrouter", "the catalogue explains this provider's own failures"),
    ("crates/wire/src/formats/openai_chat/", "groq", "`x_groq` is a field on the wire"),
    ("crates/wire/src/formats/client_fields.rs", "azure", "names of fields that clients may send"),
    ("crates/wire/src/formats/client_fields.rs", "vertex_ai", "names of fields of clients"),
    ("crates/config/src/model_list/aws.rs", "bedrock", "LiteLLM's name of a parameter"),
    ("crates/config/src/model_list/entra.rs", "azure", "LiteLLM's names of parameters"),
    ("crates/config/src/model_list/google.rs", "vertex_ai", "LiteLLM's names of parameters"),
    ("crates/upstream/src/auth/", "azure", "names of the vendor's identity service"),
    ("crates/wire/src/formats/gemini/media.rs", "gemini", "how this vendor's files are addressed"),
    ("crates/wire/src/provider/endpoint.rs", "gemini", "the wire format's own name"),
    ("crates/wire/src/provider/endpoint.rs", "cohere", "the wire format's own name"),
    ("crates/wire/src/provider/endpoint.rs", "ollama", "the wire format's own name"),
    ("crates/wire/src/formats/client_fields.rs", "wandb", "names of fields that clients may send"),
    ("crates/proxy/src/surface/models.rs", "openai", "LiteLLM's answer to `owned_by`, always"),
    ("crates/gateway/src/cli/manage.rs", "litellm_proxy", "variables of LiteLLM's command line"),
];

/// The providers of a tree: its `crates/wire/providers/*.toml` and the folders of its wire formats.
#[must_use]
pub fn providers(tree: &Tree) -> Vec<Provider> {
    let formats: Vec<&str> = tree
        .under(FORMATS)
        .filter_map(|file| file.path.strip_prefix(FORMATS)?.split(['/', '.']).next())
        .collect();
    tree.under("crates/wire/providers/")
        .filter_map(|file| {
            let table: Table = file.text.parse().ok()?;
            let name = table.get("name")?.as_str()?.to_owned();
            let host = table.get("base_url").and_then(|url| host(url.as_str()?));
            let names_a_format =
                formats.iter().any(|format| format.split('_').next() == Some(name.as_str()));
            let ordinary = ORDINARY.iter().any(|(word, _)| *word == name);
            Some(Provider { name, host, ambiguous: names_a_format || ordinary })
        })
        .filter(|provider| !GENERIC.contains(&provider.name.as_str()))
        .collect()
}

/// Checks one file of Rust.
#[must_use]
pub fn check(file: &File, providers: &[Provider]) -> Vec<Problem> {
    let Some(source) = Source::read(&file.text) else { return Vec::new() };
    if file.is_test_code() {
        return Vec::new();
    }
    let shipped = source.tokens.iter().filter(|token| !token.in_test);
    // Most names stand in a file many times.
    let mut known: HashMap<&Kind, Option<&Provider>> = HashMap::new();
    shipped
        .filter_map(|token| {
            let provider = *known.entry(&token.kind).or_insert_with(|| named(token, providers));
            let provider = provider?;
            let allowed = |(path, name, _): &(&str, &str, &str)| {
                file.path.starts_with(path) && provider.name == *name
            };
            (!ALLOWED.iter().any(allowed)).then(|| {
                Problem::at(
                    &file.path,
                    token.line,
                    format!("names the provider `{}`", provider.name),
                )
            })
        })
        .collect()
}

/// The provider that a token names.
fn named<'p>(token: &Token, providers: &'p [Provider]) -> Option<&'p Provider> {
    let words = match &token.kind {
        Kind::Punct(_) => return None,
        Kind::Ident(ident) => words(ident),
        Kind::Text(text) => words(&text.to_ascii_lowercase()),
    };
    providers.iter().find(|provider| provider.is_named_by(token, &words))
}

impl Provider {
    fn is_named_by(&self, token: &Token, words: &[String]) -> bool {
        match &token.kind {
            Kind::Punct(_) => false,
            Kind::Ident(_) => !self.ambiguous && has_words(words, &self.name),
            Kind::Text(text) => {
                let text = text.to_ascii_lowercase();
                let holds_host = self.host.as_deref().is_some_and(|host| text.contains(host));
                let as_model = text.strip_prefix(&self.name);
                holds_host
                    || as_model.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                    || !self.ambiguous && has_words(words, &self.name)
            }
        }
    }
}

/// The words of a text: split at everything but letters and digits, and before each capital.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for c in text.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && after_small) {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
        after_small = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether consecutive words, put together, are the name without its underscores.
fn has_words(words: &[String], name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    (0..words.len()).any(|start| {
        let mut rest = name.as_str();
        for word in words.iter().skip(start) {
            match rest.strip_prefix(word.as_str()) {
                Some("") => return true,
                Some(after) => rest = after,
                None => return false,
            }
        }
        false
    })
}

/// The host of a base URL; of one with a variable in it, what follows the variable.
fn host(url: &str) -> Option<String> {
    let host = url.split("://").nth(1)?.split(['/', ':']).next()?;
    let host = host.rsplit_once('}').map_or(host, |(_, after)| after);
    (host.contains('.') && !host.starts_with("127.")).then(|| host.to_ascii_lowercase())
}

const FORMATS: &str = "crates/wire/src/formats/";

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let provider = |name: &str, url: &str| {
            let text = format!("name = \"{name}\"\nbase_url = \"{url}\"\n");
            File::new(format!("crates/wire/providers/{name}.toml"), text)
        };
        Tree::of(vec![
            provider("acme", "https://api.acme.test/v1"),
            provider("hosted_acme", "http://127.0.0.1:8000/v1"),
            provider("openrouter", "https://openrouter.test/api"),
            provider("simulated", "http://127.0.0.1:1"),
            provider("openai", "https://api.openai.test/v1"),
            provider("writer", "https://api.writer.test/v1"),
            provider("cloudy", "https://{ACCOUNT}.clouds.test/v1"),
            File::new("crates/wire/src/formats/openai_chat/request.rs", ""),
        ])
    }

    fn names(code: &str) -> bool {
        let file = File::new("crates/config/src/a.rs", format!("fn f() {{ {code}; }}"));
        !check(&file, &providers(&tree())).is_empty()
    }

    #[test]
    fn a_provider_is_found_in_strings_and_names() {
        for code in [
            r#"x == "acme""#,
            r#"url("https://API.acme.test/v2")"#,
            r#"log("the Acme quirk")"#,
            "acme_quirk()",
            "Quirk::ForAcme",
            "Quirk::OpenRouter",
            "hosted_acme()",
            r#"x == "openai""#,
            r#"x.starts_with("openai/")"#,
            r#"url("https://api.openai.test/v1/models")"#,
            r#"x == "writer""#,
            r#"x.starts_with("writer/")"#,
            r#"url("https://api.writer.test")"#,
            r#"url("https://a.clouds.test")"#,
        ] {
            assert!(names(code), "{code}");
        }
    }

    #[test]
    fn wire_formats_and_ordinary_words_are_free() {
        for code in [
            "Dialect::OpenAi",
            r#"format("openai_chat")"#,
            r#"route("/openai/deployments/{model}/chat/completions")"#,
            r#"x == "simulated""#,
            "acmeish()",
            "LogWriter::new(writer)",
            r#"log("the writer has ended")"#,
            r#"x == "pacmen""#,
        ] {
            assert!(!names(code), "{code}");
        }
    }

    #[test]
    fn tests_may_name_providers() {
        let code = r#"#[cfg(test)] mod tests { const A: &str = "acme"; }"#;
        assert_eq!(check(&File::new("crates/a/src/b.rs", code), &providers(&tree())), []);
        let file = File::new("crates/a/tests/b.rs", r#"const A: &str = "acme";"#);
        assert_eq!(check(&file, &providers(&tree())), []);
    }
}
