//! Configuration: YAML in LiteLLM's schema, and ours, to an immutable [`Snapshot`] or to every
//! problem at once.
//!
//! Nothing here reads a file, a clock or the environment: text, variables and prices are passed in.
//!
//! - [`compile`] is the way in; a [`Snapshot`] answers [`Snapshot::resolve`] for every call.
//! - A [`Finding`] says what is wrong, where, and what to do; [`Finding::render`] shows it.
//! - A [`PriceList`] holds dated prices; [`price_import`] makes one of the public price-list JSON.

mod budgets;
mod calendar;
mod compile;
mod deployment;
mod diagnostic;
mod environment;
mod fallbacks;
mod grade;
mod model_list;
mod pattern;
mod price;
mod redis;
mod schema;
mod settings;
mod snapshot;
mod stored;
mod timeouts;
mod yaml;

pub use budgets::Budgets;
pub use compile::{Compiled, compile, compile_with};
pub use deployment::{Deployment, Forwards, JsonFields};
pub use diagnostic::{Finding, Findings, Severity, Source};
pub use grade::{Grade, GradedKey, NOTES_MAX, grade};
pub use model_list::{CredentialEntry, ModelEntry, is_credential_param};
pub use pattern::Pattern;
pub use price::import as price_import;
pub use price::list::{PriceList, PriceListError, PricedModel};
pub use price::row::RowProblem;
pub use price::shown::price_fields;
pub use settings::{
    FairQueueSettings, FetchMedia, KeyBounds, KeyMaking, Makers, Newcomers, ReasoningMemory,
    Routing, Settings, StoreFailure, StructureMiss, UnboundedCalls, UnpricedModels,
};
pub use snapshot::{Alias, ModelGroup, PatternGroup, Resolved, Served, Snapshot};
pub use stored::{LeftOut, Stored, StoredCredential, StoredDeployment};
pub use timeouts::Timeouts;
