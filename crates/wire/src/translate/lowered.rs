//! A client's request with a lower limit on its output, in the words of its format.

use bytes::Bytes;

use super::{ClientFormat, ClientRequest, PathSays};
use crate::formats::openai_chat::RequestProblem;
use crate::json::{Kind, Layout, Malformed, Object, Raw, Splice};
use crate::provider::OUTPUT_LIMITS;

/// Where a request of Google's format has its limit, in both spellings of protobuf's JSON.
const GENERATION: [&str; 2] = ["generationConfig", "generation_config"];
const GENERATION_LIMITS: [&str; 2] = ["maxOutputTokens", "max_output_tokens"];

impl ClientRequest {
    /// The least output limit that the client's own format takes beside what the request says: of
    /// Anthropic's, one token more than it may think (API reference, extended thinking).
    #[must_use]
    pub fn output_tokens_min(&self) -> u64 {
        if self.format != ClientFormat::AnthropicMessages {
            return 1;
        }
        let object = Object::laid_out(&self.body, &self.layout);
        let thinking = object.as_ref().and_then(|object| object.value("thinking"));
        let budget = thinking.and_then(|thinking| thinking.find("budget_tokens"));
        budget.and_then(Raw::whole).map_or(1, |tokens| tokens.saturating_add(1))
    }

    /// The request with this limit on the output of a choice, where it has none or a higher one.
    ///
    /// # Errors
    /// [`RequestProblem`] when the request cannot be read again.
    pub fn with_output_limit(&self, most: u64) -> Result<Self, RequestProblem> {
        let names: &[&str] = match self.format {
            ClientFormat::OpenAiChat => &OUTPUT_LIMITS,
            ClientFormat::OpenAiResponses => &["max_output_tokens"],
            ClientFormat::AnthropicMessages => &["max_tokens"],
            ClientFormat::Gemini => &[],
        };
        let body = if names.is_empty() {
            generation(&self.body, &self.layout, most).map_err(RequestProblem::Malformed)?
        } else {
            lowered(&self.body, &self.layout, names, most)
        };
        let (model, stream) = (Some(self.asked.model.as_str()), self.asked.stream);
        let path = PathSays { model, stream, array: self.array };
        // What the client wanted gone is gone from the body that is edited here.
        Ok(Self { edits: self.edits.clone(), ..Self::read_whole(self.format, &body, path)? })
    }
}

/// An object whose members of these names are at most `most`; the first is added where none is.
fn lowered(body: &Bytes, layout: &Layout, names: &[&str], most: u64) -> Bytes {
    let mut splice = Splice::over(body, layout);
    let mut said = false;
    for name in names {
        let Some(limit) = splice.value(name).map(Raw::whole) else { continue };
        said = true;
        if limit.is_none_or(|limit| limit > most) {
            splice.set(name, most.to_string());
        }
    }
    if let Some(first) = names.first().filter(|_| !said) {
        splice.set(first, most.to_string());
    }
    splice.finish()
}

fn generation(body: &Bytes, layout: &Layout, most: u64) -> Result<Bytes, Malformed> {
    let mut splice = Splice::over(body, layout);
    let mut said = false;
    for name in GENERATION {
        let Some(config) = splice.value(name).filter(|raw| raw.kind() == Kind::Object) else {
            continue;
        };
        let config = Bytes::copy_from_slice(config.as_written().as_bytes());
        let inner = Object::scan(&config)?.layout();
        let config = lowered(&config, &inner, &GENERATION_LIMITS, most);
        splice.set(name, String::from_utf8_lossy(&config));
        said = true;
    }
    if !said {
        splice.set(GENERATION[0], format!(r#"{{"{}":{most}}}"#, GENERATION_LIMITS[0]));
    }
    Ok(splice.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: ClientFormat, body: &str) -> ClientRequest {
        let gemini = format == ClientFormat::Gemini;
        let path = PathSays { model: gemini.then_some("m"), stream: gemini, array: false };
        ClientRequest::read(format, &Bytes::copy_from_slice(body.as_bytes()), path).expect(body)
    }

    #[test]
    fn a_lower_limit_takes_the_place_of_a_higher_one_or_of_none() {
        use ClientFormat::{AnthropicMessages, Gemini, OpenAiChat, OpenAiResponses};
        for (format, before, after) in [
            (
                OpenAiChat,
                r#"{"model":"m","messages":[{}]}"#,
                r#"{"model":"m","messages":[{}],"max_tokens":5}"#,
            ),
            (
                OpenAiChat,
                r#"{"model":"m","max_completion_tokens":9,"max_tokens":4,"messages":[{}]}"#,
                r#"{"model":"m","max_completion_tokens":5,"max_tokens":4,"messages":[{}]}"#,
            ),
            (
                OpenAiChat,
                r#"{"model":"m","max_tokens":null,"messages":[{}]}"#,
                r#"{"model":"m","max_tokens":5,"messages":[{}]}"#,
            ),
            (
                OpenAiResponses,
                r#"{"model":"m","max_output_tokens":99,"input":"hi"}"#,
                r#"{"model":"m","max_output_tokens":5,"input":"hi"}"#,
            ),
            (
                AnthropicMessages,
                r#"{"model":"m","max_tokens":99,"messages":[{}]}"#,
                r#"{"model":"m","max_tokens":5,"messages":[{}]}"#,
            ),
            (
                Gemini,
                r#"{"contents":[{}],"generation_config":{"topK":1,"max_output_tokens":9}}"#,
                r#"{"contents":[{}],"generation_config":{"topK":1,"max_output_tokens":5}}"#,
            ),
            (
                Gemini,
                r#"{"contents":[{}]}"#,
                r#"{"contents":[{}],"generationConfig":{"maxOutputTokens":5}}"#,
            ),
        ] {
            let request = read(format, before);
            let lowered = request.with_output_limit(5).expect(before);
            assert_eq!(String::from_utf8_lossy(&lowered.body), after);
            assert_eq!(lowered.asked.output_tokens_max, Some(5), "{after}");
            assert_eq!((&lowered.asked.model, lowered.format), (&request.asked.model, format));
        }
    }

    #[test]
    fn what_the_client_wants_gone_stays_gone_and_is_still_told() {
        let body = r#"{"model":"m","messages":[{}],"additional_drop_params":["user"],"user":"u"}"#;
        let lowered = read(ClientFormat::OpenAiChat, body).with_output_limit(5).expect(body);
        assert!(!String::from_utf8_lossy(&lowered.body).contains(r#""user":"u""#));
        assert_eq!(lowered.edits.dropped, ["user".into()]);
    }

    #[test]
    fn an_answer_is_longer_than_the_thinking_before_it() {
        let body = r#"{"model":"m","max_tokens":9000,"messages":[{}],
            "thinking":{"type":"enabled","budget_tokens":1024}}"#;
        assert_eq!(read(ClientFormat::AnthropicMessages, body).output_tokens_min(), 1025);
        let plain = r#"{"model":"m","max_tokens":9000,"messages":[{}]}"#;
        assert_eq!(read(ClientFormat::AnthropicMessages, plain).output_tokens_min(), 1);
    }
}
