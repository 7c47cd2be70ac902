//! What changed in the database, told to every gateway on it.
//!
//! The transaction that writes a key, an entity, a budget or a deployment sends a notification,
//! which Postgres delivers once the transaction is committed and never otherwise. It begins with
//! the name of the gateway's connections, because whoever changed something has forgotten it
//! already. A SQLite file has one gateway: there is nobody to tell.

mod listener;

use serde_json::{Value as Json, json};
use tollgate_domain::{BudgetId, KeyId, Level, Subject};

use crate::StoreError;
use crate::batch::{Statement, Value};
use crate::transaction::Transaction;
pub use listener::ChangeListener;

const NOTIFY: &str = "SELECT pg_notify($1, current_setting('application_name') || ' ' || $2)";
/// The channel that changes are told on.
const CHANNEL: &str = "tollgate_changes";
/// The longest payload that is sent; Postgres takes fewer than 8000 bytes.
const PAYLOAD_BYTES_MAX: usize = 4_096;

/// Something that was written, by a name that is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// A key, by its public identity.
    Key(KeyId),
    /// One that is no key.
    Level(Subject),
    /// A shared budget.
    Budget(BudgetId),
    /// The deployments and credentials.
    Models,
    /// Nobody can say what, so everything may have.
    Everything,
}

impl Change {
    /// The change of an entity; `within` is the team of a member, else empty or without meaning.
    pub(crate) fn entity(level: Level, within: &str, id: &str) -> Self {
        Self::Level(Subject::within(level, within, id))
    }

    /// Tells every gateway once the transaction is committed.
    pub(crate) async fn announce(&self, transaction: &mut Transaction) -> Result<(), StoreError> {
        if let Transaction::Sqlite(_) = transaction {
            return Ok(());
        }
        let payload = self.payload();
        let values = [Value::from(CHANNEL), Value::from(&payload)];
        transaction.execute(Statement::new(NOTIFY, values)).await?;
        Ok(())
    }

    fn payload(&self) -> String {
        let payload = match self {
            Self::Key(id) => json!({"key": id.as_str()}),
            Self::Level(subject) => json!({"level": subject.level.as_str(), "id": &*subject.id}),
            Self::Budget(id) => json!({"budget": id.as_str()}),
            Self::Models => json!({"models": true}),
            Self::Everything => json!({}),
        };
        let text = payload.to_string();
        // A name that is too long to be told is not told: everybody forgets everything instead.
        if text.len() > PAYLOAD_BYTES_MAX { json!({}).to_string() } else { text }
    }

    /// Reads a notification; `None` when it comes from the gateway of this name. A payload that
    /// this version does not know may concern anything.
    fn hear(notification: &str, own_name: &str) -> Option<Self> {
        match notification.split_once(' ') {
            Some((name, _)) if name == own_name => None,
            Some((_, payload)) => Some(Self::read(payload)),
            None => Some(Self::Everything),
        }
    }

    fn read(payload: &str) -> Self {
        let Ok(payload) = serde_json::from_str::<Json>(payload) else { return Self::Everything };
        let text = |field: &str| payload.get(field).and_then(Json::as_str);
        let level = || {
            let level = Level::parse(text("level")?)?;
            Some(Self::Level(Subject::new(level, text("id")?)))
        };
        let key = || KeyId::new(text("key")?).ok().map(Self::Key);
        let budget = || BudgetId::new(text("budget")?).ok().map(Self::Budget);
        let models = || payload.get("models").map(|_| Self::Models);
        key().or_else(level).or_else(budget).or_else(models).unwrap_or(Self::Everything)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_reads_back_as_it_was_told() {
        let changes = [
            Change::Key(KeyId::new("k-1").expect("an id")),
            Change::entity(Level::Team, "", "a \"quoted\" team"),
            Change::entity(Level::Member, "team", "user"),
            Change::Budget(BudgetId::new("b").expect("an id")),
            Change::Models,
            Change::Everything,
        ];
        for change in changes {
            assert_eq!(Change::read(&change.payload()), change);
        }
    }

    #[test]
    fn a_gateway_does_not_hear_itself() {
        let key = Change::Key(KeyId::new("k").expect("an id"));
        let sent = format!("tollgate-1 {}", key.payload());
        assert_eq!(Change::hear(&sent, "tollgate-1"), None);
        assert_eq!(Change::hear(&sent, "tollgate-2"), Some(key));
        assert_eq!(Change::hear("tollgate-1", "tollgate-1"), Some(Change::Everything));
    }

    #[test]
    fn what_cannot_be_read_or_told_concerns_everything() {
        for payload in ["", "{", "7", "{}", r#"{"key":7}"#, r#"{"level":"moon","id":"x"}"#] {
            assert_eq!(Change::read(payload), Change::Everything, "{payload}");
        }
        let long = Change::entity(Level::Tag, "", &"x".repeat(PAYLOAD_BYTES_MAX));
        assert_eq!(Change::read(&long.payload()), Change::Everything);
    }
}
