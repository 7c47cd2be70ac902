//! What an answer consists of: its tokens, one by one, and how it finishes.

use crate::behaviour::{Behaviour, ToolCall};
use crate::request::ChatRequest;

/// The size of the pieces in which a tool call's arguments are streamed, in characters.
pub const TOOL_FRAGMENT_CHARS: usize = 8;

/// The tokens of one answer; each choice has the same number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    tokens: Tokens,
    count: u32,
    cut_short: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Tokens {
    Words,
    Pieces(Vec<Box<str>>),
    Tool { name: Box<str>, fragments: Vec<Box<str>> },
}

/// One token of a choice.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Text(&'a str),
    ToolName(&'a str),
    ToolArguments(&'a str),
}

impl Plan {
    /// What this behaviour answers to this request.
    pub(crate) fn new(behaviour: &Behaviour, request: &ChatRequest) -> Self {
        let (tokens, wanted) = match (&behaviour.tool_call, &request.first_tool, &behaviour.text) {
            (Some(call), Some(first), _) => tool_tokens(call, first),
            (_, _, Some(text)) => text_tokens(text),
            _ => (Tokens::Words, behaviour.answer_tokens),
        };
        let count = request.tokens_max.map_or(wanted, |max| wanted.min(max));
        Self { tokens, count, cut_short: count < wanted }
    }

    /// The number of tokens of each choice.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// The token at this position of this choice; `None` past the end.
    pub(crate) fn token(&self, choice: u32, at: u32) -> Option<Token<'_>> {
        if at >= self.count {
            return None;
        }
        let index = at as usize;
        match &self.tokens {
            Tokens::Words => Some(Token::Text(word(choice, at))),
            Tokens::Pieces(pieces) => pieces.get(index).map(|piece| Token::Text(piece)),
            Tokens::Tool { name, .. } if at == 0 => Some(Token::ToolName(name)),
            Tokens::Tool { fragments, .. } => {
                fragments.get(index - 1).map(|fragment| Token::ToolArguments(fragment))
            }
        }
    }

    /// Whether the answer is a tool call.
    pub(crate) fn calls_tool(&self) -> bool {
        matches!(self.tokens, Tokens::Tool { .. })
    }

    /// The `finish_reason` of every choice.
    pub(crate) fn finish_reason(&self) -> &'static str {
        match (self.cut_short, self.calls_tool()) {
            (true, _) => "length",
            (false, true) => "tool_calls",
            (false, false) => "stop",
        }
    }
}

fn tool_tokens(call: &ToolCall, first: &str) -> (Tokens, u32) {
    let name = call.name.as_deref().unwrap_or(first).into();
    let characters: Vec<char> = call.arguments.chars().collect();
    let fragments: Vec<Box<str>> = characters
        .chunks(TOOL_FRAGMENT_CHARS)
        .map(|chunk| chunk.iter().collect::<String>().into_boxed_str())
        .collect();
    let count = saturated(fragments.len()).saturating_add(1);
    (Tokens::Tool { name, fragments }, count)
}

fn text_tokens(text: &str) -> (Tokens, u32) {
    let pieces: Vec<Box<str>> = text.split_inclusive(char::is_whitespace).map(Into::into).collect();
    let count = saturated(pieces.len());
    (Tokens::Pieces(pieces), count)
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The word at this position: every choice starts at another place of the same round.
fn word(choice: u32, at: u32) -> &'static str {
    let round = WORDS.len() as u64;
    let place = (u64::from(at) + u64::from(choice) * 5) % round;
    let spaced = WORDS.get(usize::try_from(place).unwrap_or(0)).copied().unwrap_or_default();
    if at == 0 { spaced.trim_start() } else { spaced }
}

const WORDS: [&str; 24] = [
    " the", " keeper", " opens", " every", " gate", " at", " dawn", " and", " counts", " each",
    " cart", " that", " rolls", " along", " this", " road", " until", " evening", " when",
    " bells", " ring", " over", " quiet", " fields",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn request(tokens_max: Option<u32>, tool: Option<&str>) -> ChatRequest {
        ChatRequest {
            model: "m".to_owned(),
            stream: false,
            include_usage: false,
            tokens_max,
            choices: 1,
            prompt_tokens: 0,
            first_tool: tool.map(str::to_owned),
        }
    }

    fn texts(plan: &Plan, choice: u32) -> Vec<String> {
        (0..)
            .map_while(|at| plan.token(choice, at))
            .map(|token| match token {
                Token::Text(text) => text.to_owned(),
                Token::ToolName(name) => format!("name {name}"),
                Token::ToolArguments(part) => format!("part {part}"),
            })
            .collect()
    }

    #[test]
    fn words_are_the_same_each_time_and_differ_between_choices() {
        let plan = Plan::new(&Behaviour::answering(3), &request(None, None));
        assert_eq!(texts(&plan, 0), ["the", " keeper", " opens"]);
        assert_eq!(texts(&plan, 1), ["at", " dawn", " and"]);
        assert_eq!(plan.finish_reason(), "stop");
        let long = Plan::new(&Behaviour::answering(60), &request(None, None));
        assert_eq!(texts(&long, 127).len(), 60);
    }

    #[test]
    fn a_limit_of_the_request_cuts_the_answer_short() {
        for (max, count, finish) in [(2, 2, "length"), (3, 3, "stop"), (4, 3, "stop")] {
            let plan = Plan::new(&Behaviour::answering(3), &request(Some(max), None));
            assert_eq!((plan.count(), plan.finish_reason()), (count, finish), "{max}");
        }
    }

    #[test]
    fn a_scripted_text_is_streamed_piece_by_piece_and_unchanged() {
        let text = "Ünïcode \"quoted\"\n\n  end ";
        let behaviour = Behaviour { text: Some(text.to_owned()), ..Behaviour::default() };
        let plan = Plan::new(&behaviour, &request(None, None));
        assert_eq!(texts(&plan, 0).concat(), text);
        assert_eq!(plan.count(), 6);
    }

    #[test]
    fn a_tool_is_called_only_when_the_request_offers_one() {
        let call = ToolCall { name: None, arguments: r#"{"city":"Köln"}"#.to_owned() };
        let behaviour = Behaviour { tool_call: Some(call), ..Behaviour::answering(1) };
        let plan = Plan::new(&behaviour, &request(None, Some("weather")));
        assert_eq!(
            texts(&plan, 0),
            [
                "name weather".to_owned(),
                r#"part {"city":"#.to_owned(),
                r#"part "Köln"}"#.to_owned()
            ]
        );
        assert_eq!(plan.finish_reason(), "tool_calls");
        assert_eq!(texts(&Plan::new(&behaviour, &request(None, None)), 0), ["the"]);
        let short = Plan::new(&behaviour, &request(Some(1), Some("weather")));
        assert_eq!((texts(&short, 0).len(), short.finish_reason()), (1, "length"));
    }
}
