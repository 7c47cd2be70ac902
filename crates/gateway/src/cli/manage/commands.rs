//! The commands, made of the rows of the management API.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _, ValueParser};
use clap::{Arg, ArgAction, Command};
use serde_json::Value;
use tollgate_admin::{Described, Field, Kind};
use tollgate_domain::{Money, Timestamp};

use super::request;

/// Identities of arguments that are no fields; no field is called so.
pub(super) const URL: &str = "@url";
pub(super) const KEY_FILE: &str = "@key-file";
pub(super) const JSON: &str = "@json";
pub(super) const UNSET: &str = "@unset";

/// What commands are not made of: pages for browsers.
const NO_COMMANDS: &str = "description";
/// What the last word of a path is called on the command line, where that is something else.
const WORDS: [(&str, &str); 2] = [("info", "show"), ("generate", "new")];

/// One command: the noun, the verb, and the route behind them.
pub(super) struct Verb {
    pub(super) family: String,
    pub(super) name: String,
    pub(super) row: Described,
}

/// Every command. Of several routes that would be the same command, the plainest path stays.
pub(super) fn verbs() -> Vec<Verb> {
    let mut rows = tollgate_admin::routes();
    rows.retain(|row| row.family() != NO_COMMANDS);
    rows.sort_by_key(|row| detours(row.path));
    let mut verbs: Vec<Verb> = Vec::new();
    for row in rows {
        let (family, name) = (kebab(row.family()), name(&row));
        if !verbs.iter().any(|known| known.family == family && known.name == name) {
            verbs.push(Verb { family, name, row });
        }
    }
    verbs
}

/// How much of a path is neither a family nor a verb.
fn detours(path: &str) -> usize {
    path.split('/').filter(|word| word.starts_with('{') || AROUND.contains(word)).count()
}

/// Words of paths that are no part of a command's name.
const AROUND: [&str; 3] = ["v1", "v2", "global"];

fn name(row: &Described) -> String {
    let words = row.path.split('/').filter(|word| !word.is_empty() && !AROUND.contains(word));
    let mut words = words.filter(|word| !word.starts_with('{'));
    let first = words.next().unwrap_or_default();
    // `model_group` is among the models, and its verbs are told from theirs by what it adds.
    let added = first.strip_prefix(row.family().trim_end_matches('s'));
    let added = added.and_then(|added| added.strip_prefix('_'));
    let words =
        words.map(|word| WORDS.iter().find(|(path, _)| *path == word).map_or(word, |it| it.1));
    let words: Vec<&str> = added.into_iter().chain(words).collect();
    if !words.is_empty() {
        return kebab(&words.join("-"));
    }
    let one = row.path.contains('{');
    match row.method {
        "GET" if one => "show",
        "GET" => "list",
        "DELETE" => "delete",
        "POST" => "new",
        _ => "update",
    }
    .to_owned()
}

pub(super) fn kebab(text: &str) -> String {
    text.replace(['_', ' ', '/', '.'], "-")
}

/// The commands of each family.
pub(crate) fn families() -> Vec<Command> {
    let mut families: Vec<Command> = Vec::new();
    for verb in verbs() {
        let command = command(&verb);
        match families.iter_mut().find(|family| family.get_name() == verb.family) {
            Some(family) => *family = family.clone().subcommand(command),
            None => families.push(family(&verb).subcommand(command)),
        }
    }
    families
}

fn family(verb: &Verb) -> Command {
    let about = format!("Manage the {} of a running gateway", verb.row.family());
    Command::new(verb.family.clone())
        .about(about)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(connection())
}

/// Where the gateway is, who calls, and how the answer is shown.
fn connection() -> [Arg; 3] {
    let arg = |id: &'static str| Arg::new(id).long(id.trim_start_matches('@')).global(true);
    [
        arg(URL)
            .value_name("URL")
            .help_heading("Gateway")
            .help("Where the gateway is, else `TOLLGATE_URL`, else http://127.0.0.1:4000"),
        arg(KEY_FILE)
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help_heading("Gateway")
            .help("A file with the key to call with, `-` for standard input, else `TOLLGATE_KEY`"),
        arg(JSON)
            .action(ArgAction::SetTrue)
            .help_heading("Gateway")
            .help("Print the answer as it came, for scripts"),
    ]
}

fn command(verb: &Verb) -> Command {
    let row = &verb.row;
    let placed = placed(row);
    let args =
        row.takes.fields.iter().map(|field| match placed.iter().position(|it| it == &field.name) {
            Some(index) => positional(row, field).index(index + 1),
            None => flag(row, field),
        });
    let command = Command::new(verb.name.clone())
        .about(row.about)
        .after_help(format!("The route is {} {}.", row.method, row.path))
        .args(args);
    let removable = removable(row);
    if removable.is_empty() { command } else { command.arg(unset(&removable)) }
}

/// Whether a request has to have a field.
pub(super) fn needed(row: &Described, field: &Field) -> bool {
    field.required || row.names_in_path(field.name)
}

/// The fields that stand without a flag: the only one of a route, the texts that it needs, and what
/// names the one that it is about.
fn placed(row: &Described) -> Vec<&'static str> {
    let fields = &row.takes.fields;
    if let [only] = fields.as_slice()
        && matches!(only.kind, Kind::Text | Kind::Texts)
    {
        return vec![only.name];
    }
    let needed = |kind| move |field: &&Field| needed(row, field) && field.kind == kind;
    let text = needed(Kind::Text);
    let texts = fields.iter().filter(|field| text(field) || field.names);
    let last = fields.iter().filter(needed(Kind::Texts)).take(1);
    texts.chain(last).map(|field| field.name).collect()
}

fn positional(row: &Described, field: &Field) -> Arg {
    let name = field.name.to_ascii_uppercase();
    let required = needed(row, field) || row.has_body && row.takes.fields.len() == 1;
    filled(Arg::new(field.name), field).value_name(name).required(required)
}

fn flag(row: &Described, field: &Field) -> Arg {
    let arg = filled(Arg::new(field.name).long(kebab(field.name)), field);
    let arg = arg.required(needed(row, field));
    match field.kind {
        Kind::Count | Kind::Dollars => arg.allow_negative_numbers(true),
        Kind::Flag => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        _ => arg,
    }
}

/// An argument with what the field says about itself.
fn filled(arg: Arg, field: &Field) -> Arg {
    let (name, more) = match field.kind {
        Kind::Text => ("TEXT", ""),
        Kind::Choice(_) => ("WORD", ""),
        Kind::Instant => ("INSTANT", ""),
        Kind::Flag => ("BOOL", ""),
        Kind::Count => ("NUMBER", ""),
        Kind::Dollars => ("DOLLARS", ""),
        Kind::Texts => ("TEXT", "; once for each"),
        Kind::List | Kind::Object | Kind::OneOrMore => ("JSON", "; JSON, or @FILE with it"),
    };
    let action = if field.kind == Kind::Texts { ArgAction::Append } else { ArgAction::Set };
    let help = format!("{}{more}", field.about);
    arg.value_name(name).help(help).action(action).value_parser(parser(field.kind))
}

fn parser(kind: Kind) -> ValueParser {
    let text = |text: &str| Ok::<Value, String>(Value::from(text));
    match kind {
        Kind::Text | Kind::Texts => ValueParser::new(text),
        Kind::Choice(among) => PossibleValuesParser::new(among).map(Value::from).into(),
        Kind::Flag => {
            PossibleValuesParser::new(["true", "false"]).map(|it| Value::from(it == "true")).into()
        }
        Kind::Instant => ValueParser::new(instant),
        Kind::Count => ValueParser::new(|text: &str| text.parse::<u64>().map(Value::from)),
        Kind::Dollars => ValueParser::new(dollars),
        Kind::List => ValueParser::new(|text: &str| json(text, Value::is_array)),
        Kind::Object => ValueParser::new(|text: &str| json(text, Value::is_object)),
        Kind::OneOrMore => {
            ValueParser::new(|text: &str| json(text, |value| value.is_array() || value.is_object()))
        }
    }
}

fn instant(text: &str) -> Result<Value, String> {
    let read = Timestamp::parse(text).map_err(|problem| problem.to_string());
    read.map(|_| Value::from(text))
}

/// The digits stay as they were written.
fn dollars(text: &str) -> Result<Value, String> {
    let money = Money::parse_dollars(text).map_err(|problem| problem.to_string())?;
    if money.is_negative() {
        return Err("an amount is never negative".to_owned());
    }
    serde_json::from_str(text).map_err(|_| "expected a number such as 12.50".to_owned())
}

fn json(text: &str, fits: fn(&Value) -> bool) -> Result<Value, String> {
    let text = match text.strip_prefix('@') {
        Some(file) => request::text_of(file.as_ref()).map_err(|problem| format!("{problem:#}"))?,
        None => text.to_owned(),
    };
    let value: Value = serde_json::from_str(&text).map_err(|problem| problem.to_string())?;
    if fits(&value) { Ok(value) } else { Err("this JSON is of another type".to_owned()) }
}

/// The fields that a command may remove: null says so in the management API.
pub(super) fn removable(row: &Described) -> Vec<&'static str> {
    let stays = |field: &Field| needed(row, field) || field.names;
    if !row.has_body || row.reads || row.takes.fields.iter().all(stays) {
        return Vec::new();
    }
    let changes = row.takes.fields.iter().any(stays);
    let optional = row.takes.fields.iter().filter(|field| changes && !stays(field));
    optional.map(|field| field.name).collect()
}

fn unset(fields: &[&'static str]) -> Arg {
    let names: Vec<String> = fields.iter().map(|name| kebab(name)).collect();
    Arg::new(UNSET)
        .long("unset")
        .value_name("FIELD")
        .action(ArgAction::Append)
        .value_parser(PossibleValuesParser::new(names))
        .hide_possible_values(true)
        .help("Remove a field's value, named as its flag; once for each")
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;

    #[test]
    fn every_route_is_a_command_or_is_another_ones() {
        let verbs = verbs();
        let mut list = String::new();
        for row in tollgate_admin::routes() {
            let own = verbs
                .iter()
                .find(|verb| (verb.row.path, verb.row.method) == (row.path, row.method));
            let own = own.map_or("-".to_owned(), |verb| format!("{} {}", verb.family, verb.name));
            list += &format!("{:<7}{:<45}{own}\n", row.method, row.path);
        }
        expect_file!["commands.txt"].assert_eq(&list);
    }

    #[test]
    fn no_field_takes_the_name_of_another_flag() {
        for verb in verbs() {
            for field in &verb.row.takes.fields {
                assert!(
                    !["url", "key-file", "json", "unset", "help"].contains(&&*kebab(field.name))
                );
            }
        }
        // Clap's own checks: no two arguments with one name, no gap between positional ones.
        crate::cli::whole().debug_assert();
    }

    #[test]
    fn dollars_keep_their_digits_and_are_never_negative() {
        assert_eq!(dollars("0.10").map(|value| value.to_string()), Ok("0.1".to_owned()));
        for wrong in ["-1", "x", "", "1e400", "$5"] {
            assert!(dollars(wrong).is_err(), "{wrong}");
        }
    }
}
