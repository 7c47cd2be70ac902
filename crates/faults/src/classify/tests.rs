//! Classification: vendors' real answers, and that words never lead out of a status.

use proptest::prelude::*;

use super::*;

fn error<'a>(status: u16, code: &'a str, message: &'a str) -> UpstreamError<'a> {
    UpstreamError { status, kind: None, code: Some(code).filter(|c| !c.is_empty()), message }
}

#[track_caller]
fn check(status: u16, code: &str, message: &str, reason: Reason, client_status: u16) {
    let failure = classify(&error(status, code, message), None);
    assert_eq!((failure.reason, failure.client_status), (reason, client_status), "{message}");
}

#[test]
fn words_about_rate_limits_do_not_make_a_rate_limit() {
    // Each of these became a 429 in LiteLLM 1.100.5 (seed-behaviour S09).
    let rejected = Reason::UpstreamRejectedRequest;
    check(400, "", "Unknown parameter: '_litellm_rate_limit_descriptors'", rejected, 400);
    check(400, "", "Invalid value in your prompt 'explain rate limit' at 3", rejected, 400);
    check(400, "", "`rate_limit` is not a field", rejected, 400);
    let credentials = Reason::UpstreamCredentialsRejected;
    check(401, "", "Invalid key. See rate limits docs", credentials, 502);
    check(413, "", "Request exceeds the rate limit of bytes", Reason::UpstreamRequestTooLarge, 413);
    check(500, "", "rate limit service crashed", Reason::UpstreamError, 500);
    check(529, "overloaded_error", "Overloaded", Reason::UpstreamOverloaded, 503);
}

#[test]
fn a_status_alone_is_classified() {
    let cases = [
        (301, Reason::UpstreamError, 502),
        (400, Reason::UpstreamRejectedRequest, 400),
        (401, Reason::UpstreamCredentialsRejected, 502),
        (402, Reason::UpstreamAccountOutOfCredits, 402),
        (403, Reason::UpstreamCredentialsRejected, 502),
        (404, Reason::UpstreamRouteUnknown, 404),
        (405, Reason::UpstreamRouteUnknown, 404),
        (408, Reason::UpstreamReportedTimeout, 504),
        (409, Reason::UpstreamError, 409),
        (413, Reason::UpstreamRequestTooLarge, 413),
        (415, Reason::UpstreamRejectedRequest, 415),
        (422, Reason::UpstreamRejectedRequest, 422),
        (424, Reason::UpstreamError, 424),
        (425, Reason::UpstreamError, 425),
        (429, Reason::UpstreamRateLimited, 429),
        (498, Reason::ContentRefused, 400),
        (499, Reason::UpstreamUnreachable, 502),
        (500, Reason::UpstreamError, 500),
        (501, Reason::UpstreamError, 501),
        (502, Reason::UpstreamError, 502),
        (503, Reason::UpstreamOverloaded, 503),
        (504, Reason::UpstreamReportedTimeout, 504),
        (520, Reason::UpstreamUnreachable, 502),
        (524, Reason::UpstreamReportedTimeout, 504),
        (529, Reason::UpstreamOverloaded, 503),
        (530, Reason::UpstreamError, 502),
        (999, Reason::UpstreamError, 502),
    ];
    for (status, reason, client_status) in cases {
        check(status, "", "", reason, client_status);
    }
}

#[test]
fn a_quota_is_told_from_a_rate() {
    let quota = Reason::UpstreamQuotaExhausted;
    check(429, "insufficient_quota", "You exceeded your current quota", quota, 429);
    check(429, "Insufficient_Quota", "", quota, 429);
    check(429, "", "You exceeded your current quota, please check your plan", quota, 429);
    check(429, "", "This key's spending limit is reached", quota, 429);
    check(
        429,
        "rate_limit_exceeded",
        "Rate limit reached for gpt-4o",
        Reason::UpstreamRateLimited,
        429,
    );
    let words = error(429, "", "You exceeded your current quota. Please retry in 21s");
    let wait = Duration::from_secs(21);
    let failure = classify(&words, Some(wait));
    assert_eq!(failure.reason, Reason::UpstreamRateLimited, "it frees by itself");
    assert_eq!(failure.retry, Retry::After(wait));
}

#[test]
fn a_quota_of_a_day_is_no_rate_whatever_wait_is_named() {
    let daily = error(429, "GenerateRequestsPerDayPerProject", "You exceeded your current quota");
    let failure = classify(&daily, Some(Duration::from_secs(21)));
    assert_eq!((failure.reason, failure.retry), (Reason::UpstreamQuotaExhausted, Retry::Never));
    let minute = error(429, "GenerateRequestsPerMinute", "You exceeded your current quota");
    let failure = classify(&minute, Some(Duration::from_secs(21)));
    assert_eq!(failure.reason, Reason::UpstreamRateLimited);
}

#[test]
fn a_service_that_passes_on_a_models_failure_means_the_models_status() {
    check(424, "429", "The model is busy", Reason::UpstreamRateLimited, 429);
    check(424, "500", "The model failed", Reason::UpstreamError, 500);
    check(424, "", "The model failed", Reason::UpstreamError, 424);
    check(500, "429", "no such passing on", Reason::UpstreamError, 500);
}

#[test]
fn exceptions_are_known_by_their_names() {
    let named = |status, name| {
        let error = UpstreamError { kind: Some(name), ..error(status, "", "words") };
        classify(&error, None).reason
    };
    assert_eq!(named(400, "ServiceQuotaExceededException"), Reason::UpstreamQuotaExhausted);
    assert_eq!(named(429, "ModelNotReadyException"), Reason::UpstreamOverloaded);
    assert_eq!(named(429, "ThrottlingException"), Reason::UpstreamRateLimited);
    check(400, "400", "The provided model identifier is invalid.", Reason::ModelUnknown, 404);
    let echoed = "messages.0: 'the provided model identifier is invalid' is no text";
    check(400, "400", echoed, Reason::UpstreamRejectedRequest, 400);
}

#[test]
fn what_never_fits_a_rate_is_not_waited_for() {
    let message =
        "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 90000";
    let failure =
        classify(&error(429, "rate_limit_exceeded", message), Some(Duration::from_secs(9)));
    assert_eq!(failure.reason, Reason::UpstreamRequestTooLarge);
    assert_eq!((failure.retry, failure.try_next, failure.client_status), (Retry::Never, true, 429));
}

#[test]
fn a_prompt_that_is_too_long_is_told_from_other_bad_requests() {
    let context = Reason::ContextWindowExceeded;
    check(400, "context_length_exceeded", "too long", context, 400);
    check(400, "", "This model's maximum context length is 8192 tokens", context, 400);
    check(400, "", "prompt is too long: 208310 tokens > 200000 maximum", context, 400);
    check(413, "", "prompt is too long: 208310 tokens > 200000 maximum", context, 400);
    check(
        422,
        "",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096",
        context,
        400,
    );
    let rejected = Reason::UpstreamRejectedRequest;
    check(400, "string_above_max_length", "maximum context length", rejected, 400);
    check(400, "", "Invalid 'user': string too long, maximum context length 64", rejected, 400);
    check(429, "", "maximum context length", Reason::UpstreamRateLimited, 429);
    check(500, "", "maximum context length", Reason::UpstreamError, 500);
}

#[test]
fn refused_content_is_the_calls_own() {
    let refused = Reason::ContentRefused;
    check(400, "content_filter", "", refused, 400);
    check(400, "", "Output blocked by content filtering policy", refused, 400);
    check(403, "", "Content violates usage guidelines", refused, 400);
    assert!(!classify(&error(400, "content_filter", ""), None).try_next);
}

#[test]
fn credentials_rejected_with_a_400_are_the_operators() {
    let rejected = Reason::UpstreamCredentialsRejected;
    check(400, "", "API key not valid. Please pass a valid API key.", rejected, 502);
    for name in
        ["UnrecognizedClientException", "ExpiredTokenException", "MissingAuthenticationToken"]
    {
        check(400, name, "The security token included in the request is invalid.", rejected, 502);
    }
    check(400, "API_KEY_INVALID", "", rejected, 502);
    check(
        400,
        "",
        "messages.0: 'API key not valid' is no text",
        Reason::UpstreamRejectedRequest,
        400,
    );
    check(
        403,
        "",
        "Key based authentication is disabled for this resource.",
        Reason::AzureKeyAuthDisabled,
        502,
    );
    let lacks = "The principal `p` lacks the required data action `x/y`";
    check(401, "PermissionDenied", lacks, Reason::AzureRoleMissing, 502);
    check(
        400,
        "",
        "Your credit balance is too low to access the API",
        Reason::UpstreamAccountOutOfCredits,
        402,
    );
}

#[test]
fn a_missing_model_is_told_from_a_missing_address() {
    let model = Reason::ModelUnknown;
    check(404, "model_not_found", "The model `gpt-9` does not exist", model, 404);
    check(404, "", "model 'x' not found", model, 404);
    check(404, "DeploymentNotFound", "The API deployment does not exist", model, 404);
    check(404, "", "404 page not found", Reason::UpstreamRouteUnknown, 404);
    check(404, "", "Resource not found", Reason::UpstreamRouteUnknown, 404);
}

#[test]
fn openrouters_words_are_told_apart() {
    // seed-behaviour S02, without the catalogue's part.
    let none = "Invocation of model ID m with on-demand throughput isn\u{2019}t supported.";
    for words in [none, "The provided model identifier is invalid."] {
        check(400, "ValidationException", words, Reason::ModelUnknown, 404);
    }
    check(400, "400", "acme/x is not a valid model ID", Reason::ModelUnknown, 404);
    check(404, "404", "No endpoints found for acme/x.", Reason::ModelUnknown, 404);
    let feature = Reason::NoEndpointWithRequiredFeature;
    check(404, "404", "No endpoints found that support tool use", feature, 400);
    check(404, "404", "No endpoints found that support image input", feature, 400);
    let privacy = "No endpoints available matching your guardrail restrictions and data policy. \
                   Configure: https://openrouter.ai/settings/privacy";
    check(404, "404", privacy, Reason::ExcludedByOpenrouterPrivacySettings, 403);
    let credits = "This request requires more credits, or fewer max_tokens.";
    check(402, "402", credits, Reason::UpstreamAccountOutOfCredits, 402);
    check(401, "401", "User not found.", Reason::UpstreamCredentialsRejected, 502);
    for status in [400, 402, 404] {
        assert_eq!(classify(&error(status, "", credits), None).retry, Retry::Never);
    }
}

#[test]
fn an_error_inside_a_good_answer_gets_the_status_it_names() {
    check(200, "429", "slow down", Reason::UpstreamRateLimited, 429);
    check(200, "insufficient_quota", "", Reason::UpstreamQuotaExhausted, 429);
    check(200, "overloaded_error", "", Reason::UpstreamOverloaded, 503);
    check(200, "invalid_api_key", "", Reason::UpstreamCredentialsRejected, 502);
    check(200, "context_length_exceeded", "", Reason::ContextWindowExceeded, 400);
    check(200, "server_error", "", Reason::UpstreamError, 500);
    check(200, "bio_policy", "", Reason::ContentRefused, 400);
    check(200, "DEADLINE_EXCEEDED", "", Reason::UpstreamReportedTimeout, 504);
    for code in ["", "42", "-1", "99999999999", "odd"] {
        check(200, code, "maximum context length", Reason::UpstreamError, 502);
    }
    let typed = UpstreamError { kind: Some("rate_limit_error"), ..error(200, "", "") };
    assert_eq!(classify(&typed, None).reason, Reason::UpstreamRateLimited);
}

#[test]
fn an_overload_named_in_a_429_stays_a_429() {
    check(429, "engine_overloaded_error", "", Reason::UpstreamOverloaded, 429);
    check(500, "overloaded_error", "", Reason::UpstreamOverloaded, 503);
}

#[test]
fn retries_wait_as_long_as_the_upstream_asks() {
    let wait = Some(Duration::from_secs(4));
    let retry = |status, wait| classify(&error(status, "", ""), wait).retry;
    assert_eq!(retry(429, wait), Retry::After(Duration::from_secs(4)));
    assert_eq!(retry(503, None), Retry::Now);
    assert_eq!(retry(400, wait), Retry::Never);
    assert_eq!(retry(401, wait), Retry::Never);
}

proptest! {
    #[test]
    fn words_never_change_the_class_of_a_status(status in 405u16..600, message in ".{0,60}",
        phrase in proptest::sample::select(vec![
            "rate limit", "prompt is too long", "exceeded your current quota", "overloaded",
            "model not found", "timed out", "incorrect api key", "usage guidelines",
        ]),
    ) {
        let silent = classify(&error(status, "", ""), None);
        let said = classify(&error(status, "", &format!("{phrase} {message}")), None);
        // A 498 is either vendor's; all others keep their class whatever is said.
        if status != 498 {
            prop_assert_eq!(said.client_status / 100, silent.client_status / 100);
        }
    }

    #[test]
    fn a_4xx_is_the_clients_or_the_operators_class(status in 400u16..600, code in "[a-z_]{0,20}") {
        let failure = classify(&error(status, &code, ""), None);
        prop_assert!((400..600).contains(&failure.client_status));
        prop_assert!(failure.client_status != 401, "never the client's credential");
    }
}
