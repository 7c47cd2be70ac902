//! From arguments to a request.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, Read as _};
use std::path::Path;

use anyhow::Context as _;
use clap::ArgMatches;
use http::Method;
use serde_json::{Map, Value};
use tollgate_admin::{Described, Field, Kind};
use tollgate_upstream::encode;

use super::commands::{UNSET, kebab, removable};

/// Largest file that an argument names, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// What stands for a line of standard input in place of a text.
const FROM_INPUT: &str = "-";
/// LiteLLM's lists of keys are lists of hashes unless this is asked for.
const WHOLE_KEYS: &str = "return_full_object";

/// What is sent.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub(super) method: Method,
    /// The path with its query.
    pub(super) path: String,
    pub(super) body: Option<Value>,
}

/// Reads the arguments of a command.
///
/// # Errors
/// When a field is both set and removed, and when an input cannot be read.
pub(super) fn read(row: &Described, matches: &ArgMatches) -> anyhow::Result<Request> {
    let mut values = BTreeMap::new();
    for field in &row.takes.fields {
        if let Some(value) = value(field, matches)? {
            values.insert(field.name, value);
        }
    }
    if !row.has_body && row.takes.fields.iter().any(|field| field.name == WHOLE_KEYS) {
        values.entry(WHOLE_KEYS).or_insert(Value::Bool(true));
    }
    for name in removed(row, matches) {
        let before = values.insert(name, Value::Null);
        anyhow::ensure!(before.is_none(), "--{0} is both set and removed", kebab(name));
    }
    written(row, values)
}

fn value(field: &Field, matches: &ArgMatches) -> anyhow::Result<Option<Value>> {
    let Some(values) = matches.get_many::<Value>(field.name) else { return Ok(None) };
    let values: Vec<Value> = values.map(from_input).collect::<anyhow::Result<_>>()?;
    Ok(match field.kind {
        Kind::Texts => Some(Value::Array(values)),
        _ => values.into_iter().next_back(),
    })
}

/// A text, or a line of standard input in its place, so that a secret need not be an argument.
fn from_input(value: &Value) -> anyhow::Result<Value> {
    if *value != FROM_INPUT {
        return Ok(value.clone());
    }
    let mut line = String::new();
    let input = std::io::stdin().lock().take(FILE_BYTES_MAX).read_line(&mut line);
    input.context("cannot read standard input")?;
    Ok(Value::from(line.trim_end()))
}

fn removed(row: &Described, matches: &ArgMatches) -> Vec<&'static str> {
    let removable = removable(row);
    if removable.is_empty() {
        return removable;
    }
    let named: Vec<&String> = matches.get_many(UNSET).unwrap_or_default().collect();
    removable.into_iter().filter(|name| named.iter().any(|it| **it == kebab(name))).collect()
}

fn written(row: &Described, values: BTreeMap<&'static str, Value>) -> anyhow::Result<Request> {
    let method = Method::from_bytes(row.method.as_bytes())?;
    let (named, rest): (Vec<_>, Vec<_>) =
        values.into_iter().partition(|(name, _)| row.names_in_path(name));
    let mut path = row.path.replace("{*", "{");
    for (name, value) in named {
        path = path.replace(&format!("{{{name}}}"), &encode(&plain(&value)));
    }
    if row.has_body {
        let fields = rest.into_iter().map(|(name, value)| (name.to_owned(), value));
        let body = Value::Object(fields.collect::<Map<_, _>>());
        return Ok(Request { method, path, body: Some(body) });
    }
    let names = rest.iter().map(|(name, value)| format!("{name}={}", encode(&plain(value))));
    let query = names.collect::<Vec<_>>().join("&");
    if !query.is_empty() {
        path = format!("{path}?{query}");
    }
    Ok(Request { method, path, body: None })
}

/// A value as it stands in a path or a query: lists between commas.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The text of a file, `-` for standard input.
///
/// # Errors
/// When it cannot be read, or is too large.
pub(super) fn text_of(file: &Path) -> anyhow::Result<String> {
    let wrong = || format!("cannot read {}", file.display());
    let mut text = String::new();
    let read = if file == Path::new(FROM_INPUT) {
        std::io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_string(&mut text)
    } else {
        File::open(file).with_context(wrong)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)
    };
    let bytes = read.with_context(wrong)?;
    anyhow::ensure!(bytes as u64 <= FILE_BYTES_MAX, "{} is too large", file.display());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::whole;

    fn request(line: &str) -> anyhow::Result<(String, Option<Value>)> {
        let matches = whole().try_get_matches_from(line.split(' '))?;
        let (family, matches) = matches.subcommand().expect("a family");
        let (name, matches) = matches.subcommand().expect("a verb");
        let mut verbs = super::super::verbs().into_iter();
        let verb = verbs.find(|verb| verb.family == family && verb.name == name).expect("a verb");
        let request = read(&verb.row, matches)?;
        Ok((format!("{} {}", request.method, request.path), request.body))
    }

    #[test]
    fn arguments_become_the_request_that_the_row_declares() {
        for (line, head, body) in [
            ("tollgate keys show sk-a", "GET /key/info?key=sk-a", None),
            (
                "tollgate keys list --team-id a/b",
                "GET /key/list?return_full_object=true&team_id=a%2Fb",
                None,
            ),
            (
                "tollgate keys new --models a --models b --max-budget 1.50 --blocked",
                "POST /key/generate",
                Some(r#"{"blocked":true,"max_budget":1.5,"models":["a","b"]}"#),
            ),
            (
                "tollgate keys update sk-a --blocked=false --unset max-budget",
                "POST /key/update",
                Some(r#"{"blocked":false,"key":"sk-a","max_budget":null}"#),
            ),
            ("tollgate teams delete a b", "POST /team/delete", Some(r#"{"team_ids":["a","b"]}"#)),
            (
                r#"tollgate teams new --metadata {"a":1}"#,
                "POST /team/new",
                Some(r#"{"metadata":{"a":1}}"#),
            ),
        ] {
            let (found, sent) = request(line).unwrap_or_else(|problem| panic!("{line}: {problem}"));
            assert_eq!(found, head, "{line}");
            let body: Option<Value> = body.map(|text| serde_json::from_str(text).expect("JSON"));
            assert_eq!(sent, body, "{line}");
        }
    }

    #[test]
    fn what_a_field_cannot_hold_is_wrong_use() {
        for line in [
            "tollgate keys new --max-budget -1",
            "tollgate keys new --max-budget many",
            "tollgate keys new --rpm-limit 1.5",
            "tollgate keys new --anchor never",
            "tollgate keys new --metadata []",
            "tollgate keys new --metadata @/nonexistent.json",
            "tollgate keys new --blocked=perhaps",
            "tollgate keys update sk-a --unset key",
            "tollgate keys update sk-a --max-budget 1 --unset max-budget",
            "tollgate keys fly",
        ] {
            assert!(request(line).is_err(), "{line}");
        }
    }
}
