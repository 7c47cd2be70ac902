//! What a request may cost besides the text in it: what its provider searches and runs for it, and
//! what of its prompt is not in the body.
//!
//! Bodies are large and asked for this on every call, so that bytes are searched for the words of a
//! table first, and walked over only where one is found. A word cannot hide: within a text its
//! quotes are escaped, and a body that spells letters as escapes is walked or taken for the worst.

use memchr::memmem;

use super::ClientFormat;
use crate::json::{Layout, Raw};

/// What a request may cost besides the text in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Besides {
    /// The most searches that the provider makes, or `None` where the request does not limit them.
    pub searches: Option<u64>,
    /// Whether the provider may run a tool that it bills by what nobody knows before.
    pub billed_tools: bool,
    /// The pictures that the prompt may name without holding them, or more.
    pub pictures: u64,
    /// Whether a part of the prompt is kept elsewhere, whose length nobody knows here.
    pub elsewhere: bool,
}

impl Besides {
    /// Text alone.
    pub const NOTHING: Self =
        Self { searches: Some(0), billed_tools: false, pictures: 0, elsewhere: false };

    /// Reads a body whose members stand as `layout` says.
    pub(super) fn read(format: ClientFormat, body: &[u8], layout: &Layout, choices: u64) -> Self {
        let words = Words::of(format);
        let field = |name: &str| field(body, layout, name);
        let mut besides = Self {
            pictures: words.pictures.iter().map(|word| times(body, word)).sum(),
            elsewhere: words.elsewhere.iter().any(|word| holds(body, word))
                || words.addressed.is_some_and(|words| words.iter().all(|word| holds(body, word)))
                || spells_letters(body)
                || words.elsewhere_fields.iter().any(|name| field(name).is_some()),
            ..Self::NOTHING
        };
        for (name, billing) in words.fields {
            if field(name).is_some_and(switched_on) {
                besides.add(billing.times(choices));
            }
        }
        let at_most = words.at_most.and_then(field).and_then(Raw::whole);
        let inside = field("input").filter(|_| holds(body, b"\"additional_tools\""));
        let inside =
            inside.into_iter().flat_map(Raw::elements).filter_map(|item| item.find("tools"));
        for tools in field("tools").into_iter().chain(inside) {
            besides.read_tools(&words, tools);
        }
        if besides.searches.is_none() {
            besides.searches = at_most;
        }
        besides
    }

    fn read_tools(&mut self, words: &Words, tools: Raw<'_>) {
        let text = tools.as_written().as_bytes();
        let named = |(name, _): &(&str, Billing)| memmem::find(text, name.as_bytes()).is_some();
        if !words.tools.iter().any(named) && !spells_letters(text) {
            return;
        }
        for tool in tools.elements() {
            let [kind, uses] = tool.find_each(["type", "max_uses"]);
            let kind = kind.and_then(Raw::text);
            let names = tool.members().map(|(name, _)| name);
            // Google's tools are named by their member, everybody else's by their type.
            let names = if kind.is_some() { Vec::from_iter(kind) } else { names.collect() };
            for name in names {
                let billing = words.tools.iter().find(|(known, _)| name.contains(known));
                match billing {
                    Some((_, Billing::Searches)) => {
                        self.add(
                            uses.and_then(Raw::whole).map_or(Billing::Searches, Billing::Times),
                        );
                    }
                    Some((_, billing)) => self.add(*billing),
                    None => {}
                }
            }
        }
    }

    fn add(&mut self, billing: Billing) {
        match billing {
            Billing::Searches => self.searches = None,
            Billing::Times(more) => {
                self.searches = self.searches.map(|searches| searches.saturating_add(more));
            }
            Billing::Unmeasured => self.billed_tools = true,
        }
    }
}

/// How a provider bills what it does beside the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Billing {
    /// By the search, without limit.
    Searches,
    /// By the search, so often at most.
    Times(u64),
    /// By something that no report names.
    Unmeasured,
}

impl Billing {
    const fn times(self, choices: u64) -> Self {
        match self {
            Self::Times(each) => Self::Times(each.saturating_mul(choices)),
            other => other,
        }
    }
}

/// The words of a format.
struct Words {
    /// What stands for a picture, once for each.
    pictures: &'static [&'static [u8]],
    /// What stands for media of any length that is not in the body.
    elsewhere: &'static [&'static [u8]],
    /// What stands, together, for media of any length at an address.
    addressed: Option<[&'static [u8]; 2]>,
    /// Fields by which a part of the prompt is kept elsewhere.
    elsewhere_fields: &'static [&'static str],
    /// Fields that have something done, and how it is billed.
    fields: &'static [(&'static str, Billing)],
    /// Parts of the names of tools that a provider runs and bills.
    tools: &'static [(&'static str, Billing)],
    /// The field that limits how often the provider's tools run.
    at_most: Option<&'static str>,
}

impl Words {
    /// The sources are the reference pages of each API: openai.md (chat completions, Responses
    /// tools), anthropic.md (server tools), gemini.md (tools), openrouter.md (plug-ins).
    const fn of(format: ClientFormat) -> Self {
        match format {
            ClientFormat::OpenAiChat => CHAT,
            ClientFormat::OpenAiResponses => RESPONSES,
            ClientFormat::AnthropicMessages => MESSAGES,
            ClientFormat::Gemini => GEMINI,
        }
    }
}

const CHAT: Words = Words {
    pictures: &[b"\"image_url\""],
    elsewhere: &[b"\"file_id\"", b"\"file_url\"", b"\"video_url\""],
    addressed: None,
    elsewhere_fields: &[],
    // A model for searching searches once for an answer (cost-map.md, price per query).
    fields: &[
        ("web_search_options", Billing::Times(1)),
        ("search_parameters", Billing::Searches),
        ("enable_search", Billing::Searches),
        ("plugins", Billing::Unmeasured),
    ],
    tools: &[("search", Billing::Searches), ("code_interpreter", Billing::Unmeasured)],
    at_most: None,
};

const RESPONSES: Words = Words {
    pictures: &[b"\"input_image\""],
    elsewhere: &[b"\"file_id\"", b"\"file_url\"", b"\"item_reference\""],
    addressed: None,
    elsewhere_fields: &["previous_response_id", "conversation", "prompt"],
    fields: &[],
    tools: &[
        ("web_search", Billing::Searches),
        ("file_search", Billing::Unmeasured),
        ("code_interpreter", Billing::Unmeasured),
        ("image_generation", Billing::Unmeasured),
    ],
    at_most: Some("max_tool_calls"),
};

const MESSAGES: Words = Words {
    pictures: &[b"\"image\""],
    elsewhere: &[b"\"file_id\""],
    addressed: Some([b"\"document\"", b"\"url\""]),
    elsewhere_fields: &["container"],
    fields: &[],
    tools: &[("web_search_", Billing::Searches), ("code_execution_", Billing::Unmeasured)],
    at_most: None,
};

const GEMINI: Words = Words {
    pictures: &[],
    elsewhere: &[b"\"fileData\"", b"\"file_data\""],
    addressed: None,
    elsewhere_fields: &["cachedContent", "cached_content"],
    fields: &[],
    tools: &[
        ("googleSearch", Billing::Searches),
        ("google_search", Billing::Searches),
        ("enterpriseWebSearch", Billing::Searches),
        ("enterprise_web_search", Billing::Searches),
        ("googleMaps", Billing::Unmeasured),
        ("google_maps", Billing::Unmeasured),
        ("fileSearch", Billing::Unmeasured),
        ("file_search", Billing::Unmeasured),
    ],
    at_most: None,
};

fn field<'a>(body: &'a [u8], layout: &Layout, name: &str) -> Option<Raw<'a>> {
    let text = std::str::from_utf8(body.get(layout.span(name)?)?).ok()?;
    Some(Raw::scanned(text)).filter(|value| !value.is_null())
}

/// Whether a field asks for anything: `false` and an empty list do not.
fn switched_on(value: Raw<'_>) -> bool {
    value.boolean() != Some(false) && value.as_written() != "[]"
}

fn holds(body: &[u8], word: &[u8]) -> bool {
    memmem::find(body, word).is_some()
}

fn times(body: &[u8], word: &[u8]) -> u64 {
    memmem::find_iter(body, word).count() as u64
}

/// Whether letters are written as escapes, `\u0061`, as no library does.
fn spells_letters(body: &[u8]) -> bool {
    let mut escapes = memmem::find_iter(body, b"\\u00");
    escapes.any(|at| matches!(body.get(at + ESCAPE.len()), Some(b'4'..=b'7')))
}

/// How the escapes of letters begin.
const ESCAPE: &[u8] = b"\\u00";

#[cfg(test)]
mod tests;
