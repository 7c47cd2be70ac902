//! How a simulated model answers: its pace, its size, and what goes wrong.

use std::time::Duration;

use http::{HeaderName, HeaderValue};

/// The most tokens one choice can have.
pub const ANSWER_TOKENS_MAX: u32 = 1_000_000;

/// The longest wait that can be scripted.
pub const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// One way of answering a chat call.
#[derive(Debug, Clone, PartialEq)]
pub struct Behaviour {
    /// From the request to the first token. A stream's head is sent before this wait, a buffered
    /// answer's after it.
    pub first_token: Duration,
    /// The pace after the first token, in tokens of one choice per second; `None` for no pause at
    /// all.
    pub tokens_per_second: Option<f64>,
    /// The length of each choice in tokens, 0 to [`ANSWER_TOKENS_MAX`].
    pub answer_tokens: u32,
    /// The exact text of each choice, instead of `answer_tokens` words.
    pub text: Option<String>,
    /// Answers with this tool call, instead of a text, when the request offers tools.
    pub tool_call: Option<ToolCall>,
    /// Reported in the usage instead of the words that the prompt has.
    pub prompt_tokens: Option<u32>,
    /// Reported as cached, never more than the prompt's tokens (which include them).
    pub cached_tokens: u32,
    /// Reported as reasoning, never more than the completion's tokens (which include them).
    pub reasoning_tokens: u32,
    /// Appended to the echoed model name after a hyphen, as providers do: `2026-01-31`.
    pub model_date: Option<String>,
    /// Added to the head of every answer; one that is already there is replaced.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What goes wrong.
    pub fault: Fault,
}

/// A scripted tool call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The function called; `None` for the first one that the request offers.
    pub name: Option<String>,
    /// The arguments exactly as sent; they need not be JSON.
    pub arguments: String,
}

/// What goes wrong with an answer.
///
/// Where a buffered answer has no such moment the variant says what it gets instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// This status instead of an answer.
    Status {
        /// 300 to 599.
        status: u16,
        /// Sent as `retry-after` in whole seconds, rounded up.
        retry_after: Option<Duration>,
        /// Sent as it is; `None` for an error object that fits the status.
        body: Option<String>,
    },
    /// The head comes this much later.
    SlowHeaders(Duration),
    /// The connection is closed instead of an answer.
    HangUp,
    /// Nothing more after this many tokens, and the connection stays open. With 0, and in a
    /// buffered answer, only the head is sent.
    Stall {
        /// Tokens of each choice before it.
        after_tokens: u32,
    },
    /// The connection is closed after this many bytes of the body.
    CutAfterBytes(u64),
    /// The stream ends properly, but after this many tokens and with neither finish, usage nor
    /// `[DONE]`. A buffered answer has no body.
    EndEarly {
        /// Tokens of each choice before it.
        after_tokens: u32,
    },
    /// A broken JSON text in place of one token's event. A buffered answer is broken JSON.
    MalformedFrame {
        /// The token's position, from 0.
        at: u32,
    },
    /// A 200 whose body, or whose only event, is an error object.
    ErrorInside200,
    /// An error object as the last event. A buffered answer is as with [`Fault::ErrorInside200`].
    ErrorEvent {
        /// Tokens of each choice before it.
        after_tokens: u32,
    },
    /// No usage, even where the request asks for it.
    NoUsage,
    /// No `[DONE]` at the end of a stream.
    NoDone,
    /// A 200 with a web page for a body.
    Html,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            first_token: Duration::ZERO,
            tokens_per_second: None,
            answer_tokens: ANSWER_TOKENS,
            text: None,
            tool_call: None,
            prompt_tokens: None,
            cached_tokens: 0,
            reasoning_tokens: 0,
            model_date: None,
            headers: Vec::new(),
            fault: Fault::None,
        }
    }
}

impl Behaviour {
    /// Answers at once with this many words.
    #[must_use]
    pub fn answering(tokens: u32) -> Self {
        Self { answer_tokens: tokens.min(ANSWER_TOKENS_MAX), ..Self::default() }
    }

    /// Fails this way, and is the default in all else.
    #[must_use]
    pub fn failing(fault: Fault) -> Self {
        Self { fault, ..Self::default() }
    }

    /// Refuses with this status and an error object that fits it.
    #[must_use]
    pub fn refusing(status: u16) -> Self {
        Self::failing(Fault::Status { status, retry_after: None, body: None })
    }

    /// The same with this fault.
    #[must_use]
    pub fn with_fault(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    /// The same at this pace.
    #[must_use]
    pub fn paced(self, first_token: Duration, tokens_per_second: f64) -> Self {
        Self { first_token, tokens_per_second: Some(tokens_per_second), ..self }
    }

    /// When the token at this position is due, from the arrival of the request.
    pub(crate) fn due(&self, token: u32) -> Duration {
        let paced = match self.tokens_per_second {
            Some(pace) if pace > 0.0 => {
                Duration::try_from_secs_f64(f64::from(token) / pace).unwrap_or(WAIT_MAX)
            }
            _ => Duration::ZERO,
        };
        self.first_token.saturating_add(paced).min(WAIT_MAX)
    }
}

/// The length of an answer that nothing else decides, in tokens.
const ANSWER_TOKENS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_due_at_an_even_pace_after_the_first() {
        let behaviour = Behaviour::answering(3).paced(Duration::from_millis(300), 50.0);
        assert_eq!(behaviour.due(0), Duration::from_millis(300));
        assert_eq!(behaviour.due(5), Duration::from_millis(400));
    }

    #[test]
    fn no_pace_leads_to_a_wait_beyond_the_longest() {
        for pace in [f64::MIN_POSITIVE, -1.0, 0.0, f64::NAN, f64::INFINITY] {
            let behaviour = Behaviour::answering(3).paced(Duration::MAX, pace);
            assert_eq!(behaviour.due(u32::MAX), WAIT_MAX, "{pace}");
        }
    }
}
