//! Usage as upstreams report it, brought into disjoint kinds. Nothing here can fail: usage is
//! accounting, and never a reason to lose an answer that has been paid for.

use tollgate_domain::{Quantity, Usage, UsageKind};

use crate::json::{Kind, Raw};

/// What has been reported so far. Of a figure that is reported again, the last one counts; they are
/// never added up, because some upstreams repeat a running total in every chunk.
#[derive(Debug, Clone, Default)]
pub(in crate::formats) struct Reported {
    prompt: Option<Quantity>,
    completion: Option<Quantity>,
    total: Option<Quantity>,
    cached: Option<Quantity>,
    cache_write: Option<Quantity>,
    audio_in: Option<Quantity>,
    image_in: Option<Quantity>,
    reasoning: Option<Quantity>,
    audio_out: Option<Quantity>,
    image_out: Option<Quantity>,
    /// Numbers that no upstream should send: negative, fractional, text, or `null` for a whole
    /// side.
    anomalies: u64,
}

impl Reported {
    /// Takes the usage of an answer or chunk: `usage`, or Groq's older `x_groq.usage`. True when
    /// there was one.
    pub(in crate::formats) fn take(
        &mut self,
        usage: Option<Raw<'_>>,
        x_groq: Option<Raw<'_>>,
    ) -> bool {
        let usage = usage.or_else(|| x_groq.and_then(|groq| groq.find("usage")));
        let Some(usage) = usage else { return false };
        if usage.kind() != Kind::Object {
            self.anomalies += 1;
            return false;
        }
        for (name, value) in usage.members() {
            self.take_figure(&name, value);
        }
        true
    }

    /// How many odd numbers were seen; parts that exceed their whole and a total that is not their
    /// sum count too.
    pub(super) fn anomalies(&self) -> u64 {
        self.anomalies + u64::from(self.prompt_parts_exceed()) + u64::from(self.disagrees())
    }

    /// Names: OpenAI's; `prompt_cache_hit_tokens` is DeepSeek's, `cached_tokens` at this level
    /// Moonshot's, `input_tokens` and `output_tokens` those of servers that mix in the Responses
    /// API.
    fn take_figure(&mut self, name: &str, value: Raw<'_>) {
        if value.is_null() {
            self.anomalies += u64::from(matches!(name, "prompt_tokens" | "completion_tokens"));
            return;
        }
        let slot = match name {
            "prompt_tokens" | "input_tokens" => &mut self.prompt,
            "completion_tokens" | "output_tokens" => &mut self.completion,
            "total_tokens" => &mut self.total,
            "prompt_cache_hit_tokens" | "cached_tokens" => &mut self.cached,
            "prompt_tokens_details" | "input_tokens_details" => {
                return value.members().for_each(|(name, value)| self.take_prompt(&name, value));
            }
            "completion_tokens_details" | "output_tokens_details" => {
                return value
                    .members()
                    .for_each(|(name, value)| self.take_completion(&name, value));
            }
            _ => return,
        };
        read_figure(value, slot, &mut self.anomalies);
    }

    fn take_prompt(&mut self, name: &str, value: Raw<'_>) {
        let slot = match name {
            "cached_tokens" => &mut self.cached,
            "cache_write_tokens" => &mut self.cache_write,
            "audio_tokens" => &mut self.audio_in,
            "image_tokens" => &mut self.image_in,
            _ => return,
        };
        read_figure(value, slot, &mut self.anomalies);
    }

    fn take_completion(&mut self, name: &str, value: Raw<'_>) {
        let slot = match name {
            "reasoning_tokens" => &mut self.reasoning,
            "audio_tokens" => &mut self.audio_out,
            "image_tokens" => &mut self.image_out,
            _ => return,
        };
        read_figure(value, slot, &mut self.anomalies);
    }

    /// The disjoint kinds, or `None` when neither side is known.
    ///
    /// The kinds of a side always add up to what was reported for that side: a part that exceeds
    /// what is left of its whole is cut to it.
    pub(in crate::formats) fn usage(&self) -> Option<Usage> {
        let mut usage = Usage::UNKNOWN;
        if let Some(prompt) = self.prompt() {
            let parts = [
                (UsageKind::CachedRead, self.cached),
                (UsageKind::CacheWrite, self.cache_write),
                (UsageKind::InputAudio, self.audio_in),
                (UsageKind::InputImage, self.image_in),
            ];
            share_out(&mut usage, prompt, &parts, UsageKind::Input);
        }
        if let Some(completion) = self.completion() {
            let parts = [
                (UsageKind::Reasoning, self.reasoning),
                (UsageKind::OutputAudio, self.audio_out),
                (UsageKind::OutputImage, self.image_out),
            ];
            share_out(&mut usage, completion, &parts, UsageKind::Output);
        }
        Some(usage).filter(|usage| !usage.is_unknown())
    }

    fn prompt(&self) -> Option<Quantity> {
        self.prompt.or_else(|| Some(self.total?.minus(self.completion?)))
    }

    /// The completion with its reasoning, which some upstreams (xAI) count beside it: there the
    /// total tells.
    fn completion(&self) -> Option<Quantity> {
        let Some(completion) = self.completion else {
            return Some(self.total?.minus(self.prompt?));
        };
        let with_reasoning = completion.plus(self.reasoning.unwrap_or_default());
        let beside = self.reasoning.is_some_and(|reasoning| reasoning > Quantity::ZERO)
            && self
                .prompt
                .zip(self.total)
                .is_some_and(|(p, total)| p.plus(with_reasoning) == total);
        Some(if beside { with_reasoning } else { completion })
    }

    fn prompt_parts_exceed(&self) -> bool {
        let exceed = |whole: Option<Quantity>, parts: &[Option<Quantity>]| {
            parts.iter().flatten().copied().any(|part| part > whole.unwrap_or(Quantity::ZERO))
        };
        exceed(self.prompt(), &[self.cached, self.cache_write, self.audio_in, self.image_in])
            || exceed(self.completion(), &[self.reasoning, self.audio_out, self.image_out])
    }

    fn disagrees(&self) -> bool {
        let (Some(total), Some(prompt)) = (self.total, self.prompt()) else { return false };
        self.completion().is_some_and(|completion| prompt.plus(completion) != total)
    }
}

/// Sets each part, cut to what is left of the whole, and gives the rest to the plain kind.
pub(in crate::formats) fn share_out(
    usage: &mut Usage,
    whole: Quantity,
    parts: &[(UsageKind, Option<Quantity>)],
    plain: UsageKind,
) {
    let mut left = whole;
    for (kind, part) in parts.iter().filter_map(|(kind, part)| Some((*kind, (*part)?))) {
        let part = part.min(left);
        usage.set(kind, part);
        left = left.minus(part);
    }
    usage.set(plain, left);
}

/// Reads a figure into its slot. `null` leaves it as it is; what cannot be read does too, and is
/// counted, as is what can be read but should not look like that.
fn read_figure(value: Raw<'_>, slot: &mut Option<Quantity>, anomalies: &mut u64) {
    let text = match value.kind() {
        Kind::Null => return,
        Kind::Number => Some(value.as_written().into()),
        Kind::String => value.text(),
        Kind::Boolean | Kind::Array | Kind::Object => None,
    };
    let read = text.and_then(|text| Quantity::parse(&text).ok());
    let plain = value.kind() == Kind::Number && read.is_some_and(|read| read.milli() % 1000 == 0);
    *anomalies += u64::from(!plain);
    *slot = read.or(*slot);
}

#[cfg(test)]
mod tests;
