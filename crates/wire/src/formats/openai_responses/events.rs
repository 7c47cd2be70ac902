//! Events of a stream: their numbers, their places, and those that end a part.

use super::output::Content;
use super::response::Finished;
use super::sse_out::write_event;
use crate::conversation::Provenance;
use crate::json::JsonWriter;

/// Where an open part stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenPart {
    pub(super) part: u32,
    pub(super) item: usize,
    /// Its place in the content of a message.
    pub(super) content: usize,
    /// Whose reasoning it is.
    pub(super) provenance: Provenance,
}

/// Numbers the events.
#[derive(Debug, Default)]
pub(super) struct Events {
    written: u64,
}

impl Events {
    /// Appends the next event.
    pub(super) fn write(
        &mut self,
        out: &mut Vec<u8>,
        name: &str,
        fill: impl FnOnce(&mut JsonWriter<'_>),
    ) {
        write_event(out, name, self.written, fill);
        self.written += 1;
    }
}

/// The members that place an event: the item's id and index, and the index within the item.
pub(super) fn place<'w, 'o>(
    item: &Finished,
    index: usize,
    within: Option<(&str, usize)>,
    o: &'w mut JsonWriter<'o>,
) -> &'w mut JsonWriter<'o> {
    o.string("item_id", &item.id).number("output_index", index as u64);
    if let Some((name, at)) = within {
        o.number(name, at as u64);
    }
    o
}

/// The place of a reasoning's text: its summary is always one.
pub(super) const SUMMARY: (&str, usize) = ("summary_index", 0);

/// Events of a function's arguments, and the member that holds the whole.
pub(super) const FUNCTION: (&str, &str, &str) = (
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "arguments",
);

/// The same for a custom tool.
pub(super) const CUSTOM: (&str, &str, &str) =
    ("response.custom_tool_call_input.delta", "response.custom_tool_call_input.done", "input");

impl Events {
    /// The events that end a part of a message.
    pub(super) fn close_content(
        &mut self,
        item: &Finished,
        at: OpenPart,
        content: &Content,
        out: &mut Vec<u8>,
    ) {
        let within = Some(("content_index", at.content));
        if content.refusal {
            self.write(out, "response.refusal.done", |o| {
                place(item, at.item, within, o).string("refusal", &content.text);
            });
        } else {
            self.write(out, "response.output_text.done", |o| {
                let o = place(item, at.item, within, o).string("text", &content.text);
                o.array("logprobs", |_| {});
            });
        }
        self.write(out, "response.content_part.done", |o| {
            place(item, at.item, within, o).object("part", |o| content.write(o));
        });
    }

    /// The events that end a reasoning's text.
    pub(super) fn close_summary(
        &mut self,
        item: &Finished,
        index: usize,
        text: &str,
        out: &mut Vec<u8>,
    ) {
        self.write(out, "response.reasoning_summary_text.done", |o| {
            place(item, index, Some(SUMMARY), o).string("text", text);
        });
        self.write(out, "response.reasoning_summary_part.done", |o| {
            let o = place(item, index, Some(SUMMARY), o);
            o.object("part", |o| _ = o.string("type", "summary_text").string("text", text));
        });
    }
}
