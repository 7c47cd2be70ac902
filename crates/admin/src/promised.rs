//! What answers promise: the fields of each family that clients may rely on. Answers hold more.

use crate::shape::{Field, count, dollars, flag, instant, object, text, texts};

const MODELS: Field = texts("models", "The granted models; empty grants every one");
const METADATA: Field = object("metadata", "What is kept beside it");
const BLOCKED: Field = flag("blocked", "Whether its calls are refused for now");
const SPEND: Field = dollars("spend", "Dollars spent, in the period of its main budget");
const MAX_BUDGET: Field = dollars("max_budget", "Most dollars in one period");
const BUDGET_DURATION: Field = text("budget_duration", "The period of the budget");
const RPM_LIMIT: Field = count("rpm_limit", "Most requests a minute");
const TPM_LIMIT: Field = count("tpm_limit", "Most tokens a minute");
const CREATED_AT: Field = instant("created_at", "When it was made");
const ORGANIZATION: Field = text("organization_id", "The organization it belongs to");

/// A key.
pub(crate) const KEY: &[Field] = &[
    text("key_name", "Its text, all but the ends left out"),
    text("key_alias", "The name that people chose"),
    text("token", "Its hash, by which it can be named"),
    text("user_id", "The user it belongs to"),
    text("team_id", "The team it belongs to"),
    MODELS,
    METADATA,
    BLOCKED,
    SPEND,
    MAX_BUDGET,
    BUDGET_DURATION,
    RPM_LIMIT,
    TPM_LIMIT,
    instant("expires", "Until when it can be used"),
    CREATED_AT,
];

/// A team.
pub(crate) const TEAM: &[Field] = &[
    text("team_id", "Its identity"),
    text("team_alias", "The name that people chose"),
    ORGANIZATION,
    MODELS,
    METADATA,
    BLOCKED,
    SPEND,
    MAX_BUDGET,
    BUDGET_DURATION,
    RPM_LIMIT,
    TPM_LIMIT,
    CREATED_AT,
];

/// A user.
pub(crate) const USER: &[Field] = &[
    text("user_id", "Their identity"),
    text("user_email", "Their address"),
    text("user_role", "What they may manage"),
    MODELS,
    METADATA,
    SPEND,
    MAX_BUDGET,
    BUDGET_DURATION,
    CREATED_AT,
];

/// An organization.
pub(crate) const ORGANIZATION_SHOWN: &[Field] = &[
    text("organization_id", "Its identity"),
    text("organization_alias", "The name that people chose"),
    MODELS,
    METADATA,
    SPEND,
    CREATED_AT,
];

/// A customer.
pub(crate) const CUSTOMER: &[Field] = &[
    text("user_id", "Their identity"),
    text("alias", "The name that people chose"),
    BLOCKED,
    SPEND,
];

/// A shared budget.
pub(crate) const BUDGET: &[Field] = &[
    text("budget_id", "Its identity"),
    MAX_BUDGET,
    BUDGET_DURATION,
    RPM_LIMIT,
    TPM_LIMIT,
    CREATED_AT,
];
