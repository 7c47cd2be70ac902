//! Failure classes: what a failed attempt means for everything that comes after it.

/// What kind of failure ended an attempt. Whose fault it was, and what follows from it for the
/// call, the deployment and its credential, is decided by the class alone.
///
/// Facts: the categories of the providers' error documentation (errors.md §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FailureClass {
    /// The call itself is wrong, or its caller may not make it: no deployment changes that.
    CallRefused,
    /// The provider does not accept the request.
    RequestRejected,
    /// The request is larger than the provider takes.
    RequestTooLarge,
    /// The prompt is longer than the model's context window.
    ContextWindow,
    /// The provider refuses the content.
    ContentPolicy,
    /// The provider, or its account's settings, offer nothing that the call needs.
    NotOffered,
    /// The provider does not know the model, or the address.
    ModelUnknown,
    /// The provider no longer serves the model.
    ModelRetired,
    /// The provider rejects the deployment's credential, or there is none.
    CredentialRejected,
    /// The provider account's quota or its credits are used up.
    QuotaExhausted,
    /// The provider limits the rate.
    RateLimited,
    /// The provider is overloaded.
    Overloaded,
    /// Nobody answered in time: the gateway stopped waiting, or the provider gave up.
    TimedOut,
    /// No connection came about, or it broke before the answer began.
    Unreachable,
    /// The provider failed.
    ProviderFailed,
    /// The answer cannot be read, or broke off.
    AnswerUnreadable,
    /// The answer is larger than the gateway takes.
    AnswerTooLarge,
    /// The answer was produced, and is not what was asked for.
    AnswerUnfit,
    /// A limit that the gateway itself keeps for the deployment.
    LimitReached,
    /// The client went away.
    ClientGone,
    /// The gateway failed. Stays last: it counts the classes.
    GatewayFailed,
}

impl FailureClass {
    /// How many classes there are.
    pub const COUNT: usize = Self::GatewayFailed as usize + 1;
    /// Every class.
    pub const ALL: [Self; Self::COUNT] = [
        Self::CallRefused,
        Self::RequestRejected,
        Self::RequestTooLarge,
        Self::ContextWindow,
        Self::ContentPolicy,
        Self::NotOffered,
        Self::ModelUnknown,
        Self::ModelRetired,
        Self::CredentialRejected,
        Self::QuotaExhausted,
        Self::RateLimited,
        Self::Overloaded,
        Self::TimedOut,
        Self::Unreachable,
        Self::ProviderFailed,
        Self::AnswerUnreadable,
        Self::AnswerTooLarge,
        Self::AnswerUnfit,
        Self::LimitReached,
        Self::ClientGone,
        Self::GatewayFailed,
    ];

    /// Its name in records and in documentation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CallRefused => "call_refused",
            Self::RequestRejected => "request_rejected",
            Self::RequestTooLarge => "request_too_large",
            Self::ContextWindow => "context_window",
            Self::ContentPolicy => "content_policy",
            Self::NotOffered => "not_offered",
            Self::ModelUnknown => "model_unknown",
            Self::ModelRetired => "model_retired",
            Self::CredentialRejected => "credential_rejected",
            Self::QuotaExhausted => "quota_exhausted",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::ProviderFailed => "provider_failed",
            Self::AnswerUnreadable => "answer_unreadable",
            Self::AnswerTooLarge => "answer_too_large",
            Self::AnswerUnfit => "answer_unfit",
            Self::LimitReached => "limit_reached",
            Self::ClientGone => "client_gone",
            Self::GatewayFailed => "gateway_failed",
        }
    }
}

impl std::fmt::Display for FailureClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_holds_every_class_at_its_place() {
        for (at, class) in FailureClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, at, "{class}");
        }
    }
}
