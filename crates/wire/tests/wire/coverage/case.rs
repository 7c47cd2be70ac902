//! What one fixture covers: it is read as its format reads it.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tollgate_wire::delta::Close;
use tollgate_wire::formats::translation::AnswerIn;

use super::columns::{self, Said};
use super::origin::Origin;
use super::{Cell, Direction};
use crate::bodies::formats::{UPSTREAMS, Upstream, client};
use crate::bodies::streams::interpret;
use crate::replay::aws_stream;

/// One case of a format's fixtures.
pub(crate) struct Case {
    upstream: &'static Upstream,
    path: PathBuf,
    origin: Origin,
}

impl Case {
    /// Reads where a case comes from.
    pub(crate) fn read(upstream: &'static Upstream, path: PathBuf) -> Self {
        let origin = Origin::of(&path);
        Self { upstream, path, origin }
    }

    /// The cells of the table that the case covers.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let mut cells = self.of_request();
        if let Some(body) = self.file("answer.json") {
            cells.extend(self.of_answer(&body));
        }
        for name in ["answer.sse", "answer.ndjson", "answer.tsv"] {
            let Some(stream) = self.file(name) else { continue };
            let stream = if name == "answer.tsv" { aws_stream(&stream) } else { stream.to_vec() };
            let deltas = interpret(self.upstream, &[&stream], Close::Clean);
            cells.extend(self.of_said(&Said::of_deltas(&deltas), true));
        }
        if let (Some(means), Some(_)) = (&self.origin.means, self.origin.status) {
            let known = columns::ERRORS.iter().find(|error| *error == means);
            let column = known.unwrap_or_else(|| panic!("{}: `{means}`", self.path.display()));
            cells.push(self.cell(Direction::ErrorIn, column));
        }
        cells
    }

    fn of_request(&self) -> Vec<Cell> {
        let own = client(self.upstream.name).map_or("openai_chat", |client| client.name);
        let files = [
            ("request.json", own),
            ("request.openai_chat.json", "openai_chat"),
            ("request.messages.json", "anthropic_messages"),
            ("request.anthropic_messages.json", "anthropic_messages"),
        ];
        let mut cells = Vec::new();
        for (name, format) in files {
            let Some(body) = self.file(name) else { continue };
            let read = client(format).expect("a client's format").read;
            let Ok(conversation) = read(&body) else { continue };
            for column in columns::of_request(&conversation) {
                if format == self.upstream.name && self.file("conversation.txt").is_some() {
                    cells.push(self.cell(Direction::RequestIn, column));
                }
                let written = UPSTREAMS.iter().filter(|upstream| self.is_written_for(upstream));
                let direction = Direction::RequestOut;
                cells.extend(written.map(|to| Cell { format: to.name, direction, column }));
            }
        }
        cells
    }

    /// Whether the case holds what an upstream is sent.
    fn is_written_for(&self, upstream: &Upstream) -> bool {
        let written = match upstream.name {
            // Models of these are written for differently: one of them stands for all.
            "gemini" => "to.gemini_3.json".to_owned(),
            "bedrock_converse" => "to.adaptive.json".to_owned(),
            name => format!("to.{name}.json"),
        };
        self.path.join(written).exists()
    }

    fn of_answer(&self, body: &[u8]) -> Vec<Cell> {
        match (self.upstream.answer)(body).expect("an answer is an object") {
            AnswerIn::Answer(answer) => self.of_said(&Said::of_answer(&answer), false),
            AnswerIn::Error(_) => vec![self.cell(Direction::ErrorIn, "within an answer")],
        }
    }

    fn of_said(&self, said: &Said, streamed: bool) -> Vec<Cell> {
        if said.failed {
            return vec![self.cell(Direction::ErrorIn, "within a stream")];
        }
        let (read, written, to) = if streamed {
            (Direction::StreamIn, Direction::StreamOut, ["to.client.sse", "to.openai_chat.sse"])
        } else {
            (Direction::AnswerIn, Direction::AnswerOut, ["to.client.json", "to.openai_chat.json"])
        };
        // In the folder of `openai_chat`, `to.client` is what passes through.
        let to = to[usize::from(self.upstream.name == "openai_chat")];
        let written = Some(written).filter(|_| self.file(to).is_some());
        let directions = || [Some(read), written].into_iter().flatten();
        let columns = said.columns();
        let cells = columns
            .into_iter()
            .flat_map(|column| directions().map(move |direction| self.cell(direction, column)));
        cells.collect()
    }

    fn cell(&self, direction: Direction, column: &'static str) -> Cell {
        Cell { format: self.upstream.name, direction, column }
    }

    fn file(&self, name: &str) -> Option<Bytes> {
        fs::read(self.path.join(name)).ok().map(Bytes::from)
    }
}

/// The folders in a folder, in order.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}
