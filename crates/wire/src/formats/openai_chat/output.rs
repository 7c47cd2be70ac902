//! How much an answer says: the text in a message or in a delta, which have the same members.

use crate::json::{Kind, Raw};

/// What one message or delta carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Output {
    /// UTF-8 bytes of content, refusal, reasoning and tool arguments.
    pub(super) bytes: u64,
    /// Whether a user or a program would notice it: some text, a tool call, sound or an image.
    pub(super) visible: bool,
}

impl Output {
    /// Measures a `message` or a `delta`.
    pub(super) fn of(part: Raw<'_>) -> Self {
        let mut output = Self::default();
        let mut reasoning = 0;
        for (name, value) in part.members() {
            match &*name {
                "content" => output.say(content_bytes(value)),
                "refusal" => output.say(text_bytes(value)),
                // The same reasoning may stand under several of these names (OpenRouter sends two):
                // it counts once.
                "reasoning_content" | "reasoning" => reasoning = reasoning.max(text_bytes(value)),
                "reasoning_details" => reasoning = reasoning.max(content_bytes(value)),
                "tool_calls" => value.elements().for_each(|call| output.call(call)),
                "function_call" if !value.is_null() => output.function(value),
                "audio" => output.sound(value),
                "images" => output.visible |= value.holds_something(),
                _ => {}
            }
        }
        output.say(reasoning);
        output
    }

    fn say(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.visible |= bytes > 0;
    }

    /// A tool call is visible by being there: its first fragment has an id and a name but no
    /// arguments.
    fn call(&mut self, call: Raw<'_>) {
        self.visible = true;
        match (call.find("function"), call.find("custom")) {
            (Some(function), _) => self.function(function),
            (None, Some(custom)) => self.say(custom.find("input").map_or(0, text_bytes)),
            (None, None) => {}
        }
    }

    fn function(&mut self, function: Raw<'_>) {
        self.visible = true;
        let Some(arguments) = function.find("arguments") else { return };
        self.say(match arguments.kind() {
            Kind::String => text_bytes(arguments),
            // Some servers send the arguments as an object instead of as its text.
            _ => arguments.as_written().len() as u64,
        });
    }

    fn sound(&mut self, audio: Raw<'_>) {
        self.visible |= audio.find("data").is_some_and(|data| text_bytes(data) > 0);
        self.say(audio.find("transcript").map_or(0, text_bytes));
    }
}

fn text_bytes(value: Raw<'_>) -> u64 {
    value.text().map_or(0, |text| text.len() as u64)
}

/// Content is a string, or (Mistral, and reasoning details) a list of parts that hold text,
/// thinking or a summary.
fn content_bytes(value: Raw<'_>) -> u64 {
    if value.kind() == Kind::String {
        return text_bytes(value);
    }
    value.elements().map(part_bytes).sum()
}

fn part_bytes(part: Raw<'_>) -> u64 {
    let texts = part.members().filter(|(name, _)| matches!(&**name, "text" | "summary"));
    let thinking = part.find("thinking").map_or(0, |thinking| match thinking.kind() {
        Kind::String => text_bytes(thinking),
        _ => thinking.elements().filter_map(|inner| inner.find("text")).map(text_bytes).sum(),
    });
    texts.map(|(_, text)| text_bytes(text)).sum::<u64>() + thinking
}
