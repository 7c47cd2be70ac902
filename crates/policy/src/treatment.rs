//! What follows from a failure, by its class: the one table that decides.

use std::time::Duration;

use tollgate_domain::FailureClass;

use crate::fallback::ChainKind;

/// What follows from a failure of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Treatment {
    /// Whether the same deployment is tried again.
    pub again: Again,
    /// Whether another deployment of the model group is tried.
    pub elsewhere: bool,
    /// The fallback chain that is followed once the group is exhausted.
    pub fallback: Option<ChainKind>,
    /// What it does to the deployment or its credential.
    pub cooling: Cooling,
    /// What LiteLLM's policies call it, where they have a name for it.
    pub exception: Option<Exception>,
    /// What the caller pays for the attempt.
    pub charge: Charge,
}

/// Whether the same deployment is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// The same attempt would fail in the same way.
    Never,
    /// One time: a second such answer is no accident.
    Once,
    /// After a back-off, as often as retries are allowed.
    BackOff,
}

/// What a failure does to the health of whoever it says something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cooling {
    /// Nothing: it says nothing about the deployment.
    Nothing,
    /// Too many of them cool the deployment.
    AfterFails,
    /// One is enough, and the rest is at least so long.
    AtOnce(HealthOf, Duration),
}

/// Whose health a failure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HealthOf {
    /// One deployment.
    Deployment,
    /// Every deployment with the same credential.
    Credential,
}

/// What the caller pays for a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// Nothing: the provider charges nothing, as far as anybody knows.
    Nothing,
    /// What the provider says that it consumed.
    Consumed,
}

/// The exception classes of LiteLLM that its policies count by (runtime-semantics §8.1, §7.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exception {
    /// `AuthenticationError`.
    Authentication,
    /// `TimeoutError`.
    Timeout,
    /// `RateLimitError`.
    RateLimit,
    /// `ContentPolicyViolationError`.
    ContentPolicy,
    /// `BadRequestError`.
    BadRequest,
    /// `InternalServerError`.
    InternalServer,
}

/// A count for each exception class that a policy names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PerException {
    counts: [Option<u32>; Exception::ALL.len()],
}

impl Treatment {
    /// What follows from a failure of this class.
    #[must_use]
    pub const fn of(class: FailureClass) -> Self {
        use FailureClass as C;
        match class {
            C::CallRefused | C::ClientGone | C::GatewayFailed => ENDS,
            C::RequestRejected => Self { exception: Some(Exception::BadRequest), ..ENDS },
            C::ContextWindow => Self { fallback: Some(ChainKind::ContextWindow), ..ENDS },
            C::ContentPolicy => Self {
                fallback: Some(ChainKind::ContentPolicy),
                exception: Some(Exception::ContentPolicy),
                ..ENDS
            },
            C::RequestTooLarge | C::AnswerTooLarge => Self { elsewhere: true, ..ENDS },
            C::AnswerUnfit => Self { charge: Charge::Consumed, ..ENDS },
            C::NotOffered | C::ModelUnknown | C::LimitReached => ELSEWHERE,
            C::ModelRetired => Self {
                cooling: Cooling::AtOnce(HealthOf::Deployment, RETIRED_COOLDOWN),
                ..ELSEWHERE
            },
            C::CredentialRejected => Self {
                cooling: Cooling::AtOnce(HealthOf::Credential, CREDENTIAL_COOLDOWN),
                exception: Some(Exception::Authentication),
                ..ELSEWHERE
            },
            C::QuotaExhausted => Self {
                cooling: Cooling::AtOnce(HealthOf::Credential, QUOTA_COOLDOWN),
                exception: Some(Exception::RateLimit),
                ..ELSEWHERE
            },
            C::RateLimited => Self {
                again: Again::BackOff,
                cooling: Cooling::AtOnce(HealthOf::Deployment, Duration::ZERO),
                exception: Some(Exception::RateLimit),
                ..ELSEWHERE
            },
            C::TimedOut => Self { exception: Some(Exception::Timeout), ..PASSING },
            C::Overloaded | C::Unreachable | C::ProviderFailed => PASSING,
            C::AnswerUnreadable => Self { again: Again::Once, ..PASSING },
        }
    }

    /// Whether nobody but the caller can change the outcome, so that it is what the caller has to
    /// be told, whatever else failed before.
    #[must_use]
    pub const fn is_of_the_call(class: FailureClass) -> bool {
        use FailureClass as C;
        matches!(class, C::CallRefused | C::RequestRejected | C::ContextWindow | C::ContentPolicy)
    }

    /// Whether the provider did its part, so that the failure is as good as an answer to whoever
    /// wants to know how it is.
    #[must_use]
    pub const fn shows_service(class: FailureClass) -> bool {
        use FailureClass as C;
        matches!(
            class,
            C::RequestRejected
                | C::RequestTooLarge
                | C::ContextWindow
                | C::ContentPolicy
                | C::AnswerTooLarge
                | C::AnswerUnfit
        )
    }
}

/// Nothing else is tried, and nobody is at fault but the call.
const ENDS: Treatment = Treatment {
    again: Again::Never,
    elsewhere: false,
    fallback: None,
    cooling: Cooling::Nothing,
    exception: None,
    charge: Charge::Nothing,
};
/// This deployment does not help; another may.
const ELSEWHERE: Treatment = Treatment { elsewhere: true, fallback: Some(ChainKind::Any), ..ENDS };
/// What may pass by itself.
const PASSING: Treatment = Treatment {
    again: Again::BackOff,
    cooling: Cooling::AfterFails,
    exception: Some(Exception::InternalServer),
    ..ELSEWHERE
};

impl Exception {
    /// Every class.
    pub const ALL: [Self; 6] = [
        Self::Authentication,
        Self::Timeout,
        Self::RateLimit,
        Self::ContentPolicy,
        Self::BadRequest,
        Self::InternalServer,
    ];

    /// Its key in a `retry_policy`.
    #[must_use]
    pub const fn retries_key(self) -> &'static str {
        match self {
            Self::Authentication => "AuthenticationErrorRetries",
            Self::Timeout => "TimeoutErrorRetries",
            Self::RateLimit => "RateLimitErrorRetries",
            Self::ContentPolicy => "ContentPolicyViolationErrorRetries",
            Self::BadRequest => "BadRequestErrorRetries",
            Self::InternalServer => "InternalServerErrorRetries",
        }
    }

    /// Its key in an `allowed_fails_policy`. That of `BadRequest` and `ContentPolicy` has no
    /// effect: a fault of the client's says nothing about a deployment.
    #[must_use]
    pub const fn allowed_fails_key(self) -> &'static str {
        match self {
            Self::Authentication => "AuthenticationErrorAllowedFails",
            Self::Timeout => "TimeoutErrorAllowedFails",
            Self::RateLimit => "RateLimitErrorAllowedFails",
            Self::ContentPolicy => "ContentPolicyViolationErrorAllowedFails",
            Self::BadRequest => "BadRequestErrorAllowedFails",
            Self::InternalServer => "InternalServerErrorAllowedFails",
        }
    }
}

impl PerException {
    /// The count of a class, where the policy names it.
    #[must_use]
    pub const fn get(&self, exception: Exception) -> Option<u32> {
        self.counts[exception as usize]
    }

    /// Sets the count of a class.
    pub const fn set(&mut self, exception: Exception, count: u32) {
        self.counts[exception as usize] = Some(count);
    }

    /// The same policy with the count of one class set.
    #[must_use]
    pub const fn with(mut self, exception: Exception, count: u32) -> Self {
        self.set(exception, count);
        self
    }

    /// The count for failures of a class.
    #[must_use]
    pub fn of(&self, class: FailureClass) -> Option<u32> {
        self.get(Treatment::of(class).exception?)
    }

    /// What this policy says, and where it says nothing, what the other does.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let at = |at: usize| self.counts[at].or(other.counts[at]);
        Self { counts: std::array::from_fn(at) }
    }
}

/// How long a rejected credential rests at least: somebody has to mend it, and a changed
/// configuration begins with a fresh one.
const CREDENTIAL_COOLDOWN: Duration = Duration::from_secs(60);
/// How long an account without credits rests at least (seed-behaviour S02).
const QUOTA_COOLDOWN: Duration = Duration::from_secs(15 * 60);
/// How long a model that its provider retired rests at least, before one call asks again.
const RETIRED_COOLDOWN: Duration = Duration::from_secs(15 * 60);

#[cfg(test)]
mod tests;
