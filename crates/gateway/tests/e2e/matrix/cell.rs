//! The cells of one upstream: each is one call, or several, through the gateway.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use tollgate_simulator::{Replay, Script, Simulator};
use tollgate_testkit::http::{Client as HttpClient, Ending};

use super::check::{Verdict, holds, same};
use super::client::{Broken, CLIENTS, Client, Seen};
use super::scene::{FAILURE, Scene};
use super::sse::events;
use super::table::{Cell, Column};
use super::upstream::Upstream;

/// How long one call may take.
const CALL_MAX: Duration = Duration::from_secs(10);
/// The size of the pieces in which an upstream sends a stream, in bytes.
const PIECE_BYTES: usize = 61;

/// An upstream, and the way to it through the gateway.
pub(super) struct Line {
    pub(super) upstream: &'static dyn Upstream,
    pub(super) simulator: Simulator,
    pub(super) base_url: String,
    pub(super) key: String,
}

impl Line {
    /// Tries every client format in every column.
    pub(super) async fn walk(self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for client in CLIENTS {
            for column in Column::all() {
                let (name, upstream) = (client.name(), self.upstream.name());
                let verdict = self.cell(client, column).await;
                cells.push(Cell { client: name, upstream, column, verdict });
            }
        }
        cells
    }

    async fn cell(&self, client: &'static dyn Client, column: Column) -> Verdict {
        match column {
            Column::Answer(scene, false) => {
                let body = self.call(client, scene, false, self.upstream.whole(scene)).await?;
                let body: Value = serde_json::from_slice(&body).map_err(|why| why.to_string())?;
                let seen = client.answer(&self.told_model(client), &body);
                self.compare(client, scene, seen).map_err(|why| format!("{why}\n    {body}"))
            }
            Column::Answer(scene, true) => {
                let stream = Bytes::from(self.upstream.stream(scene).records.concat());
                let replay = self.upstream.records(&in_pieces(&stream), None);
                let body = self.call(client, scene, true, replay).await?;
                let model = self.told_model(client);
                let seen = events(&body).and_then(|all| client.stream(&model, &all));
                self.compare(client, scene, seen).map_err(|why| in_stream(&why, &body))
            }
            Column::Cut => self.cuts(client).await,
            Column::Error => self.error(client).await,
        }
    }

    /// The model's name in an answer: the client's own, except where the upstream's bytes pass as
    /// they are. Of chat alone the name is replaced all the same.
    fn told_model(&self, client: &dyn Client) -> String {
        let passes = client.name() == self.upstream.name();
        if passes && client.name() != "openai_chat" {
            return self.upstream.own_model();
        }
        self.upstream.name().to_owned()
    }

    /// Breaks the stream off behind each record from the first visible text on, and in the middle
    /// of the next one; with a connection that breaks, and with one that ends as it should.
    async fn cuts(&self, client: &'static dyn Client) -> Verdict {
        let stream = self.upstream.stream(Scene::Text);
        for count in stream.visible..=stream.complete {
            let (before, after) = stream.records.split_at(count);
            let torn = after.first().map(|record| record.slice(..record.len() / 2));
            let said = 1 + count - stream.visible;
            for last in [None, torn] {
                let clean = self.upstream.records(before, last);
                for replay in [clean.clone().cut(), clean] {
                    let what = format!("cut behind {count} of {}", stream.records.len());
                    let broken = self.broken(client, replay, said).await;
                    let broken = broken.map_err(|why| format!("{what}: {why}"))?;
                    holds(!broken.message.is_empty(), || format!("{what}: an empty message"))?;
                }
            }
        }
        Ok(())
    }

    async fn error(&self, client: &'static dyn Client) -> Verdict {
        let stream = self.upstream.stream(Scene::Text);
        let (before, _) = stream.records.split_at(stream.visible);
        let replay = self.upstream.records(before, Some(self.upstream.failure(FAILURE)));
        let broken = self.broken(client, replay, 1).await?;
        holds(broken.message.contains(FAILURE), || format!("the error says {}", broken.message))
    }

    /// A stream that breaks when so many pieces of the text have come.
    async fn broken(
        &self,
        client: &'static dyn Client,
        replay: Replay,
        said: usize,
    ) -> Verdict<Broken> {
        let body = self.call(client, Scene::Text, true, replay).await?;
        let broken = events(&body).and_then(|all| client.broken(&all));
        let broken = broken.map_err(|why| in_stream(&why, &body))?;
        let pieces = Scene::Text.said();
        let text = pieces.get(..said).unwrap_or(pieces).concat();
        same("the text before the error", &broken.text, &text)?;
        Ok(broken)
    }

    /// Sends a call that is answered with these bytes: what came back, and whatever ended it. What
    /// arrived upstream is checked first.
    async fn call(
        &self,
        client: &'static dyn Client,
        scene: Scene,
        stream: bool,
        replay: Replay,
    ) -> Verdict<Bytes> {
        self.simulator.follow(Script::default().replaying(replay));
        let index = self.simulator.calls().count();
        let (header, before) = client.key();
        let http = HttpClient::new(&self.base_url)
            .with_header(header, &format!("{before}{}", self.key))
            .with_header("anthropic-version", "2023-06-01");
        let path = client.path(self.upstream.name(), stream);
        let body = client.request(self.upstream.name(), scene, stream).to_string();
        let sent = async {
            let answer = http.try_open(Method::POST, &path, body.into()).await;
            let answer = answer.map_err(|why| format!("no answer: {why}"))?;
            let head = (answer.status, answer.header("content-type").to_owned());
            Ok::<_, String>((head, answer.rest().await))
        };
        let answered = tokio::time::timeout(CALL_MAX, sent).await;
        let answered = answered.map_err(|_| format!("no answer within {CALL_MAX:?}"))?;
        let ((status, media_type), (body, ending)) = answered?;
        let text = String::from_utf8_lossy(&body);
        same("the status", status, 200).map_err(|why| format!("{why}\n    {text}"))?;
        let wanted = if stream { "text/event-stream" } else { "application/json" };
        holds(media_type.starts_with(wanted), || format!("the answer is {media_type}"))?;
        let Some(call) = self.simulator.calls().find(index) else {
            return Err("nothing arrived upstream".to_owned());
        };
        self.upstream.arrived(&call, &self.key, scene, stream)?;
        match ending {
            Ending::Clean => Ok(body),
            Ending::Broken(error) => Err(format!("the answer broke off: {error}\n    {text}")),
        }
    }

    fn compare(&self, client: &dyn Client, scene: Scene, seen: Verdict<Seen>) -> Verdict {
        let seen = seen?;
        let calls = scene.calls().iter().map(|tool| (tool.name.to_owned(), tool.arguments()));
        let wanted = Seen {
            text: scene.said().concat(),
            thought: scene.thought().concat(),
            calls: calls.collect(),
            finish: client.finish(scene).to_owned(),
            usage: self.upstream.usage(scene),
        };
        same("what the client sees", seen, wanted)
    }
}

/// A stream in pieces that end anywhere: inside records, and inside characters.
fn in_pieces(stream: &Bytes) -> Vec<Bytes> {
    let starts = (0..stream.len()).step_by(PIECE_BYTES);
    starts.map(|from| stream.slice(from..stream.len().min(from + PIECE_BYTES))).collect()
}

/// Why a stream is not what it should be, with the stream.
fn in_stream(why: &str, body: &[u8]) -> String {
    format!("{why}\n{}", String::from_utf8_lossy(body))
}
