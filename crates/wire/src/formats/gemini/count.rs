//! Counting tokens: the body of `countTokens`, and its answer.

use bytes::Bytes;

use super::fields::{Body, Members, Place, of_kind};
use super::request_in::to_conversation;
use crate::conversation::Conversation;
use crate::formats::openai_chat::RequestProblem;
use crate::json::write::object;
use crate::json::{Kind, Object};

/// A whole request, given to be counted.
const WHOLE: &str = "generateContentRequest";

/// Reads the body of `countTokens`: the contents, or a whole request with its instructions and
/// tools (Gemini API reference, `models.countTokens`; one excludes the other). A model that the
/// path names takes precedence over the body's.
///
/// # Errors
/// [`RequestProblem`] with the first problem found and the place where it stands.
pub fn to_counted(body: &Bytes, path_model: Option<&str>) -> Result<Conversation, RequestProblem> {
    let scanned = Object::scan(body).map_err(RequestProblem::Malformed)?;
    let members = Members::of_body(&scanned);
    let Some(whole) = members.find(WHOLE) else { return to_conversation(body, path_model, false) };
    let at = Place::top(WHOLE);
    if members.find("contents").is_some() {
        return Err(at.out_of_range("absent where `contents` is given"));
    }
    let whole = of_kind(Some(whole), Kind::Object, &at)?;
    let whole = Body::new(body).raw(whole).into_bytes();
    to_conversation(&whole, path_model, false).map_err(inside)
}

/// A problem of the whole request, by its place in the body.
fn inside(problem: RequestProblem) -> RequestProblem {
    let placed = |field: &str| format!("{WHOLE}.{field}");
    match problem {
        RequestProblem::Missing { field } => Place::top(WHOLE).field(field).absent("present"),
        RequestProblem::WrongType { field, expected, found } => {
            RequestProblem::WrongType { field: placed(&field), expected, found }
        }
        RequestProblem::OutOfRange { field, expected } => {
            RequestProblem::OutOfRange { field: placed(&field), expected }
        }
        RequestProblem::NotAllowed { .. } | RequestProblem::Malformed(_) => problem,
    }
}

/// Writes the answer of `countTokens`.
#[must_use]
pub fn from_count(input_tokens: u64) -> Vec<u8> {
    let mut out = Vec::new();
    object(&mut out, |o| _ = o.number("totalTokens", input_tokens));
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &Value) -> Result<Conversation, RequestProblem> {
        to_counted(&body.to_string().into(), Some("m"))
    }

    #[test]
    fn contents_and_whole_requests_are_counted() {
        let contents = json!([{ "parts": [{ "text": "x" }] }]);
        let instruction = json!({ "parts": [{ "text": "be brief" }] });
        for (body, messages) in [
            (json!({ "contents": contents }), 1),
            (json!({ "contents": contents, "systemInstruction": instruction }), 2),
            (json!({ "generateContentRequest": { "model": "models/a", "contents": contents } }), 1),
            (
                json!({ "generate_content_request": {
                    "contents": contents, "system_instruction": instruction,
                } }),
                2,
            ),
        ] {
            let counted = read(&body).expect("a request");
            assert_eq!(counted.messages.len(), messages, "{body}");
            assert_eq!(counted.model.as_str(), "m");
        }
    }

    #[test]
    fn a_problem_names_its_place_in_the_whole_body() {
        let whole = |request: Value| json!({ "generateContentRequest": request });
        for (body, place) in [
            (json!({}), "contents"),
            (whole(json!(7)), "generateContentRequest"),
            (whole(json!({})), "generateContentRequest.contents"),
            (whole(json!({ "contents": [7] })), "generateContentRequest.contents[0]"),
            (whole(json!({ "contents": [] })), "generateContentRequest.contents"),
            (json!({ "contents": [], "generateContentRequest": {} }), "generateContentRequest"),
        ] {
            let problem = read(&body).expect_err(&body.to_string()).to_string();
            assert!(problem.starts_with(&format!("`{place}` ")), "{problem} for {body}");
        }
    }

    #[test]
    fn a_count_is_written_as_the_api_writes_it() {
        assert_eq!(from_count(31), br#"{"totalTokens":31}"#);
    }
}
