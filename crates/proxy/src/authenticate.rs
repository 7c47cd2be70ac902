//! From a key to a caller. The database is asked only about a key this node has not seen.

use std::sync::Arc;

use http::HeaderMap;
use tollgate_config::Settings;
use tollgate_domain::{Attribution, KeyHash, KeyId, Level, VirtualKey, VirtualKeyError};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Role, calls_models, may_call_route};
use tollgate_store::{KeyRecord, LevelRecord, StoreError, granting};

use crate::credential::{find, presented};
use crate::gate::Gate;

/// Who calls.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Whoever holds the master key: every model, every management route, no budget.
    Master,
    /// The holder of a virtual key.
    Key {
        /// The key.
        record: Arc<KeyRecord>,
        /// Everybody whose grants and limits bind its calls: the widest first, the key last.
        levels: Vec<Arc<LevelRecord>>,
    },
}

impl Caller {
    /// Those whose grants all have to allow a model. A user's own grant is for keys without a team
    /// (management-api §2).
    pub(crate) fn granting(&self) -> impl Iterator<Item = &LevelRecord> {
        granting(self.levels())
    }

    /// Whether it is an administrator of the gateway.
    pub(crate) fn is_admin(&self) -> bool {
        match self {
            Self::Master => true,
            Self::Key { levels, .. } => role(levels) == Some(Role::ProxyAdmin.as_str()),
        }
    }

    /// Those whose limits bind the calls.
    pub(crate) fn levels(&self) -> &[Arc<LevelRecord>] {
        match self {
            Self::Master => &[],
            Self::Key { levels, .. } => levels,
        }
    }

    /// Who calls are charged to, before the call names a customer.
    pub(crate) fn attribution(&self) -> Arc<Attribution> {
        match self {
            Self::Master => Arc::new(Attribution::to_key(KeyId::master())),
            Self::Key { record, .. } => Arc::clone(&record.attribution),
        }
    }
}

/// Finds out who calls: the first of the presented keys that is known here. What is not known may
/// be a provider's, which the client brought beside its key.
///
/// # Errors
/// Refused when there is no key, when it is malformed, unknown, blocked or expired, when it may not
/// call this path, and when the store that would know it cannot be asked: an unanswered question is
/// never taken for a no.
pub async fn authenticate(
    gate: &Gate,
    (headers, path): (&HeaderMap, &str),
    settings: &Settings,
) -> Result<Caller, Refusal> {
    let mut first: Option<Refusal> = None;
    for text in presented(headers, settings.key_header.as_deref())? {
        match of_key(gate, text).await {
            Err(refusal) if matches!(refusal.reason, Reason::KeyMalformed | Reason::KeyUnknown) => {
                first.get_or_insert(refusal);
            }
            known => {
                let caller = known?;
                may_call(&caller, path)?;
                return Ok(caller);
            }
        }
    }
    Err(first.unwrap_or_else(|| Refusal::new(Reason::KeyMissing, "no key was sent")))
}

async fn of_key(gate: &Gate, text: &str) -> Result<Caller, Refusal> {
    let hash = KeyHash::of(text);
    if gate.is_master(&hash) {
        return Ok(Caller::Master);
    }
    let formed = VirtualKey::check(text);
    let malformed =
        |problem: VirtualKeyError| Refusal::new(Reason::KeyMalformed, problem.to_string());
    // One that was taken over from elsewhere may be shorter than those that are made here.
    if let Err(problem @ (VirtualKeyError::Prefix | VirtualKeyError::Character)) = formed {
        return Err(malformed(problem));
    }
    let Some(record) = find(gate, &hash).await? else {
        formed.map_err(malformed)?;
        let name = VirtualKey::new(text).map(|key| key.display_name()).unwrap_or_default();
        return Err(Refusal::new(Reason::KeyUnknown, format!("the key {name} is not known here")));
    };
    usable(gate, &record)?;
    let levels = gate.keys().chain(&record).await.map_err(|problem| unreachable(&problem))?;
    levels.iter().try_for_each(|level| open(level))?;
    Ok(Caller::Key { record, levels })
}

/// Refused when the key's own routes leave the path out, and when its user only looks at what
/// others do: those call no models (endpoints, route gate).
fn may_call(caller: &Caller, path: &str) -> Result<(), Refusal> {
    let Caller::Key { record, levels } = caller else { return Ok(()) };
    let allowed = record.rules().map_or(&[][..], |rules| &rules.allowed_routes);
    if !may_call_route(allowed, path) {
        let (name, allowed) = (record.name(), allowed.join("`, `"));
        let message = format!("the key {name} may call only `{allowed}`");
        return Err(Refusal::new(Reason::RouteNotAllowed, message));
    }
    if role(levels) == Some(Role::ProxyAdminViewer.as_str()) && calls_models(path) {
        let message = "the role `proxy_admin_viewer` looks on and calls no models";
        return Err(Refusal::new(Reason::RouteNotAllowed, message));
    }
    Ok(())
}

/// The role of the user among a key's levels.
fn role(levels: &[Arc<LevelRecord>]) -> Option<&str> {
    let user = levels.iter().find(|level| level.subject.level == Level::User)?;
    user.metadata("user_role")?.as_str()
}

/// What nobody could be asked about is not known to be wrong.
pub(crate) fn unreachable(problem: &StoreError) -> Refusal {
    tracing::error!(%problem, "the store could not be asked who calls");
    Refusal::new(Reason::StoreUnavailable, "the store that knows the keys cannot be reached")
}

/// Refused when somebody above the key is blocked.
pub(crate) fn open(level: &LevelRecord) -> Result<(), Refusal> {
    if !level.blocked {
        return Ok(());
    }
    let reason = match level.subject.level {
        Level::User | Level::Member | Level::OrganizationMember => Reason::UserBlocked,
        Level::Customer => Reason::CustomerBlocked,
        _ => Reason::TeamBlocked,
    };
    let (kind, name) = (level.subject.level.as_str(), &level.name);
    Err(Refusal::new(reason, format!("the {kind} `{name}` is blocked")))
}

fn usable(gate: &Gate, record: &KeyRecord) -> Result<(), Refusal> {
    let name = record.name();
    if record.own.blocked {
        return Err(Refusal::new(Reason::KeyBlocked, format!("the key {name} is blocked")));
    }
    match record.expires_at {
        Some(expires_at) if expires_at <= gate.now() => {
            let message = format!("the key {name} expired at {expires_at}");
            Err(Refusal::new(Reason::KeyExpired, message))
        }
        _ => Ok(()),
    }
}
