//! `tollgate providers`: every provider of the catalog, as a table for people, as JSON, or as the
//! page of the documentation.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::{Value, json};
use tollgate_wire::{Catalog, OutputLimit, Provider, Quirks, StreamUsage};

use crate::cli::table::table;

/// What `providers` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Providers {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
    /// Print the page of the documentation
    #[arg(long, conflicts_with = "json", hide = true)]
    markdown: bool,
}

/// Titles of the columns of both tables.
const COLUMNS: [&str; 5] = ["provider", "key", "base URL", "formats", "quirks"];

impl Providers {
    #[expect(clippy::print_stdout, reason = "the list is this command's output")]
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let catalog = Catalog::embedded().context("the built-in provider catalog is broken")?;
        if self.json {
            let list: Vec<Value> = catalog.iter().map(|provider| as_json(provider)).collect();
            println!("{:#}", Value::Array(list));
        } else if self.markdown {
            print!("{}", page(&catalog));
        } else {
            print!("{}", list(&catalog));
        }
        Ok(())
    }
}

/// One provider as a row of cells, in the order of [`COLUMNS`].
fn row(provider: &Provider) -> [String; 5] {
    let name = std::iter::once(provider.name.as_str());
    let names: Vec<&str> = name.chain(provider.aliases.iter().map(String::as_str)).collect();
    let keys = match (provider.key_env.as_slice(), provider.key_required) {
        ([], _) => "-".to_owned(),
        (keys, true) => keys.join(", "),
        (keys, false) => format!("{} (optional)", keys.join(", ")),
    };
    let base_url = provider.base_url.clone().unwrap_or_else(|| "-".to_owned());
    [names.join(", "), keys, base_url, formats(provider).join(", "), quirks(&provider.quirks)]
}

fn formats(provider: &Provider) -> Vec<&'static str> {
    provider.endpoints.iter().map(|endpoint| endpoint.format.name()).collect()
}

fn as_json(provider: &Provider) -> Value {
    json!({
        "name": provider.name.as_str(),
        "aliases": provider.aliases,
        "key_env": provider.key_env,
        "key_required": provider.key_required,
        "base_url": provider.base_url,
        "base_url_env": provider.base_url_env,
        "formats": formats(provider),
        "quirks": said(&provider.quirks),
    })
}

fn list(catalog: &Catalog) -> String {
    let titles = COLUMNS.map(str::to_owned).to_vec();
    let rows = catalog.iter().map(|provider| row(provider).to_vec());
    table(&std::iter::once(titles).chain(rows).collect::<Vec<_>>())
}

fn page(catalog: &Catalog) -> String {
    let mut text = String::from(
        "# Providers\n\nEvery provider that a configuration may name, as `provider/model`. This \
         page is the output of `tollgate providers --markdown`; the files are in \
         `crates/wire/providers/`.\n\n\
         Of several variables, the first one that is set holds the key. `{NAME}` in a base URL is \
         the environment variable of that name. Without a base URL, a deployment has to say \
         `api_base`, or one of the variables that `tollgate providers --json` lists. \
         What becomes of fields that a provider does not take is told in \
         [parameters](../guide/parameters.md).\n\n",
    );
    // Writing to a String cannot fail.
    let _ = writeln!(text, "| {} |\n|---|---|---|---|---|", COLUMNS.join(" | "));
    for provider in catalog.iter() {
        let [names, keys, base_url, formats, quirks] = row(provider);
        let _ = writeln!(text, "| {names} | {keys} | {base_url} | {formats} | {quirks} |");
    }
    text
}

fn quirks(quirks: &Quirks) -> String {
    let said = said(quirks);
    if said.is_empty() { "-".to_owned() } else { said.join("; ") }
}

/// What a provider deviates in, each in a few words.
fn said(quirks: &Quirks) -> Vec<String> {
    let mut said = Vec::new();
    match quirks.output_limit {
        OutputLimit::AsSent => {}
        OutputLimit::MaxTokens => said.push("limit is max_tokens".to_owned()),
        OutputLimit::MaxCompletionTokens => said.push("limit is max_completion_tokens".to_owned()),
    }
    match quirks.usage_in_stream {
        StreamUsage::OnRequest => {}
        StreamUsage::Always => said.push("always streams usage".to_owned()),
        StreamUsage::Never => said.push("is not asked for streamed usage".to_owned()),
    }
    for (from, to) in &quirks.rename_fields {
        said.push(format!("{from} is {to}"));
    }
    for (from, to) in &quirks.tool_choice.rename {
        said.push(format!("tool_choice {from} is {to}"));
    }
    if !quirks.tool_choice.only.is_empty() {
        said.push(format!("tool_choice only {}", quirks.tool_choice.only.join(" or ")));
    }
    for (field, range) in &quirks.clamp_fields {
        said.push(format!("{field} {} to {}", range.min, range.max));
    }
    for (field, raw) in &quirks.set_fields {
        said.push(format!("sets {field} to {raw}"));
    }
    for rule in &quirks.drop_beside {
        said.push(format!("beside {} drops {}", rule.beside, rule.fields.join(", ")));
    }
    if !quirks.drop_fields.is_empty() {
        said.push(format!("does not take {}", quirks.drop_fields.join(", ")));
    }
    said
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;

    #[test]
    fn the_committed_page_is_what_the_command_prints() {
        let catalog = Catalog::embedded().expect("the catalog");
        expect_file!["../../../../docs/reference/providers.md"].assert_eq(&page(&catalog));
    }

    #[test]
    fn every_quirk_is_said() {
        let quirks: Quirks = Quirks {
            output_limit: OutputLimit::MaxTokens,
            usage_in_stream: StreamUsage::Never,
            drop_fields: vec!["n".into(), "stop".into()],
            rename_fields: vec![("seed".into(), "random_seed".into())],
            set_fields: vec![("store".into(), "false".into())],
            ..Quirks::default()
        };
        let wanted = "limit is max_tokens; is not asked for streamed usage; seed is random_seed; \
                      sets store to false; does not take n, stop";
        assert_eq!(super::quirks(&quirks), wanted);
        assert_eq!(super::quirks(&Quirks::default()), "-");
    }

    #[test]
    fn the_columns_of_the_table_stand_below_each_other() {
        let text = list(&Catalog::embedded().expect("the catalog"));
        let mut lines = text.lines();
        let at = lines.next().and_then(|titles| titles.find("base URL")).expect("a title");
        for line in lines {
            let cell = line.get(at..).expect(line);
            assert!(cell.starts_with("http") || cell.starts_with("- "), "{line}");
            assert_eq!(line.get(at - 2..at), Some("  "), "{line}");
        }
    }

    #[test]
    fn the_json_says_what_the_file_says() {
        let catalog = Catalog::embedded().expect("the catalog");
        let azure = catalog.find("azure").expect("a provider");
        let json = as_json(azure);
        assert_eq!(json["name"], "azure");
        assert_eq!(json["base_url"], Value::Null);
        assert_eq!(json["formats"], json!(["openai_chat", "openai_responses"]));
        assert_eq!(json["key_env"][0], "AZURE_OPENAI_API_KEY");
    }
}
