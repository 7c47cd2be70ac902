//! One answer as a stream of server-sent events, in order and with the moment each is due
//! (openai.md §1.4).

use std::time::Duration;

use crate::answer::Answer;
use crate::behaviour::Fault;
use crate::json::{error_object, push, push_string};
use crate::plan::Token;

/// The events of one answer that are not yet written.
#[derive(Debug)]
pub(crate) struct Events {
    answer: Answer,
    /// The first members of every chunk.
    opening: String,
    position: Position,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    Roles,
    Token(u32),
    Finish,
    Usage,
    Done,
    End,
}

/// When the next event may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// This long after the request arrived.
    At(Duration),
    /// Not at all: the stream stalls here.
    Never,
    /// There is none.
    Ended,
}

impl Events {
    pub(crate) fn new(answer: Answer) -> Self {
        let mut opening = String::from("data: ");
        answer.push_opening(&mut opening, "chat.completion.chunk");
        opening.push_str(r#","service_tier":"default","system_fingerprint":"fp_simulator","#);
        let position = match answer.behaviour.fault {
            Fault::ErrorInside200 => Position::Token(0),
            _ => Position::Roles,
        };
        Self { answer, opening, position }
    }

    /// When the next event is due.
    pub(crate) fn due(&self) -> Due {
        let last = self.answer.plan.count().saturating_sub(1);
        let token = match self.position {
            Position::Roles => 0,
            Position::Token(at) => at,
            Position::Finish | Position::Usage | Position::Done => last,
            Position::End => return Due::Ended,
        };
        match self.answer.behaviour.fault {
            Fault::Stall { after_tokens } if self.has_sent(after_tokens) => Due::Never,
            Fault::EndEarly { after_tokens } if self.has_sent(after_tokens) => Due::Ended,
            _ => Due::At(self.answer.behaviour.due(token)),
        }
    }

    /// Whether this many tokens of each choice, or all there are, have gone.
    fn has_sent(&self, tokens: u32) -> bool {
        match self.position {
            Position::Roles => tokens == 0,
            Position::Token(at) => at >= tokens,
            Position::Finish | Position::Usage | Position::Done | Position::End => true,
        }
    }

    /// Writes the next event, one for each choice, and returns the number of tokens in it.
    pub(crate) fn write(&mut self, out: &mut String) -> u32 {
        if self.fails_here() {
            push_error_event(out);
            self.position = Position::End;
            return 0;
        }
        match self.position {
            Position::Roles => self.write_roles(out),
            Position::Token(at) => return self.write_token(out, at),
            Position::Finish => self.write_finish(out),
            Position::Usage => self.write_usage(out),
            Position::Done => {
                out.push_str("data: [DONE]\n\n");
                self.position = Position::End;
            }
            Position::End => {}
        }
        0
    }

    fn fails_here(&self) -> bool {
        match self.answer.behaviour.fault {
            Fault::ErrorInside200 => true,
            Fault::ErrorEvent { after_tokens } => {
                self.position != Position::Roles && self.has_sent(after_tokens)
            }
            _ => false,
        }
    }

    fn write_roles(&mut self, out: &mut String) {
        let delta = if self.answer.plan.calls_tool() {
            r#"{"role":"assistant","content":null,"refusal":null}"#
        } else {
            r#"{"role":"assistant","content":"","refusal":null}"#
        };
        for choice in 0..self.answer.choices {
            self.push_chunk(out, choice, |out| out.push_str(delta), "null");
        }
        self.position = self.after_token(None);
    }

    fn write_token(&mut self, out: &mut String, at: u32) -> u32 {
        self.position = self.after_token(Some(at));
        if self.answer.behaviour.fault == (Fault::MalformedFrame { at }) {
            out.push_str(&self.opening);
            out.push_str("\"choices\":[{\"index\":\n\n");
            return 0;
        }
        for choice in 0..self.answer.choices {
            let Some(token) = self.answer.plan.token(choice, at) else { continue };
            self.push_chunk(out, choice, |out| self.push_delta(out, choice, &token), "null");
        }
        self.answer.choices
    }

    fn write_finish(&mut self, out: &mut String) {
        let reason = format!("\"{}\"", self.answer.plan.finish_reason());
        for choice in 0..self.answer.choices {
            self.push_chunk(out, choice, |out| out.push_str("{}"), &reason);
        }
        self.position = if self.answer.usage { Position::Usage } else { self.done_or_end() };
    }

    fn write_usage(&mut self, out: &mut String) {
        out.push_str(&self.opening);
        out.push_str(r#""choices":[],"usage":"#);
        self.answer.push_usage(out);
        out.push_str("}\n\n");
        self.position = self.done_or_end();
    }

    fn after_token(&self, token: Option<u32>) -> Position {
        let next = token.map_or(0, |at| at.saturating_add(1));
        if next < self.answer.plan.count() { Position::Token(next) } else { Position::Finish }
    }

    fn done_or_end(&self) -> Position {
        if self.answer.behaviour.fault == Fault::NoDone { Position::End } else { Position::Done }
    }

    fn push_chunk(
        &self,
        out: &mut String,
        choice: u32,
        delta: impl FnOnce(&mut String),
        finish: &str,
    ) {
        out.push_str(&self.opening);
        push(out, format_args!(r#""choices":[{{"index":{choice},"delta":"#));
        delta(out);
        push(out, format_args!(r#","logprobs":null,"finish_reason":{finish}}}]"#));
        // With `include_usage` every chunk but the one with the usage says that it has none.
        out.push_str(if self.answer.usage { ",\"usage\":null}\n\n" } else { "}\n\n" });
    }

    /// The fields of a tool call come once, in its first fragment; later fragments have only
    /// arguments.
    fn push_delta(&self, out: &mut String, choice: u32, token: &Token<'_>) {
        match token {
            Token::Text(text) => {
                out.push_str(r#"{"content":"#);
                push_string(out, text);
                out.push('}');
            }
            Token::ToolName(name) => {
                let id = self.answer.tool_call_id(choice);
                push(out, format_args!(r#"{{"tool_calls":[{{"index":0,"id":"{id}","#));
                out.push_str(r#""type":"function","function":{"name":"#);
                push_string(out, name);
                out.push_str(r#","arguments":""}}]}"#);
            }
            Token::ToolArguments(part) => {
                out.push_str(r#"{"tool_calls":[{"index":0,"function":{"arguments":"#);
                push_string(out, part);
                out.push_str("}}]}");
            }
        }
    }
}

/// What the simulator says when it is told to fail with an error object.
pub(crate) const SERVER_ERROR: &str = "the simulated model failed as it was told to";

fn push_error_event(out: &mut String) {
    out.push_str("data: ");
    out.push_str(&error_object(SERVER_ERROR, "server_error", Some("server_error")));
    out.push_str("\n\n");
}

#[cfg(test)]
mod tests;
