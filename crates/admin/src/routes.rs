//! The routes of the management API and what they share.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, extract::rejection::BytesRejection};
use bytes::Bytes;
use serde_json::Value;
use tollgate_domain::{Clock, Random};
use tollgate_faults::{Reason, Refusal};
use tollgate_store::{Db, KeyDirectory};

use crate::gatekeeper::Gatekeeper;
use crate::{keys, problem};

/// Largest body of a management request, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Every route of the management API and who may call it: `master`, or `owner` for the key itself and the master key.
pub const ROUTES: [(&str, &str, &str); 4] = [
    ("POST", "/key/generate", "master"),
    ("GET", "/key/info", "owner"),
    ("POST", "/key/update", "master"),
    ("POST", "/key/delete", "master"),
];

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
    Router::new()
        .route("/key/generate", post(keys::generate))
        .route("/key/info", get(keys::info))
        .route("/key/update", post(keys::update))
        .route("/key/delete", post(keys::delete))
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
