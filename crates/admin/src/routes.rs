//! The routes of the management API and what they share.

use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, get, on};
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, Uri};
use serde_json::Value;
use tollgate_domain::{Clock, Level, Random};
use tollgate_faults::{Reason, Refusal};
use tollgate_store::{Db, KeyDirectory};

use crate::asked::Asked;
use crate::entities::{customers, members, organizations, tags, teams, users};
use crate::gatekeeper::Gatekeeper;
use crate::{activity, budgets, keys, logs, problem};

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
pub(crate) struct Route {
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: MethodRouter<Arc<Admin>>,
}

impl Route {
    /// A route that changes something; its body is within its limit.
    pub(crate) fn command<F, A>(method: &'static str, path: &'static str, run: F) -> Self
    where
        F: Fn(Arc<Admin>, Bytes) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Value, Refusal>> + Send,
    {
        let handler = |State(admin): State<Arc<Admin>>,
                       headers: HeaderMap,
                       body: Result<Bytes, BytesRejection>| async move {
            let result = async {
                admin.gatekeeper.identify(&headers).await?.must_be_master()?;
                run(Arc::clone(&admin), within_limit(body)?).await
            };
            let result = result.await;
            admin.answer(result)
        };
        Self { method, path, access: Access::Master, handler: on(filter(method), handler) }
    }

    /// A route that tells something.
    pub(crate) fn question<F, A>(path: &'static str, run: F) -> Self
    where
        F: Fn(Arc<Admin>, Asked) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Value, Refusal>> + Send,
    {
        let handler = |State(admin): State<Arc<Admin>>, headers: HeaderMap, uri: Uri| async move {
            let result = async {
                admin.gatekeeper.identify(&headers).await?.must_be_master()?;
                run(Arc::clone(&admin), Asked::read(&uri)?).await
            };
            let result = result.await;
            admin.answer(result)
        };
        Self { method: "GET", path, access: Access::Master, handler: get(handler) }
    }
}

fn filter(method: &str) -> MethodFilter {
    match method {
        "PATCH" => MethodFilter::PATCH,
        "DELETE" => MethodFilter::DELETE,
        _ => MethodFilter::POST,
    }
}

fn table() -> Vec<Route> {
    let row = |method, path, access, handler| Route { method, path, access, handler };
    let daily = |path, access, level| row("GET", path, access, activity::daily(level, true));
    let whole = |path, access, level| row("GET", path, access, activity::daily(level, false));
    let info = get(keys::info);
    let info = Route { method: "GET", path: "/key/info", access: Access::Owner, handler: info };
    let mut table = vec![info];
    table.extend(keys::routes());
    table.extend(teams::routes());
    table.extend(members::routes());
    table.extend(users::routes());
    table.extend(customers::routes());
    table.extend(organizations::routes());
    table.extend(budgets::routes());
    table.extend(tags::routes());
    table.extend([
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
    ]);
    table
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
