//! One route of the management API: the router, the permission matrix and the description of the
//! API are all made of the same rows.

use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{RawPathParams, State};
use axum::routing::{MethodFilter, MethodRouter, on};
use bytes::Bytes;
use http::{Extensions, HeaderMap, Uri};
use serde_json::Value;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Audience;

use crate::asked::Asked;
use crate::desk::{Desk, Head};
use crate::fields::Fields;
use crate::routes::{Admin, BODY_BYTES_MAX};
use crate::shape::{Field, Shape};

/// How often a change is tried while others change the same.
const ATTEMPTS_MAX: usize = 16;

/// What anybody may know of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its method.
    pub method: &'static str,
    /// Its path, with its parameters in braces.
    pub path: &'static str,
    /// Which callers it is for.
    pub audience: Audience,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// What a request holds: in its path where that names it, else in its body, or in its query
    /// when it only asks.
    pub takes: Shape,
    /// Whether it has a body.
    pub has_body: bool,
    /// Whether it changes nothing.
    pub reads: bool,
}

/// One route.
pub(crate) struct Route {
    pub(crate) described: Described,
    pub(crate) handler: MethodRouter<Arc<Admin>>,
}

impl Route {
    /// A route with a body.
    pub(crate) fn command<F, A>(
        (method, path): (&'static str, &'static str),
        audience: Audience,
        (about, takes): (&'static str, Shape),
        run: F,
    ) -> Self
    where
        F: Fn(Desk, Fields) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Value, Refusal>> + Send,
    {
        let reads = false;
        let described = Described { method, path, audience, about, takes, has_body: true, reads };
        Self::with_body(described, run)
    }

    /// A route with a body that only tells something.
    pub(crate) fn lookup<F, A>(
        path: &'static str,
        audience: Audience,
        (about, takes): (&'static str, Shape),
        run: F,
    ) -> Self
    where
        F: Fn(Desk, Fields) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Value, Refusal>> + Send,
    {
        let (method, has_body, reads) = ("POST", true, true);
        Self::with_body(Described { method, path, audience, about, takes, has_body, reads }, run)
    }

    fn with_body<F, A>(described: Described, run: F) -> Self
    where
        F: Fn(Desk, Fields) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Value, Refusal>> + Send,
    {
        let row = Arc::new(described.clone());
        let handler = |State(admin): State<Arc<Admin>>,
                       path: RawPathParams,
                       headers: HeaderMap,
                       extensions: Extensions,
                       body: Result<Bytes, BytesRejection>| async move {
            let result = async {
                let head = Head { headers, extensions };
                let desk = Desk::open(&admin, &row, &head).await?;
                let fields = Fields::read(&within_limit(body)?, &row.takes, &named(&path))?;
                persistently(|| run(desk.clone(), fields.clone())).await
            };
            let result = result.await;
            admin.answer(result)
        };
        Self { handler: on(filter(described.method), handler), described }
    }

    /// A route that tells something.
    pub(crate) fn question<F, A>(
        path: &'static str,
        audience: Audience,
        (about, names): (&'static str, &[Field]),
        run: F,
    ) -> Self
    where
        F: Fn(Desk, Asked) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Value, Refusal>> + Send,
    {
        let (takes, has_body) = (Shape::of(names), false);
        let described =
            Described { method: "GET", path, audience, about, takes, has_body, reads: true };
        let row = Arc::new(described.clone());
        let handler = |State(admin): State<Arc<Admin>>,
                       path: RawPathParams,
                       headers: HeaderMap,
                       extensions: Extensions,
                       uri: Uri| async move {
            let result = async {
                let head = Head { headers, extensions };
                let desk = Desk::open(&admin, &row, &head).await?;
                run(desk, Asked::read(&uri, &row.takes, &named(&path))?).await
            };
            let result = result.await;
            admin.answer(result)
        };
        Self { handler: on(MethodFilter::GET, handler), described }
    }
}

/// Runs a change again while somebody else changes the same row in between: reading and changing
/// are one, and whoever comes second changes what the first left.
async fn persistently<A>(run: impl Fn() -> A) -> Result<Value, Refusal>
where
    A: Future<Output = Result<Value, Refusal>>,
{
    let mut result = run().await;
    for _ in 1..ATTEMPTS_MAX {
        match &result {
            Err(refusal) if refusal.reason == Reason::ChangedMeanwhile => result = run().await,
            _ => break,
        }
    }
    result
}

/// What the path names. It is read like a field of the body or a name in the query.
fn named(path: &RawPathParams) -> Vec<(&str, &str)> {
    path.iter().collect()
}

fn filter(method: &str) -> MethodFilter {
    match method {
        "PATCH" => MethodFilter::PATCH,
        "PUT" => MethodFilter::PUT,
        "DELETE" => MethodFilter::DELETE,
        _ => MethodFilter::POST,
    }
}

/// A body within its limit.
fn within_limit(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Refusal> {
    body.map_err(|_| {
        let message = format!("the body is larger than {BODY_BYTES_MAX} bytes or broke off");
        Refusal::new(Reason::BodyTooLarge, message)
    })
}
