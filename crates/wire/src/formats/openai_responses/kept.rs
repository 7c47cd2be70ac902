//! Fields of a client of this format that the hub has no word for, on their way back into it.

use bytestring::ByteString;

use super::report::Report;

/// Fields of the request (OpenAI API reference, responses). The hub does not tell in which format a
/// client spoke; a field of another format that has one of these names means the same.
const TOP_LEVEL: [&str; 22] = [
    "background",
    "background_options",
    "context_management",
    "conversation",
    "image",
    "include",
    "max_tool_calls",
    "metadata",
    "moderation",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "stream_options",
    "tool_choice",
    "top_logprobs",
    "truncation",
    "client_metadata",
];

/// Members of `tools` that this format alone gives this meaning.
const TOOL_MEMBERS: [&str; 3] = ["async", "defer_loading", "output_schema"];

/// Members of `reasoning` and `text`.
const NESTED: [(&str, &str); 5] = [
    ("reasoning", "summary"),
    ("reasoning", "mode"),
    ("reasoning", "context"),
    ("text", "verbosity"),
    // The chat format's name for it.
    ("", "verbosity"),
];

/// The fields by the place they go back to.
#[derive(Debug, Default)]
pub(super) struct Kept<'a> {
    /// Fields of the request.
    pub(super) top_level: Vec<(&'a str, &'a str)>,
    /// Members of `reasoning`.
    pub(super) reasoning: Vec<(&'a str, &'a str)>,
    /// Members of `text`.
    pub(super) text: Vec<(&'a str, &'a str)>,
    /// Whole items, and members of items.
    pub(super) items: KeptItems<'a>,
    /// Members of tools.
    pub(super) tools: KeptItems<'a>,
}

/// Elements of an array that are kept whole or in part.
#[derive(Debug, Default)]
pub(super) struct KeptItems<'a> {
    whole: Vec<(usize, &'a str)>,
    members: Vec<(usize, &'a str, &'a str)>,
}

impl<'a> Kept<'a> {
    /// Sorts the fields; those that have no place here are left out.
    pub(super) fn sort(
        unmapped: &'a [(Box<str>, ByteString)],
        passes: &[Box<str>],
        report: &mut Report<'_>,
    ) -> Self {
        let mut kept = Self::default();
        for (name, raw) in unmapped {
            if has_place(name) {
                kept.take(name, raw);
            } else if passes.iter().any(|pass| **pass == **name) {
                kept.top_level.push((name, raw));
            } else {
                report.leave_out(name);
            }
        }
        kept
    }

    fn take(&mut self, name: &'a str, raw: &'a str) {
        if let Some((index, member)) = element(name, "input") {
            self.items.take(index, member, raw);
        } else if let Some((index, member)) = element(name, "tools") {
            self.tools.take(index, member, raw);
        } else {
            match name.split_once('.') {
                Some(("reasoning", member)) => self.reasoning.push((member, raw)),
                Some((_, member)) => self.text.push((member, raw)),
                None if name == "verbosity" => self.text.push((name, raw)),
                None => self.top_level.push((name, raw)),
            }
        }
    }
}

/// Whether this format has a place for a field of this name.
fn has_place(name: &str) -> bool {
    if let Some((_, member)) = element(name, "tools") {
        return member.is_some_and(|member| TOOL_MEMBERS.contains(&member));
    }
    if element(name, "input").is_some() {
        return true;
    }
    let nested = name.split_once('.').unwrap_or(("", name));
    NESTED.contains(&nested) || TOP_LEVEL.contains(&name)
}

/// Reads `input[3]` and `input[3].phase`.
fn element<'a>(name: &'a str, array: &str) -> Option<(usize, Option<&'a str>)> {
    let (index, rest) = name.strip_prefix(array)?.strip_prefix('[')?.split_once(']')?;
    let index = index.parse().ok()?;
    match rest {
        "" => Some((index, None)),
        member => Some((index, Some(member.strip_prefix('.')?))),
    }
}

impl<'a> KeptItems<'a> {
    fn take(&mut self, index: usize, member: Option<&'a str>, raw: &'a str) {
        match member {
            None => self.whole.push((index, raw)),
            Some(member) => self.members.push((index, member, raw)),
        }
    }

    /// The whole element of this number.
    pub(super) fn whole(&self, index: usize) -> Option<&'a str> {
        self.whole.iter().find(|whole| whole.0 == index).map(|whole| whole.1)
    }

    /// The whole elements from this number on.
    pub(super) fn from(&self, index: usize) -> impl Iterator<Item = &'a str> + '_ {
        self.whole.iter().filter(move |whole| whole.0 >= index).map(|whole| whole.1)
    }

    /// The members of the element of this number.
    pub(super) fn members(&self, index: usize) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        let of_it = self.members.iter().filter(move |member| member.0 == index);
        of_it.map(|member| (member.1, member.2))
    }
}
