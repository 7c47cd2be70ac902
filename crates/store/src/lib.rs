//! What the gateway remembers: virtual keys, budgets, deployments with sealed credentials, the
//! ledger and kept answers, over SQLite or Postgres.
//!
//! One `Db` stands for either engine and every query is one text for both. The ledger is written by
//! one task that commits in groups, so recording a call neither waits nor fails; what a crash
//! leaves open is settled at the next start, each call exactly once. This crate decides nothing
//! about money: `tollgate_policy` does, and this crate keeps its counters and records its outcomes.

mod audit;
mod batch;
mod changes;
mod days;
mod db;
mod directory;
mod editor;
mod entities;
mod error;
mod imports;
mod keys;
mod kinds;
mod ledger;
mod levels;
mod limits;
mod meters;
mod models;
mod responses;
mod settings;
mod shared;
mod spend;
mod transaction;
mod usage;
mod vault;

pub use audit::{AUDIT_ROWS_MAX, AuditFilter, AuditPage, AuditRow, By, without_secrets};
pub use changes::ChangeListener;
pub use days::ClosedDays;
pub use db::{Db, Presence};
pub use directory::{Cached, KeyDirectory, KeyRecord, NEGATIVE_LIFETIME, UNKNOWN_KEYS_MAX};
pub use editor::{Editor, Replaced};
pub use entities::{BudgetRow, DeleteEntitiesError, Deleted, ENTITIES_PER_PAGE_MAX, EntityRow};
pub use error::StoreError;
pub use imports::{ImportedRow, ImportedSum, Openings, SumOf, Written};
pub use keys::{
    InsertKeyError, KEYS_PER_PAGE_MAX, KeyFilter, KeyLabel, KeyPage, KeyReach, KeyRow, KeyRules,
    KeySort, UpdateKeyError,
};
pub use ledger::{
    Charged, CorrectedEntry, Correction, Dispatched, EntryFilter, EntryPage, EntryRetention,
    EntryRow, Keeping, LOG_DEPTH_MAX, LOG_ROWS_MAX, Ledger, LedgerHealth, LedgerOptions,
    LedgerSlot, LedgerTask, LogPage, Logged, LoggedEntry, OutputSoFar, Recovered, Spool, recover,
};
pub use levels::{ClaimError, Exceeded, LevelRecord, claim, granting};
pub use limits::{LimitFields, ModelBudgetField, RunningField, WindowField};
pub use meters::{Claims, Left, Meter, Standing};
pub use models::{
    CREDENTIALS_MAX, CredentialRow, DEPLOYMENTS_MAX, DeploymentRow, Params, ResealError, Resealed,
    StoredModels, UnreadableRow, WriteModelError,
};
pub use responses::{
    ChainError, Owner, ResponseLimits, ResponseRow, Responses, Retention, SaveResponseError,
};
pub use shared::{SharedCounters, SharedHealth, SharedOptions, SharedTask, WhileAway};
pub use spend::{Spend, Waiver};
pub use usage::{DailyUsage, DayOfUsage, SPENDERS_LOOKED_AT_MAX, Spenders, USAGE_MODELS_MAX};
pub use vault::{SealError, Vault, VaultFit};
