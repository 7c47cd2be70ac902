//! From a key to a caller. The database is asked only about a key this node has not seen.

use std::sync::Arc;

use http::HeaderMap;
use tollgate_config::Settings;
use tollgate_domain::{Attribution, KeyHash, KeyId, VirtualKey};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Grant;
use tollgate_store::{KeyBudget, KeyRecord};

use crate::credential::{find, presented};
use crate::gate::Gate;

/// Who calls.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Whoever holds the master key: every model, every management route, no budget.
    Master,
    /// The holder of a virtual key.
    Key(Arc<KeyRecord>),
}

impl Caller {
    /// The models the caller may use.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        match self {
            Self::Master => &Grant::Everything,
            Self::Key(record) => &record.grant,
        }
    }

    /// The budget that calls are held against, if the key has one.
    pub(crate) fn budget(&self) -> Option<&Arc<KeyBudget>> {
        match self {
            Self::Master => None,
            Self::Key(record) => Some(&record.budget),
        }
    }

    /// Who calls are charged to, before the call names a customer.
    pub(crate) fn attribution(&self) -> Arc<Attribution> {
        match self {
            Self::Master => Arc::new(Attribution {
                key: KeyId::master(),
                user: None,
                team: None,
                organization: None,
                customer: None,
            }),
            Self::Key(record) => Arc::clone(&record.attribution),
        }
    }
}

/// Finds out who calls: the first of the presented keys that is known here. What is not known may
/// be a provider's, which the client brought beside its key.
///
/// # Errors
/// Refused when there is no key, when it is malformed, unknown, blocked or expired, and when the
/// store that would know it cannot be asked: an unanswered question is never taken for a no.
pub async fn authenticate(
    gate: &Gate,
    headers: &HeaderMap,
    settings: &Settings,
) -> Result<Caller, Refusal> {
    let mut first: Option<Refusal> = None;
    for text in presented(headers, settings.key_header.as_deref())? {
        match of_key(gate, text).await {
            Err(refusal) if matches!(refusal.reason, Reason::KeyMalformed | Reason::KeyUnknown) => {
                first.get_or_insert(refusal);
            }
            known => return known,
        }
    }
    Err(first.unwrap_or_else(|| Refusal::new(Reason::KeyMissing, "no key was sent")))
}

async fn of_key(gate: &Gate, text: &str) -> Result<Caller, Refusal> {
    let hash = KeyHash::of(text);
    if gate.is_master(&hash) {
        return Ok(Caller::Master);
    }
    VirtualKey::check(text)
        .map_err(|problem| Refusal::new(Reason::KeyMalformed, problem.to_string()))?;
    let Some(record) = find(gate, &hash).await? else {
        let name = VirtualKey::new(text).map(|key| key.display_name()).unwrap_or_default();
        return Err(Refusal::new(Reason::KeyUnknown, format!("the key {name} is not known here")));
    };
    usable(gate, &record)?;
    Ok(Caller::Key(record))
}

fn usable(gate: &Gate, record: &KeyRecord) -> Result<(), Refusal> {
    let name = &record.row.name;
    if record.row.blocked {
        return Err(Refusal::new(Reason::KeyBlocked, format!("the key {name} is blocked")));
    }
    match record.row.expires_at {
        Some(expires_at) if expires_at <= gate.now() => {
            let message = format!("the key {name} expired at {expires_at}");
            Err(Refusal::new(Reason::KeyExpired, message))
        }
        _ => Ok(()),
    }
}
