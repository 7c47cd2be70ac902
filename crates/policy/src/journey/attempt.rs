//! One attempt of a journey.

use std::time::Duration;

use tollgate_domain::FailureClass;

/// An attempt under way: to be given back to the journey exactly once, however it ends.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the journey ends where nobody says how an attempt did"]
pub struct Attempt {
    index: usize,
    deployment: usize,
}

impl Attempt {
    pub(super) const fn new(index: usize, deployment: usize) -> Self {
        Self { index, deployment }
    }

    /// Its number among the call's attempts, from zero.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    pub(super) const fn end(self) -> (usize, usize) {
        (self.index, self.deployment)
    }
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptFailure {
    /// What kind of failure it was.
    pub class: FailureClass,
    /// The wait that the upstream asked for.
    pub wait: Option<Duration>,
    /// Whether the client has seen something of the answer.
    pub visible: bool,
    /// Whether the provider produced an answer, which is charged.
    pub consumed: bool,
}

impl AttemptFailure {
    /// A failure before anything was produced or seen.
    #[must_use]
    pub const fn new(class: FailureClass) -> Self {
        Self { class, wait: None, visible: false, consumed: false }
    }

    /// The same with the wait that the upstream asked for.
    #[must_use]
    pub const fn after(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }
}
