//! The state of a conversation that goes on by `previous_response_id`, kept in the provider's
//! place: the items of the earlier turns, written into a request. Where they are kept is not
//! decided here.
//!
//! Items stay the raw JSON that the client or the upstream wrote.

use std::collections::HashSet;

use bytes::Bytes;
use bytestring::ByteString;

use super::fields::{At, Body, array, object};
use crate::formats::openai_chat::RequestProblem;
use crate::json::write;
use crate::json::{Kind, Object, Raw, Splice, quoted};

/// Most items of a conversation that is kept, of all its turns together.
pub const KEPT_ITEMS_MAX: usize = 4096;

/// Most bytes of a conversation that is kept, of all its items together.
pub const KEPT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Whether the response is to be kept: unless the client says `store: false` (OpenAI API reference,
/// responses: the default is true). A body that cannot be read is not kept.
#[must_use]
pub fn wants_store(body: &Bytes) -> bool {
    let Ok(body) = Object::scan(body) else { return false };
    body.value("store").is_none_or(|store| store.boolean() != Some(false))
}

/// The response that a request continues.
///
/// # Errors
/// [`RequestProblem`] when the body is no JSON object, when the id is no text, and when
/// `conversation` is given beside it, which excludes it.
pub fn previous_response_id(body: &Bytes) -> Result<Option<ByteString>, RequestProblem> {
    let scanned = Object::scan(body).map_err(RequestProblem::Malformed)?;
    let at = At::top("previous_response_id");
    let id = Body::scanned(body).text_if_any(scanned.value("previous_response_id"), &at)?;
    if id.is_some() && scanned.value("conversation").is_some() {
        return Err(at.outside("absent where `conversation` is given"));
    }
    Ok(id.filter(|id| !id.is_empty()))
}

/// The input of a request as raw items, each with an id: a text becomes one message of the user,
/// the easy form of a message the full one. `call` is the gateway's id of the call, from which
/// items without an id get theirs.
///
/// # Errors
/// [`RequestProblem`] when the input is neither a text nor an array of objects, or has more than
/// [`KEPT_ITEMS_MAX`] items or [`KEPT_BYTES_MAX`] bytes.
pub fn input_items(body: &Bytes, call: &str) -> Result<Vec<ByteString>, RequestProblem> {
    let scanned = Object::scan(body).map_err(RequestProblem::Malformed)?;
    let at = At::top("input");
    let items = match scanned.value("input") {
        None => Vec::new(),
        Some(text) if text.kind() == Kind::String => vec![ByteString::from(message(text))],
        Some(input) => raw_items(input, &at, &Body::scanned(body))?,
    };
    check_limits(&items, &at)?;
    let named = items.iter().enumerate();
    Ok(named.map(|(index, item)| normal(item, call, index)).collect())
}

/// The output of a whole response as raw items; nothing for a body that holds none.
#[must_use]
pub fn output_items(response: &Bytes) -> Vec<ByteString> {
    let Ok(scanned) = Object::scan(response) else { return Vec::new() };
    let body = Body::scanned(response);
    let items = scanned.value("output").into_iter().flat_map(Raw::elements);
    items.filter(|item| item.kind() == Kind::Object).map(|item| body.raw(item)).collect()
}

/// Items as one JSON array, as they are kept.
#[must_use]
pub fn item_array(items: &[ByteString]) -> String {
    let mut out = Vec::with_capacity(items.iter().map(|item| item.len() + 1).sum());
    write::array(&mut out, |out| items.iter().for_each(|item| _ = out.raw(item)));
    String::from_utf8(out).expect("every item is text")
}

/// The items of an array that [`item_array`] wrote.
#[must_use]
pub fn items_of_array(array: &str) -> Vec<ByteString> {
    Raw::scanned(array).elements().map(|item| item.as_written().into()).collect()
}

/// The id of an item; `None` for one that has none.
#[must_use]
pub fn item_id(item: &ByteString) -> Option<String> {
    let item = Object::scan(item.as_bytes()).ok()?;
    item.value("id")?.text().map(String::from)
}

/// The request with the items of the earlier turns before its own, for an upstream that keeps
/// nothing: input and output items of each turn, in order. `previous_response_id` goes. An item
/// that stands among the earlier ones by its id, or refers to one, is not said twice.
///
/// # Errors
/// [`RequestProblem`] when the input cannot be read, or when all items together are more than
/// [`KEPT_ITEMS_MAX`] or [`KEPT_BYTES_MAX`] bytes.
pub fn continue_from(body: &Bytes, earlier_items: &[ByteString]) -> Result<Bytes, RequestProblem> {
    let scanned = Object::scan(body).map_err(RequestProblem::Malformed)?;
    let at = At::top("input");
    let mut items = earlier_items.to_vec();
    let known: HashSet<String> = earlier_items.iter().filter_map(item_id).collect();
    match scanned.value("input") {
        None => {}
        Some(text) if text.kind() == Kind::String => items.push(message(text).into()),
        Some(input) => {
            let given = raw_items(input, &at, &Body::scanned(body))?;
            let new = |item: &ByteString| item_id(item).is_none_or(|id| !known.contains(&id));
            items.extend(given.into_iter().filter(new));
        }
    }
    check_limits(&items, &At::top("previous_response_id"))?;
    let mut splice = Splice::new(body, &scanned);
    splice.set("input", item_array(&items));
    splice.remove("previous_response_id");
    Ok(splice.finish())
}

fn raw_items(input: Raw<'_>, at: &At<'_>, body: &Body) -> Result<Vec<ByteString>, RequestProblem> {
    if input.kind() != Kind::Array {
        return Err(at.wrong("a string or an array of items", input));
    }
    let items = array(Some(input), at)?.elements().enumerate();
    items.map(|(index, item)| Ok(body.raw(object(Some(item), &at.element(index))?))).collect()
}

fn check_limits(items: &[ByteString], at: &At<'_>) -> Result<(), RequestProblem> {
    let bytes: usize = items.iter().map(|item| item.len()).sum();
    if items.len() > KEPT_ITEMS_MAX || bytes > KEPT_BYTES_MAX {
        return Err(at.outside(format!(
            "a conversation of at most {KEPT_ITEMS_MAX} items and {KEPT_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}

/// A message of the user that says a text, which is given as a JSON string.
fn message(text: Raw<'_>) -> String {
    let mut out = Vec::new();
    write::object(&mut out, |o| {
        o.string("type", "message").string("role", "user");
        o.raw("content", &content(text, "input_text"));
    });
    String::from_utf8(out).expect("every piece is text")
}

fn content(text: Raw<'_>, kind: &str) -> String {
    format!(r#"[{{"type":"{kind}","text":{}}}]"#, text.as_written())
}

/// An item with a type, an id, and content in parts.
fn normal(item: &ByteString, call: &str, index: usize) -> ByteString {
    let Ok(scanned) = Object::scan(item.as_bytes()) else { return item.clone() };
    let kind = scanned.value("type").and_then(Raw::text);
    let role = scanned.value("role").and_then(Raw::text);
    let kind = kind.as_deref().unwrap_or("message");
    let bytes = Bytes::copy_from_slice(item.as_bytes());
    let mut splice = Splice::new(&bytes, &scanned);
    if scanned.value("type").is_none() {
        splice.set("type", quoted(kind));
    }
    if let Some(text) = scanned.value("content").filter(|content| content.kind() == Kind::String) {
        let by_model = role.as_deref() == Some("assistant");
        splice.set("content", content(text, if by_model { "output_text" } else { "input_text" }));
    }
    if scanned.value("id").and_then(Raw::text).is_none_or(|id| id.is_empty()) {
        let bare = call.strip_prefix("resp_").unwrap_or(call);
        splice.set("id", quoted(&format!("{}_{bare}_in{index}", prefix(kind))));
    }
    ByteString::try_from(splice.finish()).unwrap_or_else(|_| item.clone())
}

/// What ids of an item begin with (OpenAI API reference, responses; `fco` as observed clients write
/// it).
fn prefix(kind: &str) -> &str {
    match kind {
        "message" => "msg",
        "reasoning" => "rs",
        "function_call" => "fc",
        "function_call_output" => "fco",
        "custom_tool_call" => "ctc",
        "custom_tool_call_output" => "ctco",
        _ => "item",
    }
}

#[cfg(test)]
mod tests;
