//! The desk at which one management call is served: who calls, and what they may.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use http::HeaderMap;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Authority, KeyScope, Scope};

use crate::gatekeeper::Actor;
use crate::problem::echo;
use crate::route::Described;
use crate::routes::Admin;

/// Who made or changed something, when the master key did.
pub(crate) const MASTER: &str = "master";

/// One management call: the parts of the management API, who calls, and on which route.
#[derive(Clone)]
pub(crate) struct Desk {
    admin: Arc<Admin>,
    row: Arc<Described>,
    actor: Actor,
    /// What the caller may manage.
    pub(crate) by: Arc<Authority>,
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
        asks: (&HeaderMap, &str),
    ) -> Result<Self, Refusal> {
        let actor = admin.gatekeeper.identify(asks).await?;
        let by = admin.authority(&actor).await?;
        if !by.passes(row.audience, row.reads) {
            return Err(not_for(&by, row));
        }
        Ok(Self { admin: Arc::clone(admin), row: Arc::clone(row), actor, by: Arc::new(by) })
    }

    /// The key that calls, unless it is the master key.
    pub(crate) const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// How records name the caller: their user, else their key.
    pub(crate) fn name(&self) -> String {
        let user = self.by.user.as_ref().map(|user| user.as_str());
        let key = self.by.key.as_ref().map(|key| key.as_str());
        user.or(key).unwrap_or(MASTER).to_owned()
    }

    /// # Errors
    /// Refused unless the caller may see what the request is about.
    pub(crate) fn must_see(&self, scope: Scope<'_>) -> Result<(), Refusal> {
        if self.may_see(scope) { Ok(()) } else { Err(not_theirs("see")) }
    }

    /// # Errors
    /// Refused unless the caller may change what the request is about.
    pub(crate) fn must_change(&self, scope: Scope<'_>) -> Result<(), Refusal> {
        if self.by.may_change(scope, &self.route()) { Ok(()) } else { Err(not_theirs("change")) }
    }

    /// # Errors
    /// Refused unless the caller may make a key that belongs there.
    pub(crate) fn must_make(&self, key: KeyScope<'_>) -> Result<(), Refusal> {
        if self.by.may_make(key, &self.route()) { Ok(()) } else { Err(not_theirs("make")) }
    }

    /// # Errors
    /// Refused unless the caller oversees the key, which its owner does not.
    pub(crate) fn must_oversee(&self, key: KeyScope<'_>) -> Result<(), Refusal> {
        if self.oversees(key) { Ok(()) } else { Err(not_theirs("change")) }
    }

    /// Whether the caller oversees the keys that belong there.
    pub(crate) fn oversees(&self, key: KeyScope<'_>) -> bool {
        self.by.may_oversee(key, &self.route())
    }

    /// The route as teams name it when they give it to their members (management-api §1).
    fn route(&self) -> Cow<'static, str> {
        if !self.row.path.contains("{key}") {
            return Cow::Borrowed(self.row.path);
        }
        Cow::Owned(self.row.path.replace("{key}", "{key_id}"))
    }

    pub(crate) fn may_see(&self, scope: Scope<'_>) -> bool {
        self.by.may_see(scope, &self.route())
    }
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
