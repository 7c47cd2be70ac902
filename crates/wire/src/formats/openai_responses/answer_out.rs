//! Writing a whole answer for a client that speaks the Responses API.

use super::client_tools::ClientTools;
use super::output::{Ids, Item};
use super::response::{Finished, Response, Status};
use crate::conversation::Answer;
use crate::formats::translation::Reply;
use crate::json::write::object;

/// Writes a response object from the first choice: the API knows no other. Its ids come from the
/// gateway's id of the call.
#[must_use]
pub fn from_answer(answer: &Answer, reply: &Reply) -> Vec<u8> {
    from_answer_with(answer, reply, &ClientTools::default())
}

/// The same for a request that was made portable: tools are called what the client calls them.
#[must_use]
pub fn from_answer_with(answer: &Answer, reply: &Reply, tools: &ClientTools) -> Vec<u8> {
    let ids = Ids::new(&reply.id);
    let choice = answer.choices.first();
    let items = Item::all(choice.map_or(&[], |choice| &choice.parts), tools);
    let status = Status::ended(choice.and_then(|choice| choice.finish), &items);
    let last = items.len().saturating_sub(1);
    let finished = |(index, item): (usize, Item)| {
        let status = if index == last { status } else { Status::Completed };
        Finished { id: ids.item(&item, index), item, status }
    };
    let items: Vec<Finished> = items.into_iter().enumerate().map(finished).collect();
    let mut out = Vec::new();
    let response = Response {
        ids: &ids,
        reply,
        created: answer.created.unwrap_or(reply.created),
        status,
        items: &items,
        usage: answer.usage.as_ref(),
    };
    object(&mut out, |o| response.write(o));
    out
}
