//! Usage as the Messages API reports it, which has disjoint kinds already.

use tollgate_domain::{Quantity, Usage, UsageKind};

use crate::json::write::JsonWriter;
use crate::json::{Kind, Raw};

/// What has been reported so far. A stream reports twice, running totals both times: of a figure
/// that comes again the last one counts.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::formats) struct Reported {
    pub(in crate::formats) input: Option<Quantity>,
    pub(in crate::formats) cached_read: Option<Quantity>,
    pub(in crate::formats) cache_write: Option<Quantity>,
    pub(in crate::formats) cache_write_short: Option<Quantity>,
    pub(in crate::formats) cache_write_long: Option<Quantity>,
    pub(in crate::formats) output: Option<Quantity>,
    pub(in crate::formats) thinking: Option<Quantity>,
    searches: Option<Quantity>,
}

impl Reported {
    /// Takes a `usage`. Where the provider needed several attempts, the bill is their sum, and the
    /// figures beside them cover the last one only.
    pub(super) fn take(&mut self, usage: Raw<'_>) {
        let mut attempts = usage.find("iterations").into_iter().flat_map(Raw::elements).peekable();
        if attempts.peek().is_none() {
            return self.take_figures(usage);
        }
        let mut sum = Self::default();
        for attempt in attempts {
            let mut figures = Self::default();
            figures.take_figures(attempt);
            sum.add(&figures);
        }
        let mut beside = Self::default();
        beside.take_figures(usage);
        let searches = beside.searches;
        *self = Self { searches: searches.or(self.searches), ..sum.or(beside).or(*self) };
    }

    fn take_figures(&mut self, usage: Raw<'_>) {
        for (name, value) in usage.members() {
            match &*name {
                "input_tokens" => read(value, &mut self.input),
                "cache_read_input_tokens" => read(value, &mut self.cached_read),
                "cache_creation_input_tokens" => read(value, &mut self.cache_write),
                "output_tokens" => read(value, &mut self.output),
                "cache_creation" => {
                    read_inside(value, "ephemeral_5m_input_tokens", &mut self.cache_write_short);
                    read_inside(value, "ephemeral_1h_input_tokens", &mut self.cache_write_long);
                }
                "output_tokens_details" => {
                    read_inside(value, "thinking_tokens", &mut self.thinking);
                }
                "server_tool_use" => {
                    read_inside(value, "web_search_requests", &mut self.searches);
                }
                _ => {}
            }
        }
    }

    const fn figures(&mut self) -> [&mut Option<Quantity>; 8] {
        [
            &mut self.input,
            &mut self.cached_read,
            &mut self.cache_write,
            &mut self.cache_write_short,
            &mut self.cache_write_long,
            &mut self.output,
            &mut self.thinking,
            &mut self.searches,
        ]
    }

    fn add(&mut self, other: &Self) {
        let mut other = *other;
        for (mine, theirs) in self.figures().into_iter().zip(other.figures()) {
            *mine = match (*mine, *theirs) {
                (Some(a), Some(b)) => Some(a.plus(b)),
                (a, b) => a.or(b),
            };
        }
    }

    fn or(mut self, mut other: Self) -> Self {
        for (mine, theirs) in self.figures().into_iter().zip(other.figures()) {
            *mine = mine.or(*theirs);
        }
        self
    }

    /// The usage, or `None` when nothing was reported.
    pub(in crate::formats) fn usage(&self) -> Option<Usage> {
        let mut usage = Usage::UNKNOWN;
        let mut set = |kind, quantity: Option<Quantity>| {
            if let Some(quantity) = quantity {
                usage.set(kind, quantity);
            }
        };
        let long = self.cache_write_long;
        // The whole of what was written counts where its parts do not add up to it.
        let short = self.cache_write.map(|whole| whole.minus(long.unwrap_or_default()));
        set(UsageKind::Input, self.input);
        set(UsageKind::CachedRead, self.cached_read);
        set(UsageKind::CacheWrite, short.or(self.cache_write_short));
        set(UsageKind::CacheWriteLong, long);
        let thinking = self.thinking.map(|part| part.min(self.output.unwrap_or_default()));
        set(UsageKind::Output, self.output.map(|all| all.minus(thinking.unwrap_or_default())));
        set(UsageKind::Reasoning, thinking);
        set(UsageKind::Searches, self.searches);
        Some(usage).filter(|usage| !usage.is_unknown())
    }
}

/// Reads a figure; what is no figure leaves the slot as it is.
pub(in crate::formats) fn read(value: Raw<'_>, slot: &mut Option<Quantity>) {
    let number = Some(value).filter(|value| value.kind() == Kind::Number);
    *slot = number.and_then(|number| Quantity::parse(number.as_written()).ok()).or(*slot);
}

fn read_inside(value: Raw<'_>, name: &str, slot: &mut Option<Quantity>) {
    if let Some(figure) = value.find(name) {
        read(figure, slot);
    }
}

/// Writes a `usage`. Both totals are always there, because clients count on them.
pub(super) fn write_usage(o: &mut JsonWriter<'_>, usage: &Usage) {
    let tokens = |kind| usage.quantity(kind).unwrap_or_default();
    let input = tokens(UsageKind::Input)
        .plus(tokens(UsageKind::InputAudio))
        .plus(tokens(UsageKind::InputImage));
    let (short, long) = (tokens(UsageKind::CacheWrite), tokens(UsageKind::CacheWriteLong));
    o.object("usage", |o| {
        o.number("input_tokens", input.rounded());
        o.number("cache_creation_input_tokens", short.plus(long).rounded());
        o.number("cache_read_input_tokens", tokens(UsageKind::CachedRead).rounded());
        if long > Quantity::ZERO {
            o.object("cache_creation", |o| {
                o.number("ephemeral_5m_input_tokens", short.rounded());
                o.number("ephemeral_1h_input_tokens", long.rounded());
            });
        }
        o.number("output_tokens", usage.completion().unwrap_or_default().rounded());
        if let Some(thinking) = usage.quantity(UsageKind::Reasoning) {
            o.object("output_tokens_details", |o| {
                o.number("thinking_tokens", thinking.rounded());
            });
        }
        if let Some(searches) = usage.quantity(UsageKind::Searches) {
            o.object("server_tool_use", |o| {
                o.number("web_search_requests", searches.rounded());
            });
        }
    });
}
