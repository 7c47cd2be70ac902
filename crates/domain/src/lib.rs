//! The words of Tollgate: identities, money, usage, time and secrets.
//!
//! This crate is pure. It performs no IO, reads no clock, draws no randomness and writes no log; a
//! value that exists here is valid, and a value that is not known says so instead of being zero.

mod cloud;
mod decimal;
mod failure;
mod identity;
mod key;
mod ledger;
mod lifetime;
mod model;
mod money;
mod random;
mod secret;
mod subject;
mod time;
mod usage;

pub use cloud::{
    Assertion, AssumeRole, AwsIdentity, AwsLink, EntraIdentity, EntraLink, GoogleIdentity,
    GoogleLink, Identity,
};
pub use decimal::{NotADecimal, Scaled, parse_scaled};
pub use failure::FailureClass;
pub use identity::{
    BudgetId, CallId, CustomerId, DeploymentId, IdError, KeyId, OrganizationId, PriceSheetId,
    ProjectId, ProviderName, ResponseId, TagName, TeamId, UserId,
};
pub use key::{KeyHash, VirtualKey, VirtualKeyError};
pub use ledger::{AttemptRecord, Attribution, Entry, OpenEntry, Outcome, UsageSource};
pub use lifetime::{LifetimeError, parse_lifetime};
pub use model::{ModelName, ModelNameError};
pub use money::{Money, MoneyError, Price, PriceError};
pub use random::Random;
pub use secret::Secret;
pub use subject::{Level, Subject, joined};
pub use time::{Clock, Ticks, Timestamp, TimestampError};
pub use usage::{Quantity, QuantityError, Unit, Usage, UsageKind};
