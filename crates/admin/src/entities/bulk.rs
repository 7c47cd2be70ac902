//! What requests about many have in common: each part is done, or told why not, by itself.

use serde_json::Value;
use tollgate_faults::{Reason, Refusal};
use tollgate_store::EntityRow;

use super::NAMED_MAX;
use super::users::USER;
use crate::problem::wrong;
use crate::route::persistently;
use crate::routes::Admin;

/// How many parts of a request were done.
pub(super) struct Counts {
    pub(super) done: usize,
    pub(super) failed: usize,
}

impl Counts {
    /// Of results that say so in `success`.
    pub(super) fn of(results: &[Value]) -> Self {
        let done = results.iter().filter(|result| result["success"] == true).count();
        Self { done, failed: results.len() - done }
    }
}

/// Does one part, again while somebody else changes the same.
///
/// # Errors
/// Refused when the database fails: what comes after this part would fare no better.
pub(super) async fn each<T, A>(run: impl Fn() -> A) -> Result<Result<T, Refusal>, Refusal>
where
    A: Future<Output = Result<T, Refusal>>,
{
    match persistently(run).await {
        Err(refusal) if refusal.reason == Reason::StoreUnavailable => Err(refusal),
        result => Ok(result),
    }
}

/// What a part came to, and why it did not.
pub(super) fn parted<T>(result: Result<T, Refusal>) -> (Option<T>, Option<String>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(refusal) => (None, Some(refusal.message)),
    }
}

/// Every user, where one request may be about them all.
///
/// # Errors
/// Refused when there are more.
pub(super) async fn every_user(admin: &Admin) -> Result<Vec<EntityRow>, Refusal> {
    let users = USER.every(admin).await?;
    if users.len() > NAMED_MAX {
        let message = format!("there are more than {NAMED_MAX} users; name them, some at a time");
        return Err(wrong("all_users", message));
    }
    Ok(users)
}
