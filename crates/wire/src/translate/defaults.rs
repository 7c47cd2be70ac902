//! A deployment's own parameters, which are spelled as chat spells them, in every format.

use bytestring::ByteString;

use crate::WireFormat;
use crate::conversation::{Conversation, Effort, Number};
use crate::json::{Object, Raw};

/// Names with raw JSON values.
type Field = (Box<str>, Box<str>);

/// How the parameters of chat are spelled in Messages and in Responses, where they exist there.
const SPELLINGS: [(&str, Option<&str>, Option<&str>); 17] = [
    ("max_tokens", Some("max_tokens"), Some("max_output_tokens")),
    ("max_completion_tokens", Some("max_tokens"), Some("max_output_tokens")),
    ("temperature", Some("temperature"), Some("temperature")),
    ("top_p", Some("top_p"), Some("top_p")),
    ("stop", None, None),
    ("seed", None, None),
    ("n", None, None),
    ("presence_penalty", None, None),
    ("frequency_penalty", None, None),
    ("logit_bias", None, None),
    ("logprobs", None, None),
    ("top_logprobs", None, Some("top_logprobs")),
    ("reasoning_effort", None, None),
    ("response_format", None, None),
    ("parallel_tool_calls", None, Some("parallel_tool_calls")),
    ("verbosity", None, None),
    ("user", None, Some("user")),
];

/// Takes over what a conversation has a word for and the client did not say; gives what is left,
/// which is the provider's own and goes into the body as it is.
pub fn take_over(conversation: &mut Conversation, defaults: &[Field]) -> Vec<Field> {
    let mut left = Vec::new();
    for (name, raw) in defaults {
        if !take(conversation, name, raw) {
            left.push((name.clone(), raw.clone()));
        }
    }
    left
}

/// Whether the conversation has a word for it.
fn take(c: &mut Conversation, name: &str, raw: &str) -> bool {
    match name {
        "max_tokens" | "max_completion_tokens" => {
            c.output_tokens_max = c.output_tokens_max.or_else(|| raw.parse().ok());
        }
        "temperature" => number(&mut c.sampling.temperature, raw),
        "top_p" => number(&mut c.sampling.top_p, raw),
        "top_k" => number(&mut c.sampling.top_k, raw),
        "presence_penalty" => number(&mut c.sampling.presence_penalty, raw),
        "frequency_penalty" => number(&mut c.sampling.frequency_penalty, raw),
        "seed" => number(&mut c.sampling.seed, raw),
        "parallel_tool_calls" => {
            c.parallel_tools = c.parallel_tools.or_else(|| raw.parse().ok());
        }
        "reasoning_effort" => {
            let silent = c.reasoning.effort.is_none() && c.reasoning.mode.is_none();
            c.reasoning.effort = effort(raw.trim_matches('"')).filter(|_| silent);
        }
        "stop" if c.sampling.stop.is_empty() => c.sampling.stop = texts(raw),
        "stop" => {}
        _ => return false,
    }
    true
}

fn number(field: &mut Option<Number>, raw: &str) {
    if field.is_none() && raw.parse::<f64>().is_ok_and(f64::is_finite) {
        *field = Some(Number(raw.into()));
    }
}

fn effort(word: &str) -> Option<Effort> {
    Some(match word {
        "none" => Effort::None,
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" => Effort::XHigh,
        "max" => Effort::Max,
        _ => return None,
    })
}

fn texts(raw: &str) -> Vec<ByteString> {
    let wrapped = format!(r#"{{"stop":{raw}}}"#);
    let Ok(object) = Object::scan(wrapped.as_bytes()) else { return Vec::new() };
    let Some(value) = object.value("stop") else { return Vec::new() };
    let one = value.text().into_iter();
    one.chain(value.elements().filter_map(Raw::text)).map(|text| (*text).into()).collect()
}

/// The parameters as a client of this format would send them; what the format has no field for is
/// left out. A parameter that chat does not know either is the provider's own and stays.
pub fn spelled(format: WireFormat, defaults: &[Field]) -> Vec<Field> {
    let spell = |name: &str| match SPELLINGS.iter().find(|(chat, ..)| *chat == name) {
        None => Some(name.to_owned()),
        Some((_, messages, responses)) => match format {
            WireFormat::AnthropicMessages => messages.map(str::to_owned),
            WireFormat::OpenAiResponses => responses.map(str::to_owned),
            WireFormat::OpenAiChat => Some(name.to_owned()),
            WireFormat::Gemini
            | WireFormat::BedrockConverse
            | WireFormat::Cohere
            | WireFormat::Ollama => None,
        },
    };
    let fields = defaults.iter();
    fields.filter_map(|(name, raw)| Some((spell(name)?.into(), raw.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<Field> {
        pairs.iter().map(|(name, raw)| ((*name).into(), (*raw).into())).collect()
    }

    #[test]
    fn a_default_is_spelled_as_the_format_spells_it_or_left_out() {
        let defaults = fields(&[("max_tokens", "9"), ("stop", "\"x\""), ("thinking", "{}")]);
        let names = |format| -> Vec<Box<str>> {
            spelled(format, &defaults).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(
            names(WireFormat::OpenAiChat),
            ["max_tokens", "stop", "thinking"].map(Into::into)
        );
        assert_eq!(
            names(WireFormat::AnthropicMessages),
            ["max_tokens", "thinking"].map(Into::into)
        );
        let responses = ["max_output_tokens", "thinking"].map(Into::into);
        assert_eq!(names(WireFormat::OpenAiResponses), responses);
        assert_eq!(names(WireFormat::Gemini), ["thinking"].map(Into::into));
    }

    #[test]
    fn a_conversation_takes_what_the_client_did_not_say() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":"a"}],"temperature":0.5}"#;
        let body = bytes::Bytes::from_static(body);
        let mut conversation =
            crate::formats::openai_chat::to_conversation(&body, None).expect("a conversation");
        let defaults = fields(&[
            ("temperature", "1"),
            ("max_tokens", "7"),
            ("reasoning_effort", "\"low\""),
            ("stop", r#"["a","b"]"#),
            ("safe_prompt", "true"),
        ]);
        let left = take_over(&mut conversation, &defaults);
        assert_eq!(left, fields(&[("safe_prompt", "true")]));
        assert_eq!(conversation.sampling.temperature, Some(Number("0.5".into())));
        assert_eq!(conversation.output_tokens_max, Some(7));
        assert_eq!(conversation.reasoning.effort, Some(Effort::Low));
        assert_eq!(conversation.sampling.stop, ["a", "b"]);
    }
}
