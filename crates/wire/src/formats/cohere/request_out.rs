//! Writing a conversation as the body of `POST /v2/chat`.
//!
//! The same conversation always gives the same bytes, so that the provider's prompt cache hits.

mod messages;
mod settings;
mod tools;

use self::messages::write_messages;
use self::settings::{sampling, thinking, write_sampling, write_thinking};
use self::tools::{offer, write_choice, write_format};
use crate::conversation::{Conversation, Source};
use crate::formats::functions::write_functions;
use crate::formats::report::Report;
use crate::formats::translation::{Target, Unsupported, Written};
use crate::formats::turns::{Takes, arrange};
use crate::json::write;

/// Fields of this API that the hub has no word for. They go out as they came.
const OWN_FIELDS: [&str; 5] =
    ["documents", "citation_options", "safety_mode", "strict_tools", "priority"];

/// Messages as this API takes them. Its reasoning carries no seal by which it could be told from
/// another provider's, so none goes back.
const TAKES: Takes = Takes { refuses_image, thoughts: false };

fn refuses_image(source: &Source) -> Option<&'static str> {
    match source {
        Source::Url(_) | Source::Base64 { .. } => None,
        Source::Text(_) => Some("a picture is no text"),
        Source::File(_) => Some("it names a file that another provider keeps"),
    }
}

/// Writes the request that asks the target for an answer.
///
/// # Errors
/// [`Unsupported`] with the first field that the target cannot express and that no leniency allows
/// to be left out.
pub fn from_conversation(c: &Conversation, target: &Target<'_>) -> Result<Written, Unsupported> {
    let mut report = Report::new(target);
    let turns = arrange(c, &TAKES, &mut report)?;
    let offer = offer(c, &mut report)?;
    let sampled = sampling(c, &mut report)?;
    let thinking = thinking(&c.reasoning, &mut report);
    report.drop_hints(c);
    let is_own = |name: &str| OWN_FIELDS.contains(&name);
    for (name, raw) in c.unmapped.iter().filter(|(name, _)| !is_own(name)) {
        report.leave_out_unmapped(name, raw)?;
    }
    let mut body = c.buffer();
    let layout = write::body(&mut body, |o| {
        o.string("model", report.model());
        write_messages(o, &turns, offer.instruction.as_deref());
        write_functions(o, &offer.tools);
        write_choice(o, &offer);
        write_format(o, &offer);
        write_thinking(o, thinking);
        if let Some(most) = c.output_tokens_max {
            o.number("max_tokens", most);
        }
        write_sampling(o, &sampled);
        for (name, raw) in c.unmapped.iter().filter(|(name, _)| is_own(name)) {
            o.raw(name, raw);
        }
        if c.stream {
            o.boolean("stream", true);
        }
    });
    Ok(report.written((body, layout)))
}
