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
/// The status of an answer.
const OK: u16 = 200;
/// The status of a call whose upstream broke before anything was shown.
const BAD_GATEWAY: u16 = 502;

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
                let sent = self.upstream.whole(scene);
                let body = success(self.call(client, scene, false, sent).await?)?;
                let body: Value = serde_json::from_slice(&body).map_err(|why| why.to_string())?;
                let seen = client.answer(&self.told_model(client), &body);
                self.compare(client, scene, seen).map_err(|why| format!("{why}\n    {body}"))
            }
            Column::Answer(scene, true) => {
                let stream = Bytes::from(self.upstream.stream(scene).records.concat());
                let replay = self.upstream.records(&in_pieces(&stream), None);
                let body = success(self.call(client, scene, true, replay).await?)?;
                let model = self.told_model(client);
                let seen = events(&body).and_then(|all| client.stream(&model, &all));
                self.compare(client, scene, seen).map_err(|why| in_stream(&why, &body))
            }
            Column::Cut => {
                self.cuts(client, Scene::Text).await?;
                self.cuts(client, Scene::Tools).await
            }
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

    /// Breaks the stream off behind each record from the first that a client sees on, and in the
    /// middle of the next one; with a connection that breaks, and with one that ends as it should.
    async fn cuts(&self, client: &'static dyn Client, scene: Scene) -> Verdict {
        let stream = self.upstream.stream(scene);
        for count in stream.visible..=stream.complete {
            let (before, after) = stream.records.split_at(count);
            let torn = after.first().map(|record| record.slice(..record.len() / 2));
            let said = 1 + count - stream.visible;
            for last in [None, torn] {
                let clean = self.upstream.records(before, last);
                for replay in [clean.clone().cut(), clean] {
                    let of = stream.records.len();
                    let what = format!("{} cut behind {count} of {of}", scene.name());
                    let broken = self.broken(client, scene, replay, said).await;
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
        let broken = self.broken(client, Scene::Text, replay, 1).await?;
        holds(broken.message.contains(FAILURE), || format!("the error says {}", broken.message))
    }

    /// A stream that breaks when so many pieces of the text have come. A format that knows calls
    /// only as a whole has shown nothing of one that is not, so that the call fails as such.
    async fn broken(
        &self,
        client: &'static dyn Client,
        scene: Scene,
        replay: Replay,
        said: usize,
    ) -> Verdict<Broken> {
        let (status, body) = self.call(client, scene, true, replay).await?;
        if status == BAD_GATEWAY && scene == Scene::Tools {
            let error: Value = serde_json::from_slice(&body).map_err(|why| why.to_string())?;
            let message = error["error"]["message"].as_str().unwrap_or_default().to_owned();
            return Ok(Broken { text: String::new(), message });
        }
        let body = success((status, body))?;
        let broken = events(&body).and_then(|all| client.broken(&all));
        let broken = broken.map_err(|why| in_stream(&why, &body))?;
        let pieces = scene.said();
        let text = pieces.get(..said).unwrap_or(pieces).concat();
        same("the text before the error", &broken.text, &text)?;
        Ok(broken)
    }

    /// Sends a call that is answered with these bytes: the status and the body that came back. What
    /// arrived upstream is checked too.
    async fn call(
        &self,
        client: &'static dyn Client,
        scene: Scene,
        stream: bool,
        replay: Replay,
    ) -> Verdict<(u16, Bytes)> {
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
        let events = stream && status == OK;
        let wanted = if events { "text/event-stream" } else { "application/json" };
        holds(media_type.starts_with(wanted), || format!("the answer is {media_type}"))?;
        let Some(call) = self.simulator.calls().find(index) else {
            return Err("nothing arrived upstream".to_owned());
        };
        self.upstream.arrived(&call, &self.key, scene, stream)?;
        match ending {
            Ending::Clean => Ok((status, body)),
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

/// The body of an answer that is none of an error.
fn success((status, body): (u16, Bytes)) -> Verdict<Bytes> {
    let text = String::from_utf8_lossy(&body);
    same("the status", status, OK).map_err(|why| format!("{why}\n    {text}"))?;
    Ok(body)
}

/// A stream in pieces that end anywhere: inside records, and inside characters.
pub(super) fn in_pieces(stream: &Bytes) -> Vec<Bytes> {
    let starts = (0..stream.len()).step_by(PIECE_BYTES);
    starts.map(|from| stream.slice(from..stream.len().min(from + PIECE_BYTES))).collect()
}

/// Why a stream is not what it should be, with the stream.
fn in_stream(why: &str, body: &[u8]) -> String {
    format!("{why}\n{}", String::from_utf8_lossy(body))
}
