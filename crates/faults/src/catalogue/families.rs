//! What rows of the catalogue have in common, family by family.

use tollgate_domain::FailureClass;

use crate::Reason;
use crate::row::{Origin, Row};

/// A key that does not open the door.
pub(super) const KEY: Row = Row {
    reason: Reason::GatewayBug,
    status: 401,
    kind: "auth_error",
    code: None,
    anthropic_kind: "authentication_error",
    origin: Origin::Client,
    class: FailureClass::CallRefused,
    retryable: false,
    title: "",
    meaning: "",
    fix: "",
};

/// A caller that is known and may not.
pub(super) const FORBIDDEN: Row = Row { status: 403, anthropic_kind: "permission_error", ..KEY };

/// A call that is wrong in itself.
pub(super) const REQUEST: Row = Row {
    reason: Reason::GatewayBug,
    status: 400,
    kind: "invalid_request_error",
    code: None,
    anthropic_kind: "invalid_request_error",
    origin: Origin::Client,
    class: FailureClass::CallRefused,
    retryable: false,
    title: "",
    meaning: "",
    fix: "",
};

/// Something that is not there.
pub(super) const ABSENT: Row =
    Row { status: 404, kind: "not_found_error", anthropic_kind: "not_found_error", ..KEY };

/// A budget that does not allow the call.
pub(super) const BUDGET: Row = Row {
    reason: Reason::GatewayBug,
    status: 429,
    kind: "budget_exceeded",
    code: None,
    anthropic_kind: "rate_limit_error",
    origin: Origin::Gateway,
    class: FailureClass::LimitReached,
    retryable: false,
    title: "",
    meaning: "",
    fix: "",
};

/// A limit of the gateway that frees again.
pub(super) const THROTTLE: Row = Row {
    reason: Reason::GatewayBug,
    status: 429,
    kind: "throttling_error",
    code: None,
    anthropic_kind: "rate_limit_error",
    origin: Origin::Gateway,
    class: FailureClass::LimitReached,
    retryable: true,
    title: "",
    meaning: "",
    fix: "",
};

/// A gateway that cannot take the call now.
pub(super) const GATEWAY: Row = Row {
    reason: Reason::GatewayBug,
    status: 503,
    kind: "server_error",
    code: None,
    anthropic_kind: "overloaded_error",
    origin: Origin::Gateway,
    class: FailureClass::GatewayFailed,
    retryable: true,
    title: "",
    meaning: "",
    fix: "",
};

/// A database that is away.
pub(super) const STORE: Row = Row {
    reason: Reason::GatewayBug,
    status: 503,
    kind: "no_db_connection",
    code: None,
    anthropic_kind: "api_error",
    origin: Origin::Gateway,
    class: FailureClass::GatewayFailed,
    retryable: true,
    title: "",
    meaning: "",
    fix: "",
};

/// A provider that failed.
pub(super) const UPSTREAM: Row = Row {
    reason: Reason::GatewayBug,
    status: 502,
    kind: "server_error",
    code: None,
    anthropic_kind: "api_error",
    origin: Origin::Upstream,
    class: FailureClass::ProviderFailed,
    retryable: true,
    title: "",
    meaning: "",
    fix: "",
};

/// A credential of the gateway that the operator must mend. Never the client's 401.
pub(super) const CREDENTIAL: Row = Row {
    reason: Reason::GatewayBug,
    status: 502,
    kind: "server_error",
    code: None,
    anthropic_kind: "api_error",
    origin: Origin::Config,
    class: FailureClass::CredentialRejected,
    retryable: false,
    title: "",
    meaning: "",
    fix: "",
};
