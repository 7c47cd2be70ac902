//! The tokens of a prompt, for models whose tokenizer is public.
//!
//! Texts are counted where they stand in the body; nothing is written out for it. What the count
//! stands on is the conversation, which a translation needs too and a call reads at most once.

use tollgate_config::Deployment;
use tollgate_tokens::prompt::{
    ANSWER_TOKENS, MESSAGE_TOKENS, NAME_TOKENS, TOOL_TOKENS, TOOLS_TOKENS,
};
use tollgate_tokens::{Encoding, Table, Tally};
use tollgate_wire::conversation::{
    Arguments, Conversation, Message, Part, PartBody, ResponseFormat, Source, Tool, ToolKind,
};

/// The tokenizer of every deployment that may serve a call; `None` where one has no public one, or
/// another than the rest.
pub(crate) fn encoding<'d>(
    deployments: impl IntoIterator<Item = &'d Deployment>,
) -> Option<Encoding> {
    let mut each = deployments.into_iter().map(|deployment| {
        let model = deployment.base_model.as_ref().unwrap_or(&deployment.upstream_model);
        Encoding::of_model(model)
    });
    let first = each.next()??;
    each.all(|other| other == Some(first)).then_some(first)
}

/// The tokens of a whole prompt: its texts, and what the chat template puts around them. Pictures
/// and other media count by their bytes, which is more than they are charged for as a rule.
pub(crate) fn count(conversation: &Conversation, table: &Table) -> u64 {
    let mut tally = Tally::new(table);
    for message in &conversation.messages {
        add_message(&mut tally, message);
    }
    if !conversation.tools.is_empty() {
        tally.tokens(TOOLS_TOKENS);
    }
    for tool in &conversation.tools {
        add_tool(&mut tally, tool);
    }
    if let ResponseFormat::JsonSchema { name, description, schema, .. } =
        &conversation.response_format
    {
        for text in name.iter().chain(description).chain([schema]) {
            tally.text(text);
        }
    }
    tally.tokens(ANSWER_TOKENS);
    tally.total()
}

fn add_message(tally: &mut Tally<'_>, message: &Message) {
    // The role's own word is one token in every public tokenizer.
    tally.tokens(MESSAGE_TOKENS + 1);
    if let Some(name) = &message.name {
        tally.text(name);
        tally.tokens(NAME_TOKENS);
    }
    message.parts.iter().for_each(|part| add_part(tally, part));
}

fn add_part(tally: &mut Tally<'_>, part: &Part) {
    match &part.body {
        PartBody::Text { text, .. } | PartBody::Refusal { text } => tally.text(text),
        PartBody::Image { source, .. } | PartBody::Audio { source } => add_source(tally, source),
        PartBody::Document { source, name } => {
            name.iter().for_each(|name| tally.text(name));
            add_source(tally, source);
        }
        PartBody::ToolCall(call) => {
            let (Arguments::Json(arguments) | Arguments::Text(arguments)) = &call.arguments;
            tally.text(&call.id);
            tally.text(&call.name);
            tally.text(arguments);
            tally.tokens(MESSAGE_TOKENS);
        }
        // A result is a message of its own on the wire.
        PartBody::ToolResult(result) => {
            tally.text(&result.call);
            tally.tokens(MESSAGE_TOKENS + 1);
            result.parts.iter().for_each(|part| add_part(tally, part));
        }
        PartBody::Reasoning(block) => {
            tally.text(&block.text);
            block.seal.iter().filter(|_| block.redacted).for_each(|seal| tally.bytes(seal.len()));
        }
    }
}

fn add_source(tally: &mut Tally<'_>, source: &Source) {
    match source {
        Source::Base64 { data, .. } => tally.bytes(data.len()),
        Source::Url(text) | Source::Text(text) | Source::File(text) => tally.text(text),
    }
}

fn add_tool(tally: &mut Tally<'_>, tool: &Tool) {
    tally.tokens(TOOL_TOKENS);
    tally.text(&tool.name);
    tool.description.iter().for_each(|text| tally.text(text));
    match &tool.kind {
        ToolKind::Function { parameters: schema } | ToolKind::Custom { format: schema } => {
            schema.iter().for_each(|schema| tally.text(schema));
        }
        ToolKind::Hosted { declaration } => tally.text(declaration),
    }
}

#[cfg(test)]
mod tests;
