//! What is said in each scenario, in no format: the facts that every builder and checker shares.

use serde_json::{Value, json};

/// A scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scene {
    /// A question is answered in words; part of the prompt was cached.
    Text,
    /// Two tools are offered and both are called at once.
    Tools,
    /// The turn after that, with both results, is answered in words.
    Results,
    /// An effort is asked for; the model thinks and then answers.
    Reasoning,
    /// An answer that keeps a JSON schema.
    Structured,
    /// A turn of a story that is told elsewhere.
    Turn(&'static Turn),
}

/// What the model does in a turn of a story that is told elsewhere.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    pub(crate) said: &'static [&'static str],
    pub(crate) calls: &'static [Tool],
}

/// A tool and the call of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// The id of the call.
    pub(crate) id: &'static str,
    parameter: &'static str,
    argument: &'static str,
    result: (&'static str, &'static str),
}

/// What a call consumed: `cached` is within `input`, `reasoning` within `output`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

impl Scene {
    pub(crate) const ALL: [Self; 5] =
        [Self::Text, Self::Tools, Self::Results, Self::Reasoning, Self::Structured];

    /// The heading of its columns.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Tools => "tool calls",
            Self::Results => "tool results",
            Self::Reasoning => "reasoning",
            Self::Structured => "JSON schema",
            Self::Turn(_) => "turn",
        }
    }

    /// What the user asks.
    pub(crate) fn question(self) -> &'static str {
        match self {
            Self::Text => "Say hello.",
            Self::Tools | Self::Results => "Weather and time in Köln?",
            Self::Reasoning => "What is six times seven?",
            Self::Structured => "Who wrote the first program?",
            Self::Turn(_) => "",
        }
    }

    /// What the model says, in the pieces in which it comes.
    pub(crate) fn said(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["Hel", "lo, \"wör", "ld\"!\n"],
            Self::Tools => &[],
            Self::Results => &["It is clear ", "at 09:30."],
            Self::Reasoning => &["Forty", "-two."],
            Self::Structured => &[r#"{"name":"#, r#""Ada","age":"#, "36}"],
            Self::Turn(turn) => turn.said,
        }
    }

    /// What the model thinks, in the pieces in which it comes.
    pub(crate) fn thought(self) -> &'static [&'static str] {
        if self == Self::Reasoning { &["Six times ", "seven."] } else { &[] }
    }

    /// The tools that are offered.
    pub(crate) fn tools(self) -> &'static [Tool] {
        if matches!(self, Self::Tools | Self::Results) { &TOOLS } else { &[] }
    }

    /// The tools that the model calls.
    pub(crate) fn calls(self) -> &'static [Tool] {
        match self {
            Self::Tools => &TOOLS,
            Self::Turn(turn) => turn.calls,
            _ => &[],
        }
    }

    /// The calls and results that the request tells of.
    pub(crate) fn history(self) -> &'static [Tool] {
        if self == Self::Results { &TOOLS } else { &[] }
    }

    /// The schema that the answer keeps.
    pub(crate) fn schema(self) -> Option<Value> {
        let properties = json!({"name": {"type": "string"}, "age": {"type": "integer"}});
        (self == Self::Structured).then(|| {
            json!({
                "type": "object",
                "properties": properties,
                "required": ["name", "age"],
                "additionalProperties": false,
            })
        })
    }

    /// What the call consumes.
    pub(crate) fn usage(self) -> Usage {
        let (input, cached, output, reasoning) = match self {
            Self::Text => (30, 12, 7, 0),
            Self::Tools => (51, 0, 40, 0),
            Self::Results => (83, 0, 9, 0),
            Self::Reasoning => (20, 0, 25, 16),
            Self::Structured => (44, 0, 11, 0),
            Self::Turn(_) => (100, 40, 20, 0),
        };
        Usage { input, cached, output, reasoning }
    }
}

impl Tool {
    /// A call that a story tells of. The argument is text that JSON writes as it is.
    pub(crate) const fn call(
        name: &'static str,
        id: &'static str,
        parameter: &'static str,
        argument: &'static str,
    ) -> Self {
        Self { name, about: "", id, parameter, argument, result: ("", "") }
    }

    /// What it takes.
    pub(crate) fn schema(self) -> Value {
        let properties = json!({ self.parameter: {"type": "string"} });
        json!({"type": "object", "properties": properties, "required": [self.parameter]})
    }

    /// What it is called with.
    pub(crate) fn arguments(self) -> Value {
        json!({ self.parameter: self.argument })
    }

    /// The same as text, in the pieces in which it comes.
    pub(crate) fn fragments(self) -> [String; 2] {
        [format!("{{\"{}\":", self.parameter), format!("\"{}\"}}", self.argument)]
    }

    /// What it gives back.
    pub(crate) fn result(self) -> Value {
        json!({ self.result.0: self.result.1 })
    }
}

/// The application's standing instructions.
pub(crate) const SYSTEM: &str = "You are terse.";
/// The most output tokens that are asked for.
pub(crate) const OUTPUT_MAX: u64 = 2048;
/// The schema's name, where the format has one.
pub(crate) const SCHEMA_NAME: &str = "person";
/// What an upstream says when it fails on the way.
pub(crate) const FAILURE: &str = "the model broke down";

const TOOLS: [Tool; 2] = [
    Tool {
        name: "get_weather",
        about: "The weather of a city",
        id: "call_weather",
        parameter: "city",
        argument: "Köln",
        result: ("sky", "clear"),
    },
    Tool {
        name: "get_time",
        about: "The time of a zone",
        id: "call_time",
        parameter: "zone",
        argument: "Europe/Berlin",
        result: ("clock", "09:30"),
    },
];
