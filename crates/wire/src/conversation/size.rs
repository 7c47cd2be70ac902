//! How large a conversation is in text, so that it is written into a buffer that need not grow.

use super::{
    Arguments, Citation, Conversation, Message, Part, PartBody, ResponseFormat, Source, Tool,
    ToolKind,
};

/// Bytes that every request has beside its texts.
const BESIDE: usize = 512;

/// Bytes of the names and brackets around a message, a part or a tool.
const AROUND: usize = 96;

/// A text's escapes and whatever else was not foreseen take one byte for so many.
const SLACK: usize = 16;

impl Conversation {
    /// An empty buffer that has room for the whole conversation as JSON, unless much of it has to
    /// be escaped.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        let messages: usize = self.messages.iter().map(message_bytes).sum();
        let tools: usize = self.tools.iter().map(tool_bytes).sum();
        let unmapped: usize = self.unmapped.iter().map(|(name, raw)| name.len() + raw.len()).sum();
        let schema = match &self.response_format {
            ResponseFormat::JsonSchema { schema, .. } => schema.len(),
            ResponseFormat::Text | ResponseFormat::JsonObject => 0,
        };
        let texts = messages + tools + unmapped + schema;
        Vec::with_capacity(BESIDE + texts + texts / SLACK)
    }
}

fn message_bytes(message: &Message) -> usize {
    AROUND + message.parts.iter().map(part_bytes).sum::<usize>()
}

fn part_bytes(part: &Part) -> usize {
    let inside = match &part.body {
        PartBody::Text { text, citations } => {
            text.len() + citations.iter().map(citation_bytes).sum::<usize>()
        }
        PartBody::Refusal { text } => text.len(),
        PartBody::Image { source, .. }
        | PartBody::Document { source, .. }
        | PartBody::Audio { source } => source_bytes(source),
        PartBody::ToolCall(call) => match &call.arguments {
            Arguments::Json(text) | Arguments::Text(text) => text.len(),
        },
        PartBody::ToolResult(result) => result.parts.iter().map(part_bytes).sum(),
        PartBody::Reasoning(block) => {
            block.text.len() + block.seal.as_ref().map_or(0, |seal| seal.len())
        }
    };
    AROUND + inside
}

fn citation_bytes(citation: &Citation) -> usize {
    AROUND + citation.raw.len()
}

fn source_bytes(source: &Source) -> usize {
    match source {
        Source::Base64 { data, .. } => data.len(),
        Source::Url(text) | Source::Text(text) | Source::File(text) => text.len(),
    }
}

fn tool_bytes(tool: &Tool) -> usize {
    let takes = match &tool.kind {
        ToolKind::Function { parameters } => parameters.as_ref().map_or(0, |raw| raw.len()),
        ToolKind::Custom { format } => format.as_ref().map_or(0, |raw| raw.len()),
        ToolKind::Hosted { declaration } => declaration.len(),
    };
    AROUND + takes + tool.description.as_ref().map_or(0, |text| text.len())
}
