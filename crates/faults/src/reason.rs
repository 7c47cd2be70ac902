//! The reasons of refusals and failures: public names that clients and operators rely on.

use crate::row;

/// Why a call was refused or failed. Its slug is a promise: it stands in error bodies, in records
/// and in the address of the article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    // The caller.
    /// The call carries no key.
    KeyMissing,
    /// What the call carries as a key cannot be one.
    KeyMalformed,
    /// No such key.
    KeyUnknown,
    /// The key's time is over.
    KeyExpired,
    /// The key is blocked.
    KeyBlocked,
    /// The key's team is blocked.
    TeamBlocked,
    /// The key's user is blocked.
    UserBlocked,
    /// The customer is blocked.
    CustomerBlocked,
    /// The user is not a member of the team.
    NotAMemberOfTeam,
    /// The key may not use this route.
    RouteNotAllowed,
    /// The caller may not use this model.
    ModelNotGranted,
    /// The caller grants more than it has.
    ExceedsGrant,
    /// The caller may not manage this.
    ManagementForbidden,
    /// The managed key does not exist.
    KeyNotFound,
    /// Another key has this alias.
    KeyAliasTaken,
    /// The managed team, user or other entity does not exist.
    EntityNotFound,
    /// One with this identity exists.
    EntityExists,
    /// The configuration file holds what is to be changed.
    EntryReadOnly,
    /// The deployment to be written could not be used.
    EntryUnusable,
    /// Models are not kept in the database.
    ModelStorageDisabled,
    /// The database's secrets are sealed with another key.
    SaltKeyDiffers,
    /// What is to be changed was changed by others in the meantime, again and again.
    ChangedMeanwhile,
    // The call.
    /// No such route.
    RouteUnknown,
    /// The route does not take this method.
    MethodNotAllowed,
    /// The body is not the JSON it should be.
    BodyMalformed,
    /// The body is larger than the gateway accepts.
    BodyTooLarge,
    /// A required field is missing.
    FieldMissing,
    /// A field has the wrong type.
    FieldWrongType,
    /// A field's value is outside its range.
    FieldOutOfRange,
    /// A field may not be sent by clients.
    ForbiddenField,
    /// No such model.
    ModelUnknown,
    /// Every deployment of the model is paused.
    ModelBlocked,
    /// No such kept answer to go on from.
    PreviousResponseNotFound,
    /// No such kept answer.
    ResponseNotFound,
    /// The route takes no WebSocket.
    WebsocketUnsupported,
    /// The model does not take a parameter.
    ParameterUnsupported,
    /// Thinking and a forced tool choice exclude each other.
    ThinkingConflictsWithForcedToolChoice,
    /// The prompt is longer than the model's context window.
    ContextWindowExceeded,
    /// The provider refused the content.
    ContentRefused,
    /// No endpoint of the model has a feature the call needs.
    NoEndpointWithRequiredFeature,
    /// The client sends or reads too slowly.
    ClientTooSlow,
    /// The client went away; recorded, never sent.
    ClientDisconnected,
    // Money and limits.
    /// A budget is spent.
    BudgetExceeded,
    /// The rest of a budget is held for calls in flight.
    BudgetReservedByOtherRequests,
    /// A model without a price under a budget.
    PriceUnknown,
    /// Nothing bounds what a call may cost, under a budget.
    CostUnbounded,
    /// Budgets cannot be checked.
    BudgetStoreUnavailable,
    /// A rate limit of the gateway is reached.
    RateLimited,
    /// A concurrency limit of the gateway is reached.
    ConcurrencyLimited,
    /// The caller's queue is full.
    QueueFull,
    /// The call waited too long in the queue.
    QueueTimeout,
    // The upstream.
    /// The provider limits the rate.
    UpstreamRateLimited,
    /// The provider account's quota is used up.
    UpstreamQuotaExhausted,
    /// The provider is overloaded.
    UpstreamOverloaded,
    /// The gateway stopped waiting for the provider.
    UpstreamTimeout,
    /// The provider itself reported a timeout.
    UpstreamReportedTimeout,
    /// No connection to the provider.
    UpstreamUnreachable,
    /// The provider failed.
    UpstreamError,
    /// The provider does not accept the request.
    UpstreamRejectedRequest,
    /// The request is larger than the provider accepts.
    UpstreamRequestTooLarge,
    /// The provider does not know the address that was called.
    UpstreamRouteUnknown,
    /// The provider's answer cannot be read.
    UpstreamAnswerMalformed,
    /// The provider's answer broke off.
    UpstreamAnswerCut,
    /// The provider's answer is larger than the gateway accepts.
    UpstreamAnswerTooLarge,
    /// The provider rejects the gateway's credential.
    UpstreamCredentialsRejected,
    /// The gateway has no credential for the provider.
    UpstreamCredentialsUnavailable,
    /// The provider rejects the credential that the caller brought.
    OwnCredentialRejected,
    /// The caller has to bring a credential for the provider and brought none.
    OwnCredentialMissing,
    /// The provider account has no credits left.
    UpstreamAccountOutOfCredits,
    /// The provider no longer serves the model.
    ModelRetired,
    /// The provider cannot serve the model right now.
    ModelTemporarilyUnavailable,
    /// Every deployment of the model is rate limited.
    AllDeploymentsRateLimited,
    /// Every deployment of the model is failing.
    AllDeploymentsFailing,
    /// OpenRouter's privacy settings exclude every endpoint.
    ExcludedByOpenrouterPrivacySettings,
    /// The Azure resource takes no keys.
    AzureKeyAuthDisabled,
    /// The Azure principal lacks a role.
    AzureRoleMissing,
    /// The Azure token is for another audience.
    AzureTokenWrongAudience,
    /// The provider's answer holds no image.
    UpstreamReturnedNoImage,
    /// The model did not produce the structure asked for.
    StructuredOutputNotProduced,
    /// A stream accumulates more than the gateway keeps.
    StreamLimitExceeded,
    // The gateway.
    /// The database is unavailable.
    StoreUnavailable,
    /// The gateway takes no more calls at once.
    GatewayBusy,
    /// The gateway is shutting down.
    GatewayDraining,
    /// The gateway failed. Stays last: it counts the reasons.
    GatewayBug,
}

impl Reason {
    /// How many reasons there are.
    pub const COUNT: usize = Self::GatewayBug as usize + 1;
    /// Every reason, in the order of the catalogue.
    pub const ALL: [Self; Self::COUNT] = row::reasons();

    /// Whether it is about the gateway's own credential for a provider. Then the provider's words
    /// do not reach the client: such texts repeat parts of the key.
    #[must_use]
    pub const fn is_about_our_credential(self) -> bool {
        matches!(
            self,
            Self::UpstreamCredentialsRejected
                | Self::UpstreamCredentialsUnavailable
                | Self::AzureKeyAuthDisabled
                | Self::AzureRoleMissing
                | Self::AzureTokenWrongAudience
        )
    }

    /// Reads a slug.
    #[must_use]
    pub fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.slug() == slug)
    }

    /// The reason's public name.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a list: one line for each reason")]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::KeyMissing => "key_missing",
            Self::KeyMalformed => "key_malformed",
            Self::KeyUnknown => "key_unknown",
            Self::KeyExpired => "key_expired",
            Self::KeyBlocked => "key_blocked",
            Self::TeamBlocked => "team_blocked",
            Self::UserBlocked => "user_blocked",
            Self::CustomerBlocked => "customer_blocked",
            Self::NotAMemberOfTeam => "not_a_member_of_team",
            Self::RouteNotAllowed => "route_not_allowed",
            Self::ModelNotGranted => "model_not_granted",
            Self::ExceedsGrant => "exceeds_grant",
            Self::ManagementForbidden => "management_forbidden",
            Self::KeyNotFound => "key_not_found",
            Self::KeyAliasTaken => "key_alias_taken",
            Self::EntityNotFound => "entity_not_found",
            Self::EntityExists => "entity_exists",
            Self::EntryReadOnly => "entry_read_only",
            Self::EntryUnusable => "entry_unusable",
            Self::ModelStorageDisabled => "model_storage_disabled",
            Self::SaltKeyDiffers => "salt_key_differs",
            Self::ChangedMeanwhile => "changed_meanwhile",
            Self::RouteUnknown => "route_unknown",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::BodyMalformed => "body_malformed",
            Self::BodyTooLarge => "body_too_large",
            Self::FieldMissing => "field_missing",
            Self::FieldWrongType => "field_wrong_type",
            Self::FieldOutOfRange => "field_out_of_range",
            Self::ForbiddenField => "forbidden_field",
            Self::ModelUnknown => "model_unknown",
            Self::ModelBlocked => "model_blocked",
            Self::PreviousResponseNotFound => "previous_response_not_found",
            Self::ResponseNotFound => "response_not_found",
            Self::WebsocketUnsupported => "websocket_unsupported",
            Self::ParameterUnsupported => "parameter_unsupported",
            Self::ThinkingConflictsWithForcedToolChoice => {
                "thinking_conflicts_with_forced_tool_choice"
            }
            Self::ContextWindowExceeded => "context_window_exceeded",
            Self::ContentRefused => "content_refused",
            Self::NoEndpointWithRequiredFeature => "no_endpoint_with_required_feature",
            Self::ClientTooSlow => "client_too_slow",
            Self::ClientDisconnected => "client_disconnected",
            Self::BudgetExceeded => "budget_exceeded",
            Self::BudgetReservedByOtherRequests => "budget_reserved_by_other_requests",
            Self::PriceUnknown => "price_unknown",
            Self::CostUnbounded => "cost_unbounded",
            Self::BudgetStoreUnavailable => "budget_store_unavailable",
            Self::RateLimited => "rate_limited",
            Self::ConcurrencyLimited => "concurrency_limited",
            Self::QueueFull => "queue_full",
            Self::QueueTimeout => "queue_timeout",
            Self::UpstreamRateLimited => "upstream_rate_limited",
            Self::UpstreamQuotaExhausted => "upstream_quota_exhausted",
            Self::UpstreamOverloaded => "upstream_overloaded",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamReportedTimeout => "upstream_reported_timeout",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::UpstreamError => "upstream_error",
            Self::UpstreamRejectedRequest => "upstream_rejected_request",
            Self::UpstreamRequestTooLarge => "upstream_request_too_large",
            Self::UpstreamRouteUnknown => "upstream_route_unknown",
            Self::UpstreamAnswerMalformed => "upstream_answer_malformed",
            Self::UpstreamAnswerCut => "upstream_answer_cut",
            Self::UpstreamAnswerTooLarge => "upstream_answer_too_large",
            Self::UpstreamCredentialsRejected => "upstream_credentials_rejected",
            Self::UpstreamCredentialsUnavailable => "upstream_credentials_unavailable",
            Self::OwnCredentialRejected => "own_credential_rejected",
            Self::OwnCredentialMissing => "own_credential_missing",
            Self::UpstreamAccountOutOfCredits => "upstream_account_out_of_credits",
            Self::ModelRetired => "model_retired",
            Self::ModelTemporarilyUnavailable => "model_temporarily_unavailable",
            Self::AllDeploymentsRateLimited => "all_deployments_rate_limited",
            Self::AllDeploymentsFailing => "all_deployments_failing",
            Self::ExcludedByOpenrouterPrivacySettings => "excluded_by_openrouter_privacy_settings",
            Self::AzureKeyAuthDisabled => "azure_key_auth_disabled",
            Self::AzureRoleMissing => "azure_role_missing",
            Self::AzureTokenWrongAudience => "azure_token_wrong_audience",
            Self::UpstreamReturnedNoImage => "upstream_returned_no_image",
            Self::StructuredOutputNotProduced => "structured_output_not_produced",
            Self::StreamLimitExceeded => "stream_limit_exceeded",
            Self::StoreUnavailable => "store_unavailable",
            Self::GatewayBusy => "gateway_busy",
            Self::GatewayDraining => "gateway_draining",
            Self::GatewayBug => "gateway_bug",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.slug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slug_reads_back() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.slug()), Some(reason));
        }
        assert_eq!(Reason::parse("no_such_reason"), None);
        assert_eq!(Reason::parse(""), None);
    }

    #[test]
    fn slugs_are_lower_snake_case() {
        for reason in Reason::ALL {
            let plain = |letter: char| letter.is_ascii_lowercase() || letter == '_';
            assert!(reason.slug().chars().all(plain), "{reason}");
        }
    }
}
