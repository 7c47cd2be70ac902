//! What a client asks the gateway to do with its own request: fields of LiteLLM's that go no
//! further.

use bytes::Bytes;

use crate::formats::openai_chat::RequestProblem;
use crate::json::{JsonPath, Kind, Raw, without};

/// Most names or paths in one list.
const NAMES_MAX: usize = 64;
const DROP_PARAMS: &str = "drop_params";
const DROP_PATHS: &str = "additional_drop_params";
const ALLOWED: &str = "allowed_openai_params";

/// A client's own word on how its request is edited (LiteLLM's docs, drop unsupported params).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientEdits {
    /// `drop_params`: whether what the model does not take is left out, where the client says.
    pub drops: Option<bool>,
    /// `allowed_openai_params`: what is sent whatever is known about the model.
    pub passes: Vec<Box<str>>,
    /// `additional_drop_params`, as far as the body had something there: it is gone.
    pub dropped: Vec<Box<str>>,
    /// `additional_drop_params`, not yet looked for.
    drop_paths: Vec<JsonPath>,
}

impl ClientEdits {
    /// Reads them; `value` gives the body's fields.
    ///
    /// # Errors
    /// [`RequestProblem`] for another type than LiteLLM documents, for a path that cannot be read,
    /// and for more than 64 names.
    pub(super) fn read<'b>(
        value: impl Fn(&str) -> Option<Raw<'b>>,
    ) -> Result<Self, RequestProblem> {
        let mut edits = Self::default();
        if let Some(drops) = value(DROP_PARAMS) {
            // A text would be true for LiteLLM even where it reads `false`.
            let flag = drops.boolean().ok_or_else(|| wrong_type(DROP_PARAMS, "a boolean", drops));
            edits.drops = Some(flag?);
        }
        let passes = value(ALLOWED).map(|list| texts(ALLOWED, list)).transpose()?;
        edits.passes = passes.unwrap_or_default();
        let paths = value(DROP_PATHS).map(|list| texts(DROP_PATHS, list)).transpose()?;
        for (at, text) in paths.into_iter().flatten().enumerate() {
            let path = JsonPath::parse(&text).map_err(|problem| RequestProblem::OutOfRange {
                field: format!("{DROP_PATHS}[{at}]"),
                expected: format!("a path such as `tools[*].x`: {problem}"),
            })?;
            edits.drop_paths.push(path);
        }
        Ok(edits)
    }

    /// The body without what the client does not want sent; `None` where nothing changes.
    ///
    /// # Errors
    /// [`RequestProblem`] when the body is no JSON object.
    pub(super) fn apply(&mut self, body: &Bytes) -> Result<Option<Bytes>, RequestProblem> {
        let paths = std::mem::take(&mut self.drop_paths);
        let (left, hit) = without(body, &paths).map_err(RequestProblem::Malformed)?;
        self.dropped = hit.into_iter().map(|path| path.as_written().into()).collect();
        Ok((!self.dropped.is_empty()).then_some(left))
    }
}

fn texts(field: &str, list: Raw<'_>) -> Result<Vec<Box<str>>, RequestProblem> {
    if list.kind() != Kind::Array {
        return Err(wrong_type(field, "an array of strings", list));
    }
    let mut texts = Vec::new();
    for (at, one) in list.elements().enumerate() {
        if at == NAMES_MAX {
            let expected = format!("at most {NAMES_MAX} strings");
            return Err(RequestProblem::OutOfRange { field: field.to_owned(), expected });
        }
        let text = one.text().ok_or_else(|| wrong_type(&format!("{field}[{at}]"), "a string", one));
        texts.push(text?.as_ref().into());
    }
    Ok(texts)
}

fn wrong_type(field: &str, expected: &'static str, value: Raw<'_>) -> RequestProblem {
    let found = value.kind().in_words();
    RequestProblem::WrongType { field: field.to_owned(), expected, found }
}
