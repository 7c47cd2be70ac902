//! Understanding a streamed response.
//!
//! What an item holds comes twice: in deltas and whole in the events that close it. The deltas are
//! said on as they come; of a server that sends none, the whole is.

use super::answer_in::{call, finish_of, reasoning_text, sealed, text};
use super::content_in::citation;
use super::error::{failure, read_error};
use super::parts::{Key, Parts};
use super::usage::{is_search, read_usage, searches, with_searches};
use crate::conversation::{Arguments, Provenance};
use crate::delta::{Close, Delta, Interpreter, PartKind};
use crate::formats::openai_chat::ErrorBody;
use crate::json::{Object, Raw};

/// What some servers that copy this format end their streams with.
const DONE: &[u8] = b"[DONE]";

/// Understands one streamed response.
#[derive(Debug, Default)]
pub struct ResponsesInterpreter {
    begun: bool,
    over: bool,
    parts: Parts,
    /// Searches among the items that ended.
    searches: u64,
}

/// One event: its members.
type Event<'a> = Object<'a>;

impl ResponsesInterpreter {
    /// At the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn begin(&mut self, response: Option<Raw<'_>>, out: &mut Vec<Delta>) {
        if self.begun {
            return;
        }
        self.begun = true;
        let find = |name| response.and_then(|response| response.find(name));
        out.push(Delta::Begin {
            id: text(find("id")),
            model: text(find("model")),
            created: find("created_at").and_then(Raw::whole),
        });
    }

    fn event(&mut self, kind: &str, event: &Event<'_>, out: &mut Vec<Delta>) {
        match kind {
            "response.created" | "response.queued" | "response.in_progress" => {
                self.begin(event.value("response"), out);
            }
            "response.completed" => self.end(event.value("response"), "completed", out),
            "response.incomplete" => self.end(event.value("response"), "incomplete", out),
            "response.failed" => self.fail(failure(event.value("response")), out),
            _ => {
                self.begin(None, out);
                self.item_event(kind, event, out);
            }
        }
    }

    fn item_event(&mut self, kind: &str, event: &Event<'_>, out: &mut Vec<Delta>) {
        let index = |name| event.value(name).and_then(Raw::whole).unwrap_or(0);
        let key = Key { item: index("output_index"), content: index("content_index") };
        // Calls and reasoning are one part, whatever index their events carry.
        let whole = Key { content: 0, ..key };
        let delta = event.value("delta").and_then(Raw::text).unwrap_or_default();
        match kind {
            "response.output_item.added" => self.item_added(whole, event.value("item"), out),
            "response.output_item.done" => self.item_done(whole, event.value("item"), out),
            "response.content_part.added" => {
                if let Some(kind) = content_kind(event.value("part")) {
                    self.parts.open(key, kind, out);
                }
            }
            "response.content_part.done" => self.content_done(key, event.value("part"), out),
            "response.output_text.delta" => self.parts.say(key, PartKind::Text, &delta, out),
            "response.refusal.delta" => self.parts.say(key, PartKind::Refusal, &delta, out),
            "response.output_text.annotation.added" => {
                if let Some(annotation) = event.value("annotation") {
                    self.cite(key, annotation, out);
                }
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.parts.more(whole, &delta, out);
            }
            "response.reasoning_summary_part.added" => self.parts.break_before_more(whole),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                self.parts.say_reasoning(whole, kind, &delta, out);
            }
            _ => {}
        }
    }

    fn cite(&mut self, key: Key, annotation: Raw<'_>, out: &mut Vec<Delta>) {
        // What a part that has ended cites, or a refusal, has no text to stand in.
        let Some(part) = self.parts.open(key, PartKind::Text, out) else { return };
        if let Some(citation) = citation(annotation, self.parts.said(key)) {
            self.parts.cited(key);
            out.push(Delta::Cite { part, citation });
        }
    }

    fn item_added(&mut self, key: Key, item: Option<Raw<'_>>, out: &mut Vec<Delta>) {
        let Some(item) = item else { return };
        if is_call(item) {
            self.parts.open(key, call_kind(item), out);
        }
    }

    /// Closes an item, saying first what no delta has said of it.
    fn item_done(&mut self, key: Key, item: Option<Raw<'_>>, out: &mut Vec<Delta>) {
        let kind = item.and_then(|item| item.find("type")?.text());
        self.searches += u64::from(item.is_some_and(is_search));
        match (kind.as_deref(), item) {
            (Some("message"), Some(item)) => {
                let contents = item.find("content").into_iter().flat_map(Raw::elements);
                for (index, content) in contents.enumerate() {
                    let content_key = Key { item: key.item, content: index as u64 };
                    self.content_done(content_key, Some(content), out);
                }
            }
            (Some("reasoning"), Some(item)) => self.reasoning_done(key, item, out),
            (Some(_), Some(item)) if is_call(item) => {
                self.parts.open(key, call_kind(item), out);
                let (Arguments::Json(whole) | Arguments::Text(whole)) = call(item).arguments;
                self.parts.say_if_silent(key, &whole, out);
            }
            _ => {}
        }
        self.parts.close_item(key.item, out);
    }

    fn content_done(&mut self, key: Key, content: Option<Raw<'_>>, out: &mut Vec<Delta>) {
        if let (Some(kind), Some(content)) = (content_kind(content), content)
            && !self.parts.is_closed(key)
        {
            let member = if kind == PartKind::Text { "text" } else { "refusal" };
            self.parts.open(key, kind, out);
            let whole = content.find(member).and_then(Raw::text).unwrap_or_default();
            self.parts.say_if_silent(key, &whole, out);
            let cited = content.find("annotations").into_iter().flat_map(Raw::elements);
            cited.skip(self.parts.citations(key)).for_each(|raw| self.cite(key, raw, out));
        }
        self.parts.close(key, out);
    }

    /// The seal comes with the whole item only.
    fn reasoning_done(&mut self, key: Key, item: Raw<'_>, out: &mut Vec<Delta>) {
        let provenance = Provenance::OpenAiResponses;
        let (told, seal) = (reasoning_text(item), sealed(item));
        let silent = told.is_empty() && !self.parts.is_known(key);
        match seal {
            Some(data) if silent => {
                self.parts.open(key, PartKind::Redacted { data, provenance }, out);
            }
            None if silent => {}
            seal => {
                let part = self.parts.open(key, PartKind::Reasoning { provenance }, out);
                self.parts.say_if_silent(key, &told, out);
                if let (Some(part), Some(seal)) = (part, seal) {
                    out.push(Delta::Seal { part, seal });
                }
            }
        }
    }

    fn end(&mut self, response: Option<Raw<'_>>, status: &str, out: &mut Vec<Delta>) {
        self.begin(response, out);
        let output = response.and_then(|response| response.find("output"));
        let items = || output.into_iter().flat_map(Raw::elements);
        let searches = searches(items()).max(self.searches);
        if !self.parts.have_begun() {
            // Some servers send nothing but the whole.
            for (index, item) in items().enumerate() {
                let key = Key { item: index as u64, content: 0 };
                self.item_done(key, Some(item), out);
            }
        }
        self.parts.close_all(out);
        let details = response.and_then(|response| response.find("incomplete_details"));
        let (calls, declines) = (self.parts.calls(), self.parts.declines());
        let reason = finish_of(status, details, calls, declines);
        out.extend(reason.map(|reason| Delta::Finish { choice: 0, reason, stop_sequence: None }));
        let usage = read_usage(response.and_then(|response| response.find("usage")));
        out.extend(with_searches(usage, searches).map(Delta::Usage));
        out.push(Delta::End);
        self.over = true;
    }

    fn fail(&mut self, error: ErrorBody, out: &mut Vec<Delta>) {
        self.begin(None, out);
        self.parts.close_all(out);
        out.push(Delta::Failed(error));
        self.over = true;
    }
}

fn content_kind(part: Option<Raw<'_>>) -> Option<PartKind> {
    match &*part?.find("type")?.text()? {
        "output_text" => Some(PartKind::Text),
        "refusal" => Some(PartKind::Refusal),
        _ => None,
    }
}

fn is_call(item: Raw<'_>) -> bool {
    let kind = item.find("type").and_then(Raw::text);
    matches!(kind.as_deref(), Some("function_call" | "custom_tool_call"))
}

fn call_kind(item: Raw<'_>) -> PartKind {
    let call = call(item);
    let custom = matches!(call.arguments, Arguments::Text(_));
    PartKind::ToolCall { id: call.id, name: call.name, custom }
}

impl Interpreter for ResponsesInterpreter {
    fn record(
        &mut self,
        event: Option<&str>,
        data: &[u8],
        out: &mut Vec<Delta>,
    ) -> Result<(), String> {
        let data = data.trim_ascii();
        if self.over || data.is_empty() || data == DONE {
            return Ok(());
        }
        let object = Object::scan(data).map_err(|malformed| malformed.to_string())?;
        let own = object.value("type").and_then(Raw::text);
        match own.as_deref().or(event) {
            // Some servers report an error without the event's name or shape.
            Some("error") => {
                let error = read_error(data).unwrap_or_else(|| failure(None));
                self.fail(error, out);
            }
            None if object.value("error").is_some() => {
                let error = read_error(data).unwrap_or_else(|| failure(None));
                self.fail(error, out);
            }
            Some(kind) if kind.starts_with("response.") => self.event(kind, &object, out),
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, _how: Close, out: &mut Vec<Delta>) {
        if !self.over {
            self.parts.close_all(out);
            self.over = true;
        }
    }
}
