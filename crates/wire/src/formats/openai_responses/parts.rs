//! The parts of a streamed response: which are open, and how much of each has been said.

use std::collections::BTreeMap;
use std::mem::{Discriminant, discriminant};

use crate::conversation::Provenance;
use crate::delta::{Delta, PartKind};

use super::content_in::SUMMARY_BREAK;

/// Where a part stands in the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// `output_index`.
    pub(super) item: u64,
    /// `content_index`.
    pub(super) content: u64,
}

/// Every part that has begun.
#[derive(Debug, Default)]
pub(super) struct Parts {
    known: BTreeMap<Key, Part>,
    begun: u32,
    calls: bool,
    texts: bool,
    refusals: bool,
}

#[derive(Debug)]
struct Part {
    number: u32,
    kind: Discriminant<PartKind>,
    open: bool,
    said: Said,
    citations: usize,
    /// A further summary part begins, which what was said so far must be told apart from.
    breaks: bool,
    /// The event that the reasoning comes in: some servers send it in two forms.
    source: Option<Box<str>>,
}

/// What has been said of a part. The text itself only where citations point into it.
#[derive(Debug)]
enum Said {
    Text(String),
    Something(bool),
}

impl Parts {
    /// Begins a part unless it has begun; its number where it is open and of this kind.
    pub(super) fn open(&mut self, key: Key, kind: PartKind, out: &mut Vec<Delta>) -> Option<u32> {
        let wanted = discriminant(&kind);
        if let Some(known) = self.known.get(&key) {
            return Some(known.number).filter(|_| known.open && known.kind == wanted);
        }
        let number = self.begun;
        self.begun = self.begun.saturating_add(1);
        self.calls |= matches!(kind, PartKind::ToolCall { .. });
        self.texts |= kind == PartKind::Text;
        self.refusals |= kind == PartKind::Refusal;
        let said = match kind {
            PartKind::Text => Said::Text(String::new()),
            _ => Said::Something(false),
        };
        let (breaks, source) = (false, None);
        let (open, citations) = (true, 0);
        let part = Part { number, kind: wanted, open, said, citations, breaks, source };
        self.known.insert(key, part);
        out.push(Delta::Open { choice: 0, part: number, kind });
        Some(number)
    }

    /// Says more of an open part.
    pub(super) fn more(&mut self, key: Key, text: &str, out: &mut Vec<Delta>) {
        let known = self.known.get_mut(&key).filter(|part| part.open && !text.is_empty());
        let Some(part) = known else { return };
        if std::mem::take(&mut part.breaks) && !part.said.is_nothing() {
            out.push(Delta::More { part: part.number, text: SUMMARY_BREAK.into() });
        }
        match &mut part.said {
            Said::Text(said) => said.push_str(text),
            Said::Something(said) => *said = true,
        }
        out.push(Delta::More { part: part.number, text: text.into() });
    }

    /// Says more of a part, beginning it where its server did not.
    pub(super) fn say(&mut self, key: Key, kind: PartKind, text: &str, out: &mut Vec<Delta>) {
        if !text.is_empty() {
            self.open(key, kind, out);
            self.more(key, text, out);
        }
    }

    /// Says more reasoning. A server that sends the reasoning itself beside its summary says it
    /// twice; the form that came first counts.
    pub(super) fn say_reasoning(
        &mut self,
        key: Key,
        source: &str,
        text: &str,
        out: &mut Vec<Delta>,
    ) {
        if text.is_empty() {
            return;
        }
        self.open(key, PartKind::Reasoning { provenance: Provenance::OpenAiResponses }, out);
        let Some(part) = self.known.get_mut(&key) else { return };
        if &**part.source.get_or_insert_with(|| source.into()) == source {
            self.more(key, text, out);
        }
    }

    /// Says the whole of a part of which nothing has been said.
    pub(super) fn say_if_silent(&mut self, key: Key, whole: &str, out: &mut Vec<Delta>) {
        if self.known.get(&key).is_some_and(|part| part.said.is_nothing()) {
            self.more(key, whole, out);
        }
    }

    /// A further part of a reasoning summary begins.
    pub(super) fn break_before_more(&mut self, key: Key) {
        if let Some(part) = self.known.get_mut(&key) {
            part.breaks = true;
        }
    }

    /// Counts a citation.
    pub(super) fn cited(&mut self, key: Key) {
        if let Some(part) = self.known.get_mut(&key) {
            part.citations += 1;
        }
    }

    /// How many citations a part has.
    pub(super) fn citations(&self, key: Key) -> usize {
        self.known.get(&key).map_or(0, |part| part.citations)
    }

    /// The text of an open text part so far.
    pub(super) fn said(&self, key: Key) -> &str {
        match self.known.get(&key).map(|part| &part.said) {
            Some(Said::Text(said)) => said,
            _ => "",
        }
    }

    /// Whether a part has begun.
    pub(super) fn is_known(&self, key: Key) -> bool {
        self.known.contains_key(&key)
    }

    /// Whether a part has begun and ended.
    pub(super) fn is_closed(&self, key: Key) -> bool {
        self.known.get(&key).is_some_and(|part| !part.open)
    }

    /// Ends a part.
    pub(super) fn close(&mut self, key: Key, out: &mut Vec<Delta>) {
        if let Some(part) = self.known.get_mut(&key) {
            part.close(out);
        }
    }

    /// Ends every part of an item.
    pub(super) fn close_item(&mut self, item: u64, out: &mut Vec<Delta>) {
        let keys = Key { item, content: 0 }..=Key { item, content: u64::MAX };
        self.known.range_mut(keys).for_each(|(_, part)| part.close(out));
    }

    /// Ends every part.
    pub(super) fn close_all(&mut self, out: &mut Vec<Delta>) {
        self.known.values_mut().for_each(|part| part.close(out));
    }

    /// Whether any part has begun.
    pub(super) fn have_begun(&self) -> bool {
        !self.known.is_empty()
    }

    /// Whether a tool was called.
    pub(super) const fn calls(&self) -> bool {
        self.calls
    }

    /// Whether all that was said is a refusal.
    pub(super) const fn declines(&self) -> bool {
        self.refusals && !self.texts
    }
}

impl Part {
    fn close(&mut self, out: &mut Vec<Delta>) {
        if std::mem::take(&mut self.open) {
            out.push(Delta::Close { part: self.number });
            // Nothing points into a closed text any more.
            self.said = Said::Something(true);
        }
    }
}

impl Said {
    const fn is_nothing(&self) -> bool {
        match self {
            Self::Text(said) => said.is_empty(),
            Self::Something(said) => !*said,
        }
    }
}
