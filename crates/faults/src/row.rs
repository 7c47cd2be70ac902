//! What is said about a reason: the shape of the catalogue's rows, and the articles made of them.

use tollgate_domain::FailureClass;

use crate::Reason;
use crate::catalogue::ROWS;

/// Whose fault a refusal or failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The caller or its call.
    Client,
    /// The gateway: its limits, its budgets, its own failures.
    Gateway,
    /// The configuration: the operator can mend it.
    Config,
    /// The provider.
    Upstream,
}

/// What is said about a reason, on the wire and in its article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The reason.
    pub reason: Reason,
    /// The HTTP status, unless the refusal carries the upstream's own.
    pub status: u16,
    /// `error.type` on OpenAI routes: LiteLLM's word where it has one.
    pub kind: &'static str,
    /// `error.code` on OpenAI routes; `None` is the status as text, as LiteLLM sends it.
    pub code: Option<&'static str>,
    /// `error.type` on Anthropic routes.
    pub anthropic_kind: &'static str,
    /// Whose fault it is.
    pub origin: Origin,
    /// What it means for the call's other attempts, when an attempt failed for it.
    pub class: FailureClass,
    /// Whether the same call may succeed later without any change.
    pub retryable: bool,
    /// What is so, as a heading.
    pub title: &'static str,
    /// What it means, in a sentence or two.
    pub meaning: &'static str,
    /// What to do about it, in one sentence.
    pub fix: &'static str,
}

/// What the page about a reason says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Article {
    /// The reason's slug, which is the page's name.
    pub slug: &'static str,
    /// What is so.
    pub title: &'static str,
    /// Whose fault it is.
    pub origin: Origin,
    /// The HTTP status the client gets, unless the upstream's own is kept.
    pub status: u16,
    /// Whether the same call may succeed later without any change.
    pub retryable: bool,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub fix: &'static str,
}

impl Origin {
    /// The origin's name in error bodies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Gateway => "gateway",
            Self::Config => "config",
            Self::Upstream => "upstream",
        }
    }
}

/// The row of a reason.
#[must_use]
pub fn row(reason: Reason) -> &'static Row {
    &ROWS[reason as usize]
}

/// The page about the reason with this slug.
#[must_use]
pub fn article(slug: &str) -> Option<Article> {
    let Row { reason, status, origin, retryable, title, meaning, fix, .. } =
        *row(Reason::parse(slug)?);
    Some(Article { slug: reason.slug(), title, origin, status, retryable, meaning, fix })
}

/// Every reason, in the order of the rows.
pub(crate) const fn reasons() -> [Reason; Reason::COUNT] {
    let mut reasons = [Reason::GatewayBug; Reason::COUNT];
    let mut at = 0;
    while at < Reason::COUNT {
        reasons[at] = ROWS[at].reason;
        assert!(reasons[at] as usize == at, "the rows stand in the order of the reasons");
        at += 1;
    }
    reasons
}

#[cfg(test)]
mod tests;
