//! `tollgate keys|teams|users|…`: the management API of a running gateway, from the command line.
//!
//! Every command is made of a route's row: its fields are the command's arguments, with their types
//! and their sentences. A new route is a new command.

mod ask;
mod commands;
mod request;
mod shown;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ArgMatches;
use serde_json::Value;
use tollgate_domain::Secret;

use crate::cli::{FINDINGS, NOT_STARTED, WRONG_USE, status, write};
use crate::environment;

use commands::{JSON, KEY_FILE, URL, Verb, verbs};

pub(super) use commands::families;

/// Where a gateway is when nothing says so: where `serve` puts it.
const URL_USUAL: &str = "http://127.0.0.1:4000";
/// The variables that may say where the gateway is, LiteLLM's own among them.
const URL_NAMES: [&str; 2] = ["TOLLGATE_URL", "LITELLM_PROXY_URL"];
/// The variables that may hold the key, LiteLLM's own among them.
const KEY_NAMES: [&str; 4] =
    ["TOLLGATE_KEY", "LITELLM_PROXY_API_KEY", "TOLLGATE_MASTER_KEY", "LITELLM_MASTER_KEY"];

/// How a command ended.
enum Outcome {
    /// The gateway did it.
    Done(String),
    /// The gateway refused.
    Refused(String),
}

/// Runs the command that was asked for, if it is one of these.
pub(super) fn run(matches: &ArgMatches) -> Option<ExitCode> {
    let (family, matches) = matches.subcommand()?;
    let (name, matches) = matches.subcommand()?;
    let mut verbs = verbs().into_iter();
    let verb = verbs.find(|verb| verb.family == family && verb.name == name)?;
    Some(ended(&verb, matches))
}

#[expect(clippy::print_stderr, reason = "why there is no answer is told beside the output")]
fn ended(verb: &Verb, matches: &ArgMatches) -> ExitCode {
    let request = match request::read(&verb.row, matches) {
        Ok(request) => request,
        Err(problem) => {
            eprintln!("tollgate: {problem:#}\n\nFor more information, try '--help'.");
            return ExitCode::from(WRONG_USE);
        }
    };
    match asked(verb, request, matches) {
        Ok(Outcome::Done(text)) => status(write(text.as_bytes())),
        Ok(Outcome::Refused(text)) => {
            eprint!("{text}");
            ExitCode::from(FINDINGS)
        }
        Err(problem) => {
            eprintln!("tollgate: {problem:#}");
            ExitCode::from(NOT_STARTED)
        }
    }
}

fn asked(verb: &Verb, request: request::Request, matches: &ArgMatches) -> anyhow::Result<Outcome> {
    let url = matches.get_one::<String>(URL).cloned();
    let url = url.or_else(|| environment::first(&URL_NAMES));
    let url = url.unwrap_or_else(|| URL_USUAL.to_owned());
    let key = key(matches.get_one::<PathBuf>(KEY_FILE))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (status, body) = runtime.block_on(ask::ask(&url, key, request))?;
    let answer: Option<Value> = serde_json::from_slice(&body).ok();
    let json = matches.get_flag(JSON);
    let raw = || String::from_utf8_lossy(&body).into_owned() + "\n";
    let refused = !(200..300).contains(&status);
    Ok(match answer {
        None if refused => Outcome::Refused(format!("tollgate: HTTP {status}: {}", raw())),
        None => Outcome::Done(raw()),
        Some(answer) if refused && !json => Outcome::Refused(shown::refusal(status, &answer)),
        Some(answer) if refused => Outcome::Refused(format!("{answer:#}\n")),
        Some(answer) if json => Outcome::Done(format!("{answer:#}\n")),
        Some(answer) => Outcome::Done(shown::answer(&verb.family, &verb.name, &answer)),
    })
}

/// The key to call with. It is no argument, because everybody on a machine sees those.
fn key(file: Option<&PathBuf>) -> anyhow::Result<Secret> {
    let text = match file {
        Some(file) => request::text_of(file)?,
        None => environment::first(&KEY_NAMES).ok_or_else(|| {
            anyhow::anyhow!("no key to call with: set `TOLLGATE_KEY`, or name a file by --key-file")
        })?,
    };
    let text = text.trim();
    anyhow::ensure!(!text.is_empty(), "the key to call with is empty");
    Ok(Secret::new(text))
}
