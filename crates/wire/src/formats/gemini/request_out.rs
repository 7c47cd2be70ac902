//! Writing a conversation as the body of `generateContent`.
//!
//! The model and whether the answer streams stand in the path, which is not written here. The same
//! conversation always gives the same bytes, so that implicit prompt caches hit.

mod arrange;
mod contents;
mod settings;
mod thinking;

use self::arrange::arrange;
use self::contents::{write_contents, write_system};
use self::settings::{generation, offer, write_generation, write_tool_config, write_tools};
use super::model::Model;
use super::report::Report;
use crate::conversation::Conversation;
use crate::formats::translation::{Target, Unsupported, Written};
use crate::json::write;

/// Fields of this format at the top level that the hub has no word for. From a client of this
/// format they go out as they came; fields of other formats are left out.
const OWN_FIELDS: [&str; 4] = ["safetySettings", "cachedContent", "labels", "serviceTier"];

/// Writes the request that asks the target for an answer.
///
/// # Errors
/// [`Unsupported`] with the first field that the target cannot express and that no leniency allows
/// to be left out.
pub fn from_conversation(c: &Conversation, target: &Target<'_>) -> Result<Written, Unsupported> {
    let mut report = Report::new(target);
    let model = Model::of(target.model);
    let arranged = arrange(c, model, &mut report)?;
    let offer = offer(c, model, &mut report)?;
    let generation = generation(c, model, &offer, &mut report)?;
    note_left_out(c, &mut report);
    let mut body = c.buffer();
    let layout = write::body(&mut body, |o| {
        write_contents(o, &arranged, model);
        write_system(o, &arranged);
        write_tools(o, &offer);
        write_tool_config(o, c, &offer);
        write_generation(o, c, &generation);
        for (name, raw) in c.unmapped.iter().filter(|(name, _)| OWN_FIELDS.contains(&&**name)) {
            o.raw(name, raw);
        }
    });
    Ok(report.written((body, layout)))
}

/// The members of one of the request's objects that the hub has no word for.
fn unmapped_of<'c>(c: &'c Conversation, parent: &str) -> impl Iterator<Item = (&'c str, &'c str)> {
    c.unmapped.iter().filter_map(move |(name, raw)| {
        let member = name.strip_prefix(parent)?.strip_prefix('.')?;
        (!member.contains(['.', '['])).then_some((member, &**raw))
    })
}

/// Names what carries no meaning for the answer and has no place here.
fn note_left_out(c: &Conversation, report: &mut Report<'_>) {
    if c.parallel_tools.is_some() {
        report.drop("parallel_tool_calls");
    }
    if c.user.is_some() {
        report.drop("user");
    }
    if c.tools.iter().any(|tool| tool.strict.is_some()) {
        report.drop("strict");
    }
    let cached = |part: &crate::conversation::Part| part.cache.is_some();
    let hinted = c.messages.iter().any(|message| message.parts.iter().any(cached));
    if hinted || c.tools.iter().any(|tool| tool.cache.is_some()) {
        report.drop("cache_control");
    }
    if c.messages.iter().any(|message| message.name.is_some()) {
        report.drop("name");
    }
    for (name, _) in &c.unmapped {
        let parents = ["generationConfig", "toolConfig"];
        let member = parents.iter().any(|parent| {
            unmapped_of(c, parent).any(|(m, _)| {
                name.strip_prefix(parent).and_then(|rest| rest.strip_prefix('.')) == Some(m)
            })
        });
        if !member && !OWN_FIELDS.contains(&&**name) {
            report.drop(name);
        }
    }
}

#[cfg(test)]
mod tests;
