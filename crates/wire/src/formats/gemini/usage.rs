//! `usageMetadata`: the API's overlapping figures as disjoint kinds, and back.
//!
//! Reading cannot fail: usage is accounting, and never a reason to lose an answer.

use tollgate_domain::{Quantity, Usage, UsageKind};

use super::fields::Members;
use crate::formats::openai_chat::usage::share_out;
use crate::json::Raw;
use crate::json::write::JsonWriter;

/// What has been reported so far. Figures are running totals: of one that comes again the last
/// counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Reported {
    /// Cached tokens included, tool-use tokens not.
    prompt: Option<Quantity>,
    cached: Option<Quantity>,
    candidates: Option<Quantity>,
    thoughts: Option<Quantity>,
    tool_use: Option<Quantity>,
    total: Option<Quantity>,
    /// Queries that were searched for, which stand beside this report.
    searches: u64,
    prompt_by: ByModality,
    cached_by: ByModality,
    candidates_by: ByModality,
}

#[derive(Debug, Clone, Copy, Default)]
struct ByModality {
    audio: Option<Quantity>,
    image: Option<Quantity>,
}

impl Reported {
    /// Takes the `usageMetadata` of an answer or a chunk.
    pub(super) fn take(&mut self, usage: Raw<'_>) {
        let members = Members::of(usage);
        let figure = |name| members.find(name).and_then(quantity);
        let details = |name, before| members.find(name).map_or(before, ByModality::read);
        self.prompt = figure("promptTokenCount").or(self.prompt);
        self.cached = figure("cachedContentTokenCount").or(self.cached);
        self.candidates = figure("candidatesTokenCount").or(self.candidates);
        self.thoughts = figure("thoughtsTokenCount").or(self.thoughts);
        self.tool_use = figure("toolUsePromptTokenCount").or(self.tool_use);
        self.total = figure("totalTokenCount").or(self.total);
        self.prompt_by = details("promptTokensDetails", self.prompt_by);
        self.cached_by = details("cacheTokensDetails", self.cached_by);
        self.candidates_by = details("candidatesTokensDetails", self.candidates_by);
    }

    /// Takes how many queries the candidates of an answer or a chunk say they searched for.
    pub(super) fn searched(&mut self, queries: u64) {
        self.searches = self.searches.max(queries);
    }

    /// The disjoint kinds, or `None` when neither side is known. The kinds of a side always add up
    /// to what was reported for it: a part that exceeds what is left of its whole is cut to it.
    pub(super) fn usage(&self) -> Option<Usage> {
        let mut usage = Usage::UNKNOWN;
        if let Some(prompt) = self.prompt {
            let beyond_cache = |all: Option<Quantity>, cached: Option<Quantity>| {
                Some(all?.minus(cached.unwrap_or_default()))
            };
            let parts = [
                (UsageKind::CachedRead, self.cached),
                (UsageKind::InputAudio, beyond_cache(self.prompt_by.audio, self.cached_by.audio)),
                (UsageKind::InputImage, beyond_cache(self.prompt_by.image, self.cached_by.image)),
            ];
            let whole = prompt.plus(self.tool_use.unwrap_or_default());
            share_out(&mut usage, whole, &parts, UsageKind::Input);
        }
        if let Some(completion) = self.completion() {
            let parts = [
                (UsageKind::Reasoning, self.thoughts),
                (UsageKind::OutputAudio, self.candidates_by.audio),
                (UsageKind::OutputImage, self.candidates_by.image),
            ];
            share_out(&mut usage, completion, &parts, UsageKind::Output);
        }
        if usage.is_unknown() {
            return None;
        }
        if self.searches > 0 {
            usage.set(UsageKind::Searches, Quantity::whole(self.searches));
        }
        Some(usage)
    }

    /// Thoughts are counted beside the candidates, except on some paths of Vertex, where the total
    /// tells that they are inside. A count of 0 is left out by the API: there the total tells too.
    fn completion(&self) -> Option<Quantity> {
        let thoughts = self.thoughts.unwrap_or_default();
        let prompt = self.prompt.map(|prompt| prompt.plus(self.tool_use.unwrap_or_default()));
        match (self.candidates, self.total.zip(prompt)) {
            (Some(candidates), Some((total, prompt))) if prompt.plus(candidates) == total => {
                Some(candidates.max(thoughts))
            }
            (Some(candidates), _) => Some(candidates.plus(thoughts)),
            (None, Some((total, prompt))) => Some(total.minus(prompt).max(thoughts)),
            (None, None) => self.thoughts,
        }
    }
}

impl ByModality {
    fn read(details: Raw<'_>) -> Self {
        let mut read = Self::default();
        for detail in details.elements() {
            let members = Members::of(detail);
            let count = members.find("tokenCount").and_then(quantity);
            match members.find("modality").and_then(Raw::text).as_deref() {
                Some("AUDIO") => read.audio = count,
                Some("IMAGE") => read.image = count,
                _ => {}
            }
        }
        read
    }
}

fn quantity(value: Raw<'_>) -> Option<Quantity> {
    Quantity::parse(value.as_written()).ok()
}

/// Writes `usageMetadata` as a member.
pub(super) fn write(o: &mut JsonWriter<'_>, usage: &Usage) {
    let known = |kind| usage.quantity(kind);
    let prompt = usage.prompt().unwrap_or_default();
    let thoughts = known(UsageKind::Reasoning);
    let completion = usage.completion().unwrap_or_default();
    let candidates = completion.minus(thoughts.unwrap_or_default());
    o.object("usageMetadata", |o| {
        o.number("promptTokenCount", prompt.rounded());
        if let Some(cached) = known(UsageKind::CachedRead) {
            o.number("cachedContentTokenCount", cached.rounded());
        }
        o.number("candidatesTokenCount", candidates.rounded());
        if let Some(thoughts) = thoughts {
            o.number("thoughtsTokenCount", thoughts.rounded());
        }
        o.number("totalTokenCount", prompt.plus(completion).rounded());
        let inputs = [known(UsageKind::InputAudio), known(UsageKind::InputImage)];
        write_details(o, "promptTokensDetails", inputs);
        let outputs = [known(UsageKind::OutputAudio), known(UsageKind::OutputImage)];
        write_details(o, "candidatesTokensDetails", outputs);
    });
}

/// What is not there is left out, as the API does.
fn write_details(o: &mut JsonWriter<'_>, name: &str, [audio, image]: [Option<Quantity>; 2]) {
    let counts = [("AUDIO", audio), ("IMAGE", image)];
    let counts = counts.map(|(modality, count)| (modality, count.map_or(0, Quantity::rounded)));
    if counts.iter().all(|(_, count)| *count == 0) {
        return;
    }
    o.array(name, |a| {
        for (modality, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            a.object(|o| {
                o.string("modality", modality).number("tokenCount", count);
            });
        }
    });
}

#[cfg(test)]
mod tests;
