//! Who changed what: written in the transaction of the change, so that neither is without the
//! other, and never changed afterwards.

mod list;
mod redact;

use serde_json::{Map, Value as Json};
use tollgate_domain::Timestamp;

use crate::StoreError;
use crate::batch::{Statement, Value};
use crate::transaction::Transaction;
pub use list::{AUDIT_ROWS_MAX, AuditFilter, AuditPage, AuditRow};
pub use redact::without_secrets;

const INSERT: &str = "INSERT INTO audit_log (changed_at, changed_by, key_id, address, \
     on_behalf_of, action, kind, within, object_id, before_value, after_value) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// Who changes something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Their user, their key's public identity, or the program that does it.
    pub name: String,
    /// The public identity of the key they called with.
    pub key: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
    /// On whose behalf, as the caller says; nobody has checked it.
    pub on_behalf_of: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl By {
    /// A program that changes something without being asked by a request.
    #[must_use]
    pub fn program(name: &str, at: Timestamp) -> Self {
        Self { name: name.to_owned(), key: None, address: None, on_behalf_of: None, at }
    }
}

/// What was changed: its kind, the team it is within, and its identity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object<'a> {
    pub(crate) kind: &'a str,
    pub(crate) within: &'a str,
    pub(crate) id: &'a str,
}

/// What it was before and after; absent where there was nothing.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) before: Option<Map<String, Json>>,
    pub(crate) after: Option<Map<String, Json>>,
}

impl Difference {
    /// What happened, in LiteLLM's words where it has them.
    fn action(&self) -> &'static str {
        let (Some(before), Some(after)) = (&self.before, &self.after) else {
            return if self.before.is_none() { "created" } else { "deleted" };
        };
        let blocked = |row: &Map<String, Json>| row.get("blocked") == Some(&Json::Bool(true));
        match (blocked(before), blocked(after)) {
            (false, true) => "blocked",
            (true, false) => "unblocked",
            _ if before.get("key_name") != after.get("key_name") => "rotated",
            _ => "updated",
        }
    }
}

/// Records a change within its transaction. A change that changes nothing is recorded too: that it
/// was asked for is worth knowing.
pub(crate) async fn record(
    transaction: &mut Transaction,
    by: &By,
    object: Object<'_>,
    difference: Difference,
) -> Result<(), StoreError> {
    let action = difference.action();
    let text = |row: Option<Map<String, Json>>| {
        row.map(|row| without_secrets(&Json::Object(row)).to_string())
    };
    let (before, after) = (text(difference.before), text(difference.after));
    let values = vec![
        Value::from(by.at.micros()),
        Value::from(&by.name),
        Value::from(&by.key),
        Value::from(&by.address),
        Value::from(&by.on_behalf_of),
        Value::from(action),
        Value::from(object.kind),
        Value::from(object.within),
        Value::from(object.id),
        Value::from(&before),
        Value::from(&after),
    ];
    transaction.execute(Statement::new(INSERT, values)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_action_is_told_from_what_it_changed() {
        let row = |value: Json| value.as_object().cloned();
        let plain = json!({"blocked": false, "key_name": "sk-...aaaa", "models": []});
        let blocked = json!({"blocked": true, "key_name": "sk-...aaaa", "models": []});
        let rotated = json!({"blocked": false, "key_name": "sk-...bbbb", "models": []});
        for (before, after, action) in [
            (Json::Null, plain.clone(), "created"),
            (plain.clone(), Json::Null, "deleted"),
            (plain.clone(), blocked.clone(), "blocked"),
            (blocked, plain.clone(), "unblocked"),
            (plain.clone(), rotated, "rotated"),
            (plain.clone(), plain, "updated"),
        ] {
            let difference = Difference { before: row(before), after: row(after) };
            assert_eq!(difference.action(), action);
        }
    }
}
