//! Usage as the API reports it, brought into disjoint kinds.

use tollgate_domain::Usage;

use crate::formats::openai_chat::usage::Reported;
use crate::json::Raw;

/// Reads a `usage`, or `None` where it tells nothing.
///
/// `tokens` count what the model read and wrote; `billed_units`, which leave out what the provider
/// added to the prompt, stand in for a figure that is missing there. `cached_tokens` are a part of
/// the prompt (Cohere API reference, chat, `Usage`).
pub(super) fn read(usage: Raw<'_>) -> Option<Usage> {
    let mut reported = Reported::default();
    for figures in [usage.find("billed_units"), usage.find("tokens"), Some(usage)] {
        reported.take(figures, None);
    }
    reported.usage()
}
