//! The desk at which one management call is served: who calls, and what they may.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Authority, KeyScope, Scope, TrustedProxies};
use tollgate_store::{By, Editor};

use crate::gatekeeper::Actor;
use crate::problem::echo;
use crate::route::Described;
use crate::routes::Admin;

/// Who made or changed something, when the master key did.
pub(crate) const MASTER: &str = "master";
/// The header that says on whose behalf something is changed, as in LiteLLM.
const ON_BEHALF_OF: &str = "litellm-changed-by";
/// Longest name that is taken from it, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// The header in which proxies say for whom they ask.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Where a request came from and what its head says.
pub(crate) struct Head {
    pub(crate) headers: HeaderMap,
    pub(crate) extensions: Extensions,
}

/// One management call: the parts of the management API, who calls, and on which route.
#[derive(Clone)]
pub(crate) struct Desk {
    admin: Arc<Admin>,
    row: Arc<Described>,
    actor: Actor,
    /// What the caller may manage.
    pub(crate) by: Arc<Authority>,
    record: Arc<By>,
}

impl Deref for Desk {
    type Target = Admin;

    fn deref(&self) -> &Admin {
        &self.admin
    }
}

impl Desk {
    /// Finds out who calls, and whether the route is for them.
    ///
    /// # Errors
    /// The refusal of the data path, or that the route is not for the caller.
    pub(crate) async fn open(
        admin: &Arc<Admin>,
        row: &Arc<Described>,
        (head, path): (&Head, &str),
    ) -> Result<Self, Refusal> {
        let actor = admin.gatekeeper.identify((&head.headers, path)).await?;
        let by = admin.authority(&actor).await?;
        if !by.passes(row.audience, row.reads) {
            return Err(not_for(&by, row));
        }
        let record = By {
            name: name(&by),
            key: by.key.as_ref().map(|key| key.as_str().to_owned()),
            address: head.address(&admin.gatekeeper.snapshot().settings.trusted_proxies),
            on_behalf_of: head.on_behalf_of(),
            at: admin.clock.now(),
        };
        Ok(Self {
            admin: Arc::clone(admin),
            row: Arc::clone(row),
            actor,
            by: Arc::new(by),
            record: Arc::new(record),
        })
    }

    /// The key that calls, unless it is the master key.
    pub(crate) const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// How records name the caller: their user, else their key.
    pub(crate) fn name(&self) -> String {
        self.record.name.clone()
    }

    /// The database, for what the caller changes.
    pub(crate) fn edit(&self) -> Editor<'_> {
        self.db.edit(&self.record)
    }

    /// # Errors
    /// Refused unless the caller may see what the request is about.
    pub(crate) fn must_see(&self, scope: Scope<'_>) -> Result<(), Refusal> {
        if self.may_see(scope) { Ok(()) } else { Err(not_theirs("see")) }
    }

    /// # Errors
    /// Refused unless the caller may change what the request is about.
    pub(crate) fn must_change(&self, scope: Scope<'_>) -> Result<(), Refusal> {
        if self.by.may_change(scope, self.row.path) { Ok(()) } else { Err(not_theirs("change")) }
    }

    /// # Errors
    /// Refused unless the caller may make a key that belongs there.
    pub(crate) fn must_make(&self, key: KeyScope<'_>) -> Result<(), Refusal> {
        if self.by.may_make(key, self.row.path) { Ok(()) } else { Err(not_theirs("make")) }
    }

    /// # Errors
    /// Refused unless the caller oversees the key, which its owner does not.
    pub(crate) fn must_oversee(&self, key: KeyScope<'_>) -> Result<(), Refusal> {
        if self.oversees(key) { Ok(()) } else { Err(not_theirs("change")) }
    }

    /// Whether the caller oversees the keys that belong there.
    pub(crate) fn oversees(&self, key: KeyScope<'_>) -> bool {
        self.by.may_oversee(key, self.row.path)
    }

    pub(crate) fn may_see(&self, scope: Scope<'_>) -> bool {
        self.by.may_see(scope, self.row.path)
    }
}

impl Head {
    /// Where the request came from: whoever sent it, or for whom a trusted proxy did.
    fn address(&self, proxies: &TrustedProxies) -> Option<String> {
        let ConnectInfo(peer) = self.extensions.get::<ConnectInfo<SocketAddr>>()?;
        let headers = self.headers.get_all(FORWARDED_FOR).iter();
        let items = headers.flat_map(|header| header.to_str().unwrap_or_default().split(','));
        Some(proxies.client(peer.ip(), items).to_string())
    }

    fn on_behalf_of(&self) -> Option<String> {
        let text = self.headers.get(ON_BEHALF_OF)?.to_str().ok()?;
        (!text.is_empty() && text.len() <= NAME_BYTES_MAX).then(|| text.to_owned())
    }
}

fn name(by: &Authority) -> String {
    let user = by.user.as_ref().map(|user| user.as_str());
    let key = by.key.as_ref().map(|key| key.as_str());
    user.or(key).unwrap_or(MASTER).to_owned()
}

fn not_for(by: &Authority, row: &Described) -> Refusal {
    let message =
        format!("the role `{}` may not call {} {}", by.role.as_str(), row.method, echo(row.path));
    Refusal::new(Reason::ManagementForbidden, message)
}

fn not_theirs(what: &str) -> Refusal {
    let message = format!("this is not the caller's to {what}");
    Refusal::new(Reason::ManagementForbidden, message)
}
