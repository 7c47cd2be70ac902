//! The routes of the management API and what they share.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, extract::rejection::BytesRejection};
use bytes::Bytes;
use serde_json::Value;
use tollgate_domain::{Clock, Level, Money, Random};
use tollgate_faults::{Reason, Refusal};
use tollgate_store::{Db, KeyDirectory, KeyRecord};

use crate::gatekeeper::Gatekeeper;
use crate::{activity, keys, logs, problem};

/// Largest body of a management request, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The master key only.
    Master,
    /// The master key, and a key for itself.
    Owner,
}

/// One route: the router and the permission matrix are made of the same rows.
struct Route {
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: MethodRouter<Arc<Admin>>,
}

#[rustfmt::skip]
fn table() -> Vec<Route> {
    let row = |method, path, access, handler| Route { method, path, access, handler };
    let daily = |path, access, level| row("GET", path, access, activity::daily(level, true));
    let whole = |path, access, level| row("GET", path, access, activity::daily(level, false));
    vec![
        row("POST", "/key/generate", Access::Master, post(keys::generate)),
        row("GET", "/key/info", Access::Owner, get(keys::info)),
        row("POST", "/key/update", Access::Master, post(keys::update)),
        row("POST", "/key/delete", Access::Master, post(keys::delete)),
        daily("/user/daily/activity", Access::Owner, Level::User),
        whole("/user/daily/activity/aggregated", Access::Owner, Level::User),
        daily("/team/daily/activity", Access::Master, Level::Team),
        whole("/team/daily/activity/aggregated", Access::Master, Level::Team),
        daily("/tag/daily/activity", Access::Master, Level::Tag),
        whole("/tag/daily/activity/aggregated", Access::Master, Level::Tag),
        daily("/customer/daily/activity", Access::Master, Level::Customer),
        whole("/customer/daily/activity/aggregated", Access::Master, Level::Customer),
        daily("/organization/daily/activity", Access::Master, Level::Organization),
        whole("/organization/daily/activity/aggregated", Access::Master, Level::Organization),
        row("GET", "/spend/logs/v2", Access::Owner, get(logs::page)),
    ]
}

/// Every route of the management API: method, path, and who may call it.
#[must_use]
pub fn routes() -> Vec<(&'static str, &'static str, Access)> {
    table().into_iter().map(|route| (route.method, route.path, route.access)).collect()
}

/// Everything the management API needs.
pub struct Admin {
    pub(crate) db: Db,
    pub(crate) keys: Arc<KeyDirectory>,
    pub(crate) gatekeeper: Arc<dyn Gatekeeper>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl Admin {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        db: Db,
        keys: Arc<KeyDirectory>,
        gatekeeper: Arc<dyn Gatekeeper>,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Self {
        Self { db, keys, gatekeeper, clock, random }
    }

    /// What a key's calls cost in the present window of its main budget.
    pub(crate) fn spent(&self, record: &KeyRecord) -> Money {
        record.own.spent(self.keys.calendar(), self.clock.now())
    }

    /// The answer to a management call.
    pub(crate) fn answer(&self, result: Result<Value, Refusal>) -> Response {
        result.map(|value| Json(value).into_response()).unwrap_or_else(|refusal| {
            let call = self.random.call_id(self.clock.now()).to_string();
            problem::response(&refusal, &self.gatekeeper.docs_base(), &call)
        })
    }
}

/// The routes of the management API.
pub fn router(admin: Arc<Admin>) -> Router {
    table()
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.path, route.handler))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(admin)
}

/// A body within its limit.
pub(crate) fn within_limit(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Refusal> {
    body.map_err(|_| {
        let message = format!("the body is larger than {BODY_BYTES_MAX} bytes or broke off");
        Refusal::new(Reason::BodyTooLarge, message)
    })
}
