//! The catalogue: one row for each reason. Error bodies, articles and statuses come from here only.

mod families;

use tollgate_domain::FailureClass as C;

use crate::Reason;
use crate::row::{Origin, Row};
use families::{
    ABSENT, BUDGET, CREDENTIAL, FORBIDDEN, GATEWAY, KEY, REQUEST, STORE, THROTTLE, UPSTREAM,
};

/// Every reason in the order of [`Reason`], which the compiler checks.
pub(crate) static ROWS: [Row; Reason::COUNT] = [
    Row {
        reason: Reason::KeyMissing,
        title: "the call carries no key",
        meaning: "None of the headers that may carry a key does: `authorization`, `x-api-key`, \
            `api-key`, `x-goog-api-key`.",
        fix: "send `authorization: Bearer <key>` with a virtual key of this gateway",
        ..KEY
    },
    Row {
        reason: Reason::KeyMalformed,
        title: "the key cannot be a virtual key",
        meaning: "Virtual keys begin with `sk-`. A provider's own key, a placeholder or a cut-off \
            copy is not one.",
        fix: "send the whole virtual key, which begins with `sk-`",
        ..KEY
    },
    Row {
        reason: Reason::KeyUnknown,
        kind: "token_not_found_in_db",
        title: "no such key",
        meaning: "The key has the right form, and this gateway has never issued it or has deleted \
            it.",
        fix: "check that the key was issued by this gateway and was not deleted, or ask for a new \
            one",
        ..KEY
    },
    Row {
        reason: Reason::KeyExpired,
        kind: "expired_key",
        title: "the key has expired",
        meaning: "The key was issued for a limited time, which is over.",
        fix: "ask whoever issued the key for a new one or for more time",
        ..KEY
    },
    Row {
        reason: Reason::KeyBlocked,
        title: "the key is blocked",
        meaning: "Someone who manages the key has blocked it.",
        fix: "ask whoever manages the key to unblock it",
        ..KEY
    },
    Row {
        reason: Reason::TeamBlocked,
        title: "the key's team is blocked",
        meaning: "Every key of a blocked team is refused, whatever its own state.",
        fix: "ask an administrator to unblock the team",
        ..KEY
    },
    Row {
        reason: Reason::UserBlocked,
        title: "the key's user is blocked",
        meaning: "Every key of a blocked user is refused, whatever its own state.",
        fix: "ask an administrator to unblock the user",
        ..KEY
    },
    Row {
        reason: Reason::CustomerBlocked,
        title: "the customer is blocked",
        meaning: "Calls on behalf of a blocked customer are refused, whichever key makes them.",
        fix: "ask an administrator to unblock the customer",
        ..KEY
    },
    Row {
        reason: Reason::NotAMemberOfTeam,
        kind: "team_member_permission_error",
        title: "the user is not a member of the team",
        meaning: "The call names a team, or its key belongs to one, that its user is not a member \
            of.",
        fix: "ask a team administrator to add the user, or use a key of another team",
        ..FORBIDDEN
    },
    Row {
        reason: Reason::RouteNotAllowed,
        title: "the key may not use this route",
        meaning: "The key is limited to certain routes, and this is none of them.",
        fix: "use a key that allows this route, or ask for it to be allowed",
        ..FORBIDDEN
    },
    Row {
        reason: Reason::ModelNotGranted,
        kind: "key_model_access_denied",
        title: "the caller may not use this model",
        meaning: "The model exists, and the models granted to the key, its team or its user do \
            not include it.",
        fix: "call `GET /v1/models` for the models this key may use, or ask for this one to be \
            granted",
        ..FORBIDDEN
    },
    Row {
        reason: Reason::ExceedsGrant,
        title: "nobody can grant more than they have",
        meaning: "A key, team or limit would allow more than its creator is allowed.",
        fix: "ask for less, or ask someone whose own grant is wide enough",
        ..FORBIDDEN
    },
    Row {
        reason: Reason::ManagementForbidden,
        title: "the caller may not manage this",
        meaning: "Management routes need the master key or a role that covers what is managed.",
        fix: "use the master key or the key of an administrator",
        ..FORBIDDEN
    },
    Row {
        reason: Reason::KeyNotFound,
        title: "the key to manage does not exist",
        meaning: "No key has this value, hash or alias; it may have been deleted.",
        fix: "call `GET /key/list` for the keys there are",
        ..ABSENT
    },
    Row {
        reason: Reason::KeyAliasTaken,
        kind: "bad_request_error",
        title: "another key has this alias",
        meaning: "An alias names one key at a time.",
        fix: "choose another alias, or rename or delete the key that has it",
        ..REQUEST
    },
    Row {
        reason: Reason::EntityNotFound,
        title: "what is to be managed does not exist",
        meaning: "No team, user, organization, customer, tag or budget has this identity; it may \
            have been deleted.",
        fix: "call the route that lists them, such as `GET /team/list`",
        ..ABSENT
    },
    Row {
        reason: Reason::EntityExists,
        kind: "bad_request_error",
        title: "one with this identity exists",
        meaning: "An identity names one team, user, organization, customer, tag or budget at a \
            time.",
        fix: "choose another identity, leave it out to get a fresh one, or update the one there is",
        ..REQUEST
    },
    Row {
        reason: Reason::EntryReadOnly,
        kind: "bad_request_error",
        title: "the configuration file holds it",
        meaning: "Deployments and credentials of the configuration file are changed there, not \
            through the API.",
        fix: "change the configuration file, or add one under another identity",
        ..REQUEST
    },
    Row {
        reason: Reason::EntryUnusable,
        kind: "bad_request_error",
        title: "the deployment cannot be used as it is written",
        meaning: "It would be left out, for the reasons that the message gives: the same that \
            `tollgate check` gives for an entry of the configuration file.",
        fix: "correct what the message names; nothing was changed",
        ..REQUEST
    },
    Row {
        reason: Reason::ModelStorageDisabled,
        status: 403,
        kind: "bad_request_error",
        origin: Origin::Config,
        title: "models are not kept in the database",
        meaning: "The operator has not allowed deployments and credentials to be written into the \
            database.",
        fix: "set `general_settings.store_model_in_db: true`, or the variable \
            `STORE_MODEL_IN_DB=True`",
        ..REQUEST
    },
    Row {
        reason: Reason::SaltKeyDiffers,
        status: 409,
        kind: "bad_request_error",
        origin: Origin::Config,
        title: "the database's secrets are sealed with another key",
        meaning: "Another gateway on this database sealed them with its own key. What this one \
            would seal, the other could not read, so it writes no secret.",
        fix: "set `TOLLGATE_SALT_KEY` to the same text on every gateway of the database; without \
            it, each one's is in the file `salt_key` of its data directory",
        ..REQUEST
    },
    Row {
        reason: Reason::ChangedMeanwhile,
        status: 409,
        retryable: true,
        title: "others changed the same at the same time",
        meaning: "Others changed the same between reading and writing, again and again.",
        fix: "send the request again; nothing of it was done",
        ..REQUEST
    },
    Row {
        reason: Reason::RouteUnknown,
        status: 404,
        anthropic_kind: "not_found_error",
        title: "no such route",
        meaning: "The gateway serves nothing at this path; a base URL with `/v1` once too often \
            or not at all is the usual cause.",
        fix: "set the client's base URL to the address of this gateway followed by `/v1`",
        ..REQUEST
    },
    Row {
        reason: Reason::MethodNotAllowed,
        status: 405,
        title: "the route does not take this method",
        meaning: "The path exists for another HTTP method, named in the `allow` header.",
        fix: "use a method that the `allow` header names",
        ..REQUEST
    },
    Row {
        reason: Reason::BodyMalformed,
        title: "the body is not the JSON it should be",
        meaning: "The body is no JSON object; the message says at which line and column it goes \
            wrong.",
        fix: "send one JSON object as the body, with `content-type: application/json`",
        ..REQUEST
    },
    Row {
        reason: Reason::BodyTooLarge,
        status: 413,
        anthropic_kind: "request_too_large",
        title: "the body is larger than the gateway accepts",
        meaning: "Bodies have a limit so that one call cannot take the memory of all.",
        fix: "send less, or ask the operator to raise the limit on request bodies",
        ..REQUEST
    },
    Row {
        reason: Reason::FieldMissing,
        title: "a required field is missing",
        meaning: "The route cannot serve a call without the field that the message names.",
        fix: "add the field that `param` names",
        ..REQUEST
    },
    Row {
        reason: Reason::FieldWrongType,
        title: "a field has the wrong type",
        meaning: "The field that the message names holds another JSON type than it may.",
        fix: "send the field that `param` names with the type that the message names",
        ..REQUEST
    },
    Row {
        reason: Reason::FieldOutOfRange,
        title: "a field's value is outside its range",
        meaning: "The field that the message names holds a value that is too small, too large or \
            not in its list.",
        fix: "send the field that `param` names within the range that the message names",
        ..REQUEST
    },
    Row {
        reason: Reason::ForbiddenField,
        title: "a field may not be sent by clients",
        meaning: "Prices, spend, credentials and addresses are the operator's; a client that \
            could set them could spend for others.",
        fix: "leave out the field that `param` names",
        ..REQUEST
    },
    Row {
        reason: Reason::ModelUnknown,
        class: C::ModelUnknown,
        status: 404,
        code: Some("model_not_found"),
        anthropic_kind: "not_found_error",
        title: "no such model",
        meaning: "No model group of the gateway has this name, or the provider behind it knows no \
            such model.",
        fix: "call `GET /v1/models` for the names; if yours is listed, its deployment names a \
            model that the provider lacks",
        ..REQUEST
    },
    Row {
        reason: Reason::ModelBlocked,
        title: "the model is blocked",
        meaning: "Every deployment of the model was paused by an administrator.",
        fix: "ask an administrator to unblock one with `POST /model/unblock`, or call another \
            model",
        ..FORBIDDEN
    },
    Row {
        reason: Reason::PreviousResponseNotFound,
        code: Some("previous_response_not_found"),
        title: "no such answer to go on from",
        meaning: "`previous_response_id` names an answer that is not kept for this key or its \
            team: it expired, was deleted, was made with `store: false`, or never was.",
        fix: "send the earlier turns in `input`, without `previous_response_id`",
        ..REQUEST
    },
    Row {
        reason: Reason::ResponseNotFound,
        status: 404,
        anthropic_kind: "not_found_error",
        title: "no such answer",
        meaning: "No answer of this id is kept for this key or its team: it expired, was deleted, \
            was made with `store: false`, or never was.",
        fix: "check the id, and that the key is of the team whose key made the call",
        ..REQUEST
    },
    Row {
        reason: Reason::WebsocketUnsupported,
        status: 426,
        title: "the route takes no WebSocket",
        meaning: "The gateway answers the Responses API over HTTPS, whole or as a stream of \
            events, and takes no WebSocket.",
        fix: "call `POST /v1/responses` over HTTPS, with `stream: true` for a stream",
        ..REQUEST
    },
    Row {
        reason: Reason::ParameterUnsupported,
        class: C::RequestRejected,
        code: Some("unsupported_parameter"),
        title: "the model does not take a parameter",
        meaning: "The provider accepts the call only without the parameter that the message \
            names, or only with other values.",
        fix: "leave the parameter out, or set `drop_params: true` for the deployment",
        ..REQUEST
    },
    Row {
        reason: Reason::ThinkingConflictsWithForcedToolChoice,
        title: "thinking and a forced tool choice exclude each other",
        meaning: "The model does not think while `tool_choice` forces a tool, and the call asks \
            for both.",
        fix: "set `tool_choice` to `auto`, or turn `thinking` off",
        ..REQUEST
    },
    Row {
        reason: Reason::ContextWindowExceeded,
        class: C::ContextWindow,
        code: Some("context_length_exceeded"),
        title: "the prompt is longer than the model's context window",
        meaning: "Prompt and reserved output together have more tokens than the model can take.",
        fix: "shorten the conversation, lower `max_tokens`, or use a model with a larger context \
            window",
        ..REQUEST
    },
    Row {
        reason: Reason::ContentRefused,
        class: C::ContentPolicy,
        code: Some("content_policy_violation"),
        title: "the provider refused the content",
        meaning: "The provider's content policy stopped the prompt or the answer.",
        fix: "change the content, or use a model with another content policy",
        ..REQUEST
    },
    Row {
        reason: Reason::NoEndpointWithRequiredFeature,
        class: C::NotOffered,
        title: "no endpoint has a feature the call needs",
        meaning: "The model is served, and no endpoint that serves it takes tools, images or \
            whatever else the call needs.",
        fix: "leave the feature out, or use a model that has it",
        ..REQUEST
    },
    Row {
        reason: Reason::ClientTooSlow,
        class: C::ClientGone,
        status: 408,
        title: "the client is too slow",
        meaning: "The client did not send its body, or did not read its answer, within the time \
            allowed.",
        fix: "send and read without long pauses, or ask the operator for longer limits",
        ..REQUEST
    },
    Row {
        reason: Reason::ClientDisconnected,
        class: C::ClientGone,
        status: 499,
        title: "the client went away",
        meaning: "The connection closed before the answer ended; what was consumed until then is \
            charged.",
        fix: "raise the client's own timeout if it gave up too early",
        ..REQUEST
    },
    Row {
        reason: Reason::BudgetExceeded,
        title: "a budget is spent",
        meaning: "What was spent, together with what this call may cost, is more than a budget \
            allows.",
        fix: "ask for a larger budget, or lower `max_tokens` so that the call may cost less",
        ..BUDGET
    },
    Row {
        reason: Reason::BudgetReservedByOtherRequests,
        retryable: true,
        title: "the rest of a budget is held for other calls",
        meaning: "The call would fit what is unspent, but calls in flight hold a part of it until \
            they settle.",
        fix: "try again when other calls have ended, or lower `max_tokens`",
        ..BUDGET
    },
    Row {
        reason: Reason::PriceUnknown,
        kind: "model_cost_map_missing",
        origin: Origin::Config,
        title: "the model has no price",
        meaning: "A call under a budget needs a price, because an unknown price is not zero.",
        fix: "ask the operator to set a price for the model, 0 included, or to set \
            `unpriced_models`",
        ..FORBIDDEN
    },
    Row {
        reason: Reason::CostUnbounded,
        title: "nothing bounds what the call may cost",
        meaning: "Under a budget, the most a call can cost is held. This one lets the provider \
            run tools without a limit, or names a prompt of any length that is kept elsewhere.",
        fix: "limit it with `max_uses` or `max_tool_calls`, leave out what has no limit, or ask \
            the operator to set `general_settings.budget.unbounded_calls: reserve:<dollars>`",
        ..REQUEST
    },
    Row {
        reason: Reason::BudgetStoreUnavailable,
        title: "budgets cannot be checked",
        meaning: "The store that counts spend does not answer, and an unchecked call could pass a \
            budget.",
        fix: "try again shortly; the operator finds the cause at `/health/readiness`",
        ..STORE
    },
    Row {
        reason: Reason::RateLimited,
        title: "a rate limit is reached",
        meaning: "The key, team, user or model has a limit per minute, and it is used up.",
        fix: "wait as long as `retry-after` says",
        ..THROTTLE
    },
    Row {
        reason: Reason::ConcurrencyLimited,
        title: "too many calls at once",
        meaning: "The key, team, user or model has a limit on calls in flight, and it is reached.",
        fix: "wait for a call to end, or send fewer at once",
        ..THROTTLE
    },
    Row {
        reason: Reason::QueueFull,
        title: "the queue is full",
        meaning: "The model is busy, and this caller has as many calls waiting as one caller may.",
        fix: "wait as long as `retry-after` says, or send fewer calls at once",
        ..THROTTLE
    },
    Row {
        reason: Reason::QueueTimeout,
        title: "the call waited too long in the queue",
        meaning: "The model is busy, and no place became free within the longest wait.",
        fix: "wait as long as `retry-after` says",
        ..THROTTLE
    },
    Row {
        reason: Reason::UpstreamRateLimited,
        class: C::RateLimited,
        status: 429,
        kind: "throttling_error",
        anthropic_kind: "rate_limit_error",
        title: "the provider limits the rate",
        meaning: "The provider account behind the gateway has a limit per minute, and it is used \
            up.",
        fix: "wait as long as `retry-after` says; the operator can add deployments",
        ..UPSTREAM
    },
    Row {
        reason: Reason::UpstreamQuotaExhausted,
        class: C::QuotaExhausted,
        status: 429,
        kind: "insufficient_quota",
        code: Some("insufficient_quota"),
        anthropic_kind: "rate_limit_error",
        retryable: false,
        title: "the provider account's quota is used up",
        meaning: "The provider account behind the gateway has reached its spending limit or its \
            daily quota; waiting a moment does not help.",
        fix: "ask the operator to raise the quota of the provider account or to add a deployment",
        ..UPSTREAM
    },
    Row {
        reason: Reason::UpstreamOverloaded,
        class: C::Overloaded,
        status: 503,
        kind: "overloaded_error",
        anthropic_kind: "overloaded_error",
        title: "the provider is overloaded",
        meaning: "The provider has more calls than it can serve at the moment.",
        fix: "try again shortly, or use another model",
        ..UPSTREAM
    },
    Row {
        reason: Reason::UpstreamTimeout,
        class: C::TimedOut,
        status: 504,
        kind: "timeout_error",
        anthropic_kind: "timeout_error",
        title: "the provider took too long",
        meaning: "The gateway stopped waiting; the message names the phase (connect, first byte, \
            idle, total) and its limit.",
        fix: "use a shorter prompt or a stream, or ask the operator to raise the limit of that \
            phase",
        ..UPSTREAM
    },
    Row {
        reason: Reason::UpstreamReportedTimeout,
        class: C::TimedOut,
        status: 504,
        kind: "timeout_error",
        anthropic_kind: "timeout_error",
        title: "the provider reported a timeout",
        meaning: "The provider, or a proxy in front of it, gave up on its own side before the \
            gateway did.",
        fix: "try again, or use a shorter prompt or a stream",
        ..UPSTREAM
    },
    Row {
        reason: Reason::UpstreamUnreachable,
        class: C::Unreachable,
        kind: "api_connection_error",
        title: "the provider cannot be reached",
        meaning: "No connection came about: the name does not resolve, the port is closed, or TLS \
            failed.",
        fix: "try again; if it stays, the operator checks the deployment's base URL and the \
            network",
        ..UPSTREAM
    },
    Row {
        reason: Reason::UpstreamError,
        title: "the provider failed",
        meaning: "The provider answered with an error of its own.",
        fix: "try again; if it stays, use another model or ask the provider with the request id",
        ..UPSTREAM
    },
    Row {
        reason: Reason::UpstreamRejectedRequest,
        class: C::RequestRejected,
        title: "the provider does not accept the request",
        meaning: "The gateway relayed the call as it came, and the provider says what is wrong \
            with it.",
        fix: "change the request as the provider's message says",
        ..REQUEST
    },
    Row {
        reason: Reason::UpstreamRequestTooLarge,
        class: C::RequestTooLarge,
        status: 413,
        anthropic_kind: "request_too_large",
        title: "the request is larger than the provider accepts",
        meaning: "The call alone has more bytes or tokens than the provider takes in one request \
            or in one minute.",
        fix: "send a smaller request, or use a deployment with higher limits",
        ..REQUEST
    },
    Row {
        reason: Reason::UpstreamRouteUnknown,
        class: C::ModelUnknown,
        status: 404,
        kind: "not_found_error",
        anthropic_kind: "not_found_error",
        title: "the provider does not know the address",
        meaning: "The provider serves nothing at the address that the deployment's base URL leads \
            to.",
        fix: "the operator checks the deployment's base URL, often a missing or doubled `/v1`",
        ..CREDENTIAL
    },
    Row {
        reason: Reason::UpstreamAnswerMalformed,
        class: C::AnswerUnreadable,
        title: "the provider's answer cannot be read",
        meaning: "The answer is not what its format promises: no JSON, an HTML page, or a frame \
            with fields missing.",
        fix: "try again; if it stays, the operator checks the deployment's base URL and provider",
        ..UPSTREAM
    },
    Row {
        reason: Reason::UpstreamAnswerCut,
        class: C::AnswerUnreadable,
        title: "the provider's answer broke off",
        meaning: "The connection ended before the answer did; what arrived was relayed and is \
            charged.",
        fix: "try again",
        ..UPSTREAM
    },
    Row {
        reason: Reason::UpstreamAnswerTooLarge,
        class: C::AnswerTooLarge,
        retryable: false,
        title: "the provider's answer is too large",
        meaning: "Answers have a limit so that one call cannot take the memory of all.",
        fix: "use a stream or ask for less; the operator can raise the limit on answers",
        ..UPSTREAM
    },
    Row {
        reason: Reason::UpstreamCredentialsRejected,
        title: "the provider rejects the gateway's credential",
        meaning: "The provider key of the deployment is wrong, disabled, expired or lacks a \
            permission. Your own key is fine.",
        fix: "ask the operator to replace the deployment's provider key",
        ..CREDENTIAL
    },
    Row {
        reason: Reason::UpstreamCredentialsUnavailable,
        title: "the gateway has no credential for the provider",
        meaning: "The deployment names a key or a token source, and none could be obtained. Your \
            own key is fine.",
        fix: "ask the operator to set the deployment's provider key or to repair its token source",
        ..CREDENTIAL
    },
    Row {
        reason: Reason::OwnCredentialRejected,
        title: "the provider rejects your own credential",
        meaning: "You brought a key or a token of the provider's beside your virtual key, and the \
            provider does not take it. Your virtual key is fine.",
        fix: "renew the provider's key or token that you send, or leave it out",
        ..KEY
    },
    Row {
        reason: Reason::OwnCredentialMissing,
        // Another deployment of the model may have a credential.
        class: C::NotOffered,
        title: "the call needs your own credential for the provider",
        meaning: "The model has no provider key of the gateway's: its callers bring their own \
            beside their virtual key.",
        fix: "send your provider key or token in the header in which the provider takes it, and \
            your virtual key in `x-litellm-api-key`",
        ..KEY
    },
    Row {
        reason: Reason::UpstreamAccountOutOfCredits,
        class: C::QuotaExhausted,
        status: 402,
        kind: "insufficient_quota",
        code: Some("insufficient_quota"),
        anthropic_kind: "billing_error",
        title: "the provider account has no credits",
        meaning: "The provider account behind the gateway cannot pay for the call.",
        fix: "ask the operator to add credits to the provider account",
        ..CREDENTIAL
    },
    Row {
        reason: Reason::ModelRetired,
        class: C::ModelRetired,
        status: 404,
        code: Some("model_not_found"),
        anthropic_kind: "not_found_error",
        origin: Origin::Upstream,
        title: "the provider no longer serves the model",
        meaning: "The provider listed the model once and does so no more.",
        fix: "use a newer model; the operator replaces the deployment",
        ..REQUEST
    },
    Row {
        reason: Reason::ModelTemporarilyUnavailable,
        class: C::Overloaded,
        status: 503,
        anthropic_kind: "overloaded_error",
        title: "the model cannot be served right now",
        meaning: "The provider lists the model, and nobody serves it at the moment.",
        fix: "try again shortly, or use another model",
        ..UPSTREAM
    },
    Row {
        reason: Reason::AllDeploymentsRateLimited,
        class: C::RateLimited,
        status: 429,
        kind: "throttling_error",
        anthropic_kind: "rate_limit_error",
        title: "every deployment of the model is rate limited",
        meaning: "Each provider account behind the model has used up its limit; `retry-after` \
            says when the first frees.",
        fix: "wait as long as `retry-after` says; the operator can add deployments",
        ..UPSTREAM
    },
    Row {
        reason: Reason::AllDeploymentsFailing,
        class: C::Overloaded,
        status: 503,
        anthropic_kind: "overloaded_error",
        title: "every deployment of the model is failing",
        meaning: "Each deployment of the model failed moments ago and is cooling down.",
        fix: "try again shortly, or use another model",
        ..UPSTREAM
    },
    Row {
        reason: Reason::ExcludedByOpenrouterPrivacySettings,
        class: C::NotOffered,
        kind: "permission_error",
        origin: Origin::Config,
        title: "OpenRouter's privacy settings exclude every endpoint",
        meaning: "The data policy of the OpenRouter account behind the gateway allows no endpoint \
            of the model.",
        fix: "the operator changes the account's settings at \
            https://openrouter.ai/settings/privacy",
        ..FORBIDDEN
    },
    Row {
        reason: Reason::AzureKeyAuthDisabled,
        title: "the Azure resource takes no keys",
        meaning: "Key based authentication is disabled for the resource, and the deployment sends \
            a key.",
        fix: "the operator sets Microsoft Entra credentials for the deployment, or enables keys",
        ..CREDENTIAL
    },
    Row {
        reason: Reason::AzureRoleMissing,
        title: "the Azure principal lacks a role",
        meaning: "The deployment's principal is known to Azure and may not call the resource.",
        fix: "the operator grants the principal `Cognitive Services OpenAI User` on the resource",
        ..CREDENTIAL
    },
    Row {
        reason: Reason::AzureTokenWrongAudience,
        title: "the Azure token is for another audience",
        meaning: "The deployment's token was issued for another scope than the resource wants.",
        fix: "the operator requests the scope `https://cognitiveservices.azure.com/.default`",
        ..CREDENTIAL
    },
    Row {
        reason: Reason::UpstreamReturnedNoImage,
        class: C::AnswerUnfit,
        title: "the provider's answer holds no image",
        meaning: "The provider answered the call for an image without one, often with text that \
            says why.",
        fix: "change the prompt, or use another image model",
        ..UPSTREAM
    },
    Row {
        reason: Reason::StructuredOutputNotProduced,
        class: C::AnswerUnfit,
        title: "the model did not produce the structure asked for",
        meaning: "The answer does not fit the JSON schema of the call; it is charged, because it \
            was produced.",
        fix: "try again, simplify the schema, or use a model with native structured output",
        ..UPSTREAM
    },
    Row {
        reason: Reason::StreamLimitExceeded,
        class: C::AnswerTooLarge,
        retryable: false,
        title: "a stream accumulates too much",
        meaning: "Something the gateway must collect, such as the arguments of one tool call, \
            passes its limit.",
        fix: "ask for less in one answer, or ask the operator to raise the limit",
        ..UPSTREAM
    },
    Row {
        reason: Reason::StoreUnavailable,
        title: "the database is unavailable",
        meaning: "The gateway cannot look up what the call needs, or has no more room to keep \
            what it would record of it.",
        fix: "try again shortly; the operator finds the cause at `/health/readiness`",
        ..STORE
    },
    Row {
        reason: Reason::GatewayBusy,
        title: "the gateway takes no more calls at once",
        meaning: "As many calls are in flight as the gateway may serve at once.",
        fix: "try again shortly; the operator can raise the limit or add a node",
        ..GATEWAY
    },
    Row {
        reason: Reason::GatewayDraining,
        title: "the gateway is shutting down",
        meaning: "This node ends the calls it has and takes no new ones.",
        fix: "try again; another node, or the restarted one, takes the call",
        ..GATEWAY
    },
    Row {
        reason: Reason::GatewayBug,
        status: 500,
        kind: "internal_server_error",
        anthropic_kind: "api_error",
        retryable: false,
        title: "the gateway failed",
        meaning: "Something happened that the gateway did not expect. The log has the details \
            under the request id.",
        fix: "report the request id to the operator, who finds the cause in the log",
        ..GATEWAY
    },
];
