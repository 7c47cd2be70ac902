//! The table: its columns, its cells, and the page that shows it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::check::Verdict;
use super::client::CLIENTS;
use super::scene::Scene;
use super::upstream::UPSTREAMS;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    /// A scene, streamed or not.
    Answer(Scene, bool),
    /// The upstream's stream is broken off anywhere.
    Cut,
    /// The upstream reports an error inside its stream.
    Error,
}

/// Whether the answer is streamed.
pub(super) const MODES: [bool; 2] = [false, true];

impl Column {
    /// Every column, in order.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let answers =
            Scene::ALL.into_iter().flat_map(|scene| MODES.map(|mode| Self::Answer(scene, mode)));
        answers.chain([Self::Cut, Self::Error])
    }

    fn name(self) -> String {
        match self {
            Self::Answer(scene, false) => scene.name().to_owned(),
            Self::Answer(scene, true) => format!("{}, streamed", scene.name()),
            Self::Cut => "stream cut off".to_owned(),
            Self::Error => "error in a stream".to_owned(),
        }
    }
}

/// One cell.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) client: &'static str,
    pub(super) upstream: &'static str,
    pub(super) column: Column,
    pub(super) verdict: Verdict,
}

/// The cells so far.
#[derive(Debug, Default)]
pub(super) struct Table(BTreeMap<(&'static str, &'static str, Column), Verdict>);

impl Table {
    pub(super) fn put(&mut self, cell: Cell) {
        self.0.insert((cell.client, cell.upstream, cell.column), cell.verdict);
    }

    /// Why the cells that do not hold do not.
    pub(super) fn failures(&self) -> Vec<String> {
        let failed = self.0.iter().filter_map(|((client, upstream, column), verdict)| {
            let why = verdict.as_ref().err()?;
            Some(format!("{client} → {upstream}, {}: {why}", column.name()))
        });
        failed.collect()
    }

    /// The page of the documentation.
    pub(super) fn page(&self) -> String {
        let mut page = String::from(INTRODUCTION);
        let names: Vec<String> = Column::all().map(Column::name).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| client | upstream | {} |", names.join(" | "));
        let _ = writeln!(page, "|---|---|{}", ":-:|".repeat(names.len()));
        for client in CLIENTS.map(|client| client.name()) {
            for upstream in UPSTREAMS.map(|upstream| upstream.name()) {
                let cells = Column::all().map(|column| {
                    let holds = matches!(self.0.get(&(client, upstream, column)), Some(Ok(())));
                    if holds { " ✓ |" } else { " ✗ |" }
                });
                let cells: String = cells.collect();
                let _ = writeln!(page, "| `{client}` | `{upstream}` |{cells}");
            }
        }
        page.push_str(USAGE);
        for upstream in UPSTREAMS {
            let tick = |told: bool| if told { "✓" } else { "–" };
            let reports = upstream.reports();
            let (cached, reasoning) = (tick(reports.cached), tick(reports.reasoning));
            let _ = writeln!(page, "| `{}` | ✓ | ✓ | {cached} | {reasoning} |", upstream.name());
        }
        page
    }
}

const INTRODUCTION: &str = "\
# Dialects

Every client format reaches every upstream format. This page is written by the end-to-end test in
`crates/gateway/tests/e2e/matrix.rs`, which sends each request through the gateway to a scripted
upstream and checks both sides: what arrives upstream (path, credential, model, messages, tools,
schema, thinking, limit) and what the client gets (order of events, text, reasoning, calls with
their arguments, reason of the end, usage, end mark).

| client format | route |
|---|---|
| `openai_chat` | `POST /v1/chat/completions` |
| `openai_responses` | `POST /v1/responses` |
| `anthropic_messages` | `POST /v1/messages` |
| `gemini` | `POST /v1beta/models/{model}:generateContent`, `:streamGenerateContent?alt=sse` |

Between equal formats the bytes pass as they are, in both directions, but for the model's name in
the request; in `openai_chat` also the name in the answer is the client's.

*Stream cut off* means that the upstream's connection ends anywhere after the first text or
the first call of a tool, properly or not: the client gets what came so far and then an error, and never what ends a complete answer.
*Error in a stream* means that the upstream reports an error after the first text: the client gets
it in its own dialect, with the upstream's own words.

";

const USAGE: &str = "
## Usage

What the scripted upstream of each format reports of a call's usage. What is not reported is
counted, and priced, as plain input or output.

| upstream | input | output | cached input | reasoning |
|---|:-:|:-:|:-:|:-:|
";
