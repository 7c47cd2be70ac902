//! One answer: its facts, and its text when it is buffered (openai.md §1.3).

use std::sync::Arc;

use crate::behaviour::{Behaviour, Fault};
use crate::json::{push, push_string};
use crate::plan::{Plan, Token};
use crate::request::ChatRequest;

/// The `created` of every answer, in seconds since 1970: 2026-01-01T00:00:00Z.
pub const CREATED: u64 = 1_767_225_600;

/// What one call is answered with.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) behaviour: Arc<Behaviour>,
    pub(crate) plan: Plan,
    pub(crate) choices: u32,
    /// Whether the usage is part of the answer, or of its last chunk.
    pub(crate) usage: bool,
    number: u64,
    model: String,
    prompt_tokens: u32,
}

impl Answer {
    /// The answer with this number, from 1, of this behaviour under this echoed model name.
    pub(crate) fn new(
        number: u64,
        request: &ChatRequest,
        behaviour: Arc<Behaviour>,
        name: &str,
    ) -> Self {
        let model = match &behaviour.model_date {
            Some(date) => format!("{name}-{date}"),
            None => name.to_owned(),
        };
        Self {
            plan: Plan::new(&behaviour, request),
            choices: request.choices,
            usage: behaviour.fault != Fault::NoUsage && (!request.stream || request.include_usage),
            number,
            model,
            prompt_tokens: behaviour.prompt_tokens.unwrap_or(request.prompt_tokens),
            behaviour,
        }
    }

    /// The tokens of all choices.
    pub(crate) fn completion_tokens(&self) -> u32 {
        self.plan.count().saturating_mul(self.choices)
    }

    /// The whole buffered answer.
    pub(crate) fn buffered(&self) -> String {
        let mut out = String::with_capacity(BUFFERED_BYTES + 8 * self.completion_tokens() as usize);
        self.push_opening(&mut out, "chat.completion");
        out.push_str(r#","choices":["#);
        for choice in 0..self.choices {
            if choice > 0 {
                out.push(',');
            }
            self.push_choice(&mut out, choice);
        }
        out.push(']');
        if self.usage {
            out.push_str(r#","usage":"#);
            self.push_usage(&mut out);
        }
        out.push_str(r#","service_tier":"default","system_fingerprint":"fp_simulator"}"#);
        out
    }

    /// The members that every object of an answer begins with, the brace included.
    pub(crate) fn push_opening(&self, out: &mut String, object: &str) {
        let number = self.number;
        push(out, format_args!(r#"{{"id":"chatcmpl-{number:08}","object":"{object}","#));
        push(out, format_args!(r#""created":{CREATED},"model":"#));
        push_string(out, &self.model);
    }

    /// The usage object.
    pub(crate) fn push_usage(&self, out: &mut String) {
        let prompt = self.prompt_tokens;
        let completion = self.completion_tokens();
        let total = u64::from(prompt) + u64::from(completion);
        let cached = self.behaviour.cached_tokens.min(prompt);
        let reasoning = self.behaviour.reasoning_tokens.min(completion);
        push(out, format_args!(r#"{{"prompt_tokens":{prompt},"completion_tokens":{completion},"#));
        push(out, format_args!(r#""total_tokens":{total},"prompt_tokens_details":{{"#));
        push(out, format_args!(r#""cached_tokens":{cached},"audio_tokens":0}},"#));
        push(out, format_args!(r#""completion_tokens_details":{{"reasoning_tokens":{reasoning},"#));
        out.push_str(r#""audio_tokens":0,"accepted_prediction_tokens":0,"#);
        out.push_str(r#""rejected_prediction_tokens":0}}"#);
    }

    /// The id of a choice's tool call.
    pub(crate) fn tool_call_id(&self, choice: u32) -> String {
        format!("call_{:08}_{choice}", self.number)
    }

    fn push_choice(&self, out: &mut String, choice: u32) {
        push(out, format_args!(r#"{{"index":{choice},"message":{{"role":"assistant","content":"#));
        if self.plan.calls_tool() {
            out.push_str(r#"null,"tool_calls":["#);
            self.push_tool_call(out, choice);
            out.push(']');
        } else {
            push_string(out, &self.text(choice));
        }
        let finish = self.plan.finish_reason();
        out.push_str(r#","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":""#);
        push(out, format_args!(r#"{finish}"}}"#));
    }

    fn push_tool_call(&self, out: &mut String, choice: u32) {
        let name = match self.plan.token(choice, 0) {
            Some(Token::ToolName(name)) => name,
            _ => "",
        };
        let id = self.tool_call_id(choice);
        push(out, format_args!(r#"{{"id":"{id}","type":"function","function":{{"name":"#));
        push_string(out, name);
        out.push_str(r#","arguments":"#);
        push_string(out, &self.text(choice));
        out.push_str("}}");
    }

    /// The text of a choice, or the arguments of its tool call.
    fn text(&self, choice: u32) -> String {
        let mut text = String::new();
        for at in 0..self.plan.count() {
            match self.plan.token(choice, at) {
                Some(Token::Text(part) | Token::ToolArguments(part)) => text.push_str(part),
                Some(Token::ToolName(_)) | None => {}
            }
        }
        text
    }
}

/// The size of a buffered answer without its words, in bytes.
const BUFFERED_BYTES: usize = 640;

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::behaviour::ToolCall;

    fn buffered(behaviour: Behaviour, body: &str) -> String {
        let request = ChatRequest::read(body.as_bytes()).expect("a request");
        Answer::new(7, &request, Arc::new(behaviour), &request.model).buffered()
    }

    #[test]
    fn a_buffered_answer_is_shaped_as_the_provider_shapes_it() {
        let behaviour = Behaviour {
            cached_tokens: 1,
            reasoning_tokens: 99,
            model_date: Some("2026-01-31".to_owned()),
            ..Behaviour::answering(3)
        };
        let body = r#"{"model":"gpt-\"x","messages":[{"role":"user","content":"Say it"}]}"#;
        expect![[r#"{"id":"chatcmpl-00000007","object":"chat.completion","created":1767225600,"model":"gpt-\"x-2026-01-31","choices":[{"index":0,"message":{"role":"assistant","content":"the keeper opens","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":1,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_simulator"}"#]]
            .assert_eq(&buffered(behaviour, body));
    }

    #[test]
    fn a_buffered_tool_call_has_its_arguments_whole() {
        let call = ToolCall { name: None, arguments: r#"{"city":"Rome"}"#.to_owned() };
        let behaviour = Behaviour { tool_call: Some(call), ..Behaviour::default() };
        let body = r#"{"model":"m","messages":[],
            "tools":[{"type":"function","function":{"name":"weather"}}]}"#;
        let answer: serde_json::Value =
            serde_json::from_str(&buffered(behaviour, body)).expect("JSON");
        expect![[r#"{"annotations":[],"content":null,"refusal":null,"role":"assistant","tool_calls":[{"function":{"arguments":"{\"city\":\"Rome\"}","name":"weather"},"id":"call_00000007_0","type":"function"}]}"#]]
            .assert_eq(&answer["choices"][0]["message"].to_string());
        assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
        assert_eq!(answer["usage"]["completion_tokens"], 3);
    }

    #[test]
    fn the_usage_counts_every_choice_and_can_be_left_out() {
        let body = r#"{"model":"m","messages":[],"n":3,"max_tokens":2}"#;
        let answer: serde_json::Value =
            serde_json::from_str(&buffered(Behaviour::answering(5), body)).expect("JSON");
        assert_eq!(answer["usage"]["completion_tokens"], 6);
        assert_eq!(answer["choices"][2]["message"]["content"], "cart that");
        assert_eq!(answer["choices"][2]["finish_reason"], "length");
        let silent = buffered(Behaviour::failing(Fault::NoUsage), body);
        assert!(!silent.contains("usage"), "{silent}");
    }
}
