//! The routes of the management API and what they share.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json, Router};
use serde_json::Value;
use tollgate_domain::{Clock, Random};
use tollgate_faults::Refusal;
use tollgate_store::{Db, KeyDirectory, Vault};

use crate::configuration::Configuration;
use crate::entities::{
    customers, member_bulk, members, organization_members, organizations, projects, tags,
    team_callbacks, team_grants, team_pages, teams, user_bulk, users,
};
use crate::gatekeeper::Gatekeeper;
use crate::pages::{self, Pages};
use crate::route::{Described, Route};
use crate::running::Running;
use crate::{
    activity, audit, budgets, catalogue, health, invitations, keys, logs, models, problem,
    promised, settings, spend,
};

/// Largest body of a management request, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

fn table() -> Vec<Route> {
    let mut table = keys::routes();
    table.extend(teams::routes());
    table.extend(team_grants::routes());
    table.extend(team_pages::routes());
    table.extend(team_callbacks::routes());
    table.extend(members::routes());
    table.extend(member_bulk::routes());
    table.extend(users::routes());
    table.extend(invitations::routes());
    table.extend(user_bulk::routes());
    table.extend(customers::routes());
    table.extend(organizations::routes());
    table.extend(organization_members::routes());
    table.extend(projects::routes());
    table.extend(budgets::routes());
    table.extend(tags::routes());
    table.extend(models::routes());
    table.extend(activity::routes());
    table.extend(logs::routes());
    table.extend(audit::routes());
    table.extend(pages::routes());
    table.extend(spend::routes());
    table.extend(health::routes());
    table.extend(settings::routes());
    table.extend(catalogue::routes());
    table.into_iter().map(promised::promise).collect()
}

/// Every route of the management API.
#[must_use]
pub fn routes() -> Vec<Described> {
    table().into_iter().map(|route| route.described).collect()
}

/// What the binary lends: who calls, the configuration in force, and the running gateway.
pub type Lent = (Arc<dyn Gatekeeper>, Arc<dyn Configuration>, Arc<dyn Running>);

/// Everything the management API needs.
pub struct Admin {
    pub(crate) db: Db,
    pub(crate) keys: Arc<KeyDirectory>,
    pub(crate) gatekeeper: Arc<dyn Gatekeeper>,
    pub(crate) configuration: Arc<dyn Configuration>,
    pub(crate) running: Arc<dyn Running>,
    /// Seals what is secret of deployments and credentials.
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl Admin {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        db: Db,
        keys: Arc<KeyDirectory>,
        (gatekeeper, configuration, running): Lent,
        (clock, random, vault): (Arc<dyn Clock>, Arc<dyn Random>, Vault),
    ) -> Self {
        Self { db, keys, gatekeeper, configuration, running, vault, clock, random }
    }

    /// An identity that nobody has yet.
    pub(crate) fn fresh_id(&self) -> String {
        self.random.call_id(self.clock.now()).to_string()
    }

    /// The answer to a management call.
    pub(crate) fn answer(&self, result: Result<Value, Refusal>) -> Response {
        result.map(|value| Json(value).into_response()).unwrap_or_else(|refusal| {
            problem::response(&refusal, &self.gatekeeper.docs_base(), &self.fresh_id())
        })
    }
}

/// The routes of the management API, and the pages that describe every route.
pub fn router(admin: Arc<Admin>, pages: Pages) -> Router {
    table()
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.described.path, route.handler))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(Extension(Arc::new(pages)))
        .with_state(admin)
}
