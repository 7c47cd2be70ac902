//! One route of the management API: the router, the permission matrix and the description of the
//! API are all made of the same rows.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawPathParams, State};
use axum::response::IntoResponse as _;
use axum::routing::{MethodFilter, MethodRouter, on};
use bytes::Bytes;
use http::{Extensions, HeaderMap, Uri, header};
use serde_json::Value;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Audience;

use crate::answer::Answer;
use crate::asked::Asked;
use crate::desk::{Desk, Head};
use crate::fields::Fields;
use crate::pages::Pages;
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
    /// What it answers with, as far as it is promised.
    pub answer: Answer,
    /// Reasons that it refuses for with another status than the usual one, as LiteLLM does.
    pub deviations: &'static [(Reason, u16)],
}

impl Described {
    /// A route with a body, of whose answer nothing is promised.
    fn with_body(
        (method, path): (&'static str, &'static str),
        audience: Audience,
        (about, takes): (&'static str, Shape),
        reads: bool,
    ) -> Self {
        let (has_body, answer, deviations) = (true, Answer::Any, &[]);
        Self { method, path, audience, about, takes, has_body, reads, answer, deviations }
    }
}

impl Described {
    /// What it belongs to, by the first word of its path that says so.
    #[must_use]
    pub fn family(&self) -> &'static str {
        let words = self.path.split('/');
        let word = words.into_iter().find(|word| !NO_FAMILIES.contains(word)).unwrap_or_default();
        let known = FAMILIES.iter().find(|(name, _)| *name == word);
        known.map_or(word, |(_, family)| family)
    }

    /// Whether the path has a parameter of this name.
    #[must_use]
    pub fn names_in_path(&self, name: &str) -> bool {
        let parameter = |word: &str| word.strip_prefix('{')?.strip_suffix('}').map(str::to_owned);
        self.path.split('/').filter_map(parameter).any(|word| word.trim_start_matches('*') == name)
    }
}

/// Words of paths that say nothing about what a route belongs to.
const NO_FAMILIES: [&str; 4] = ["", "v1", "v2", "global"];
/// What routes belong to whose paths say it in other words.
const FAMILIES: [(&str, &str); 17] = [
    ("", "description"),
    ("key", "keys"),
    ("team", "teams"),
    ("user", "users"),
    ("organization", "organizations"),
    ("project", "projects"),
    ("customer", "customers"),
    ("end_user", "customers"),
    ("budget", "budgets"),
    ("model", "models"),
    ("models", "models"),
    ("model_group", "models"),
    ("tag", "tags"),
    ("access_group", "access groups"),
    ("audit", "audit log"),
    ("openapi.json", "description"),
    ("docs", "description"),
];

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
        let described = Described::with_body((method, path), audience, (about, takes), false);
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
        let described = Described::with_body(("POST", path), audience, (about, takes), true);
        Self::with_body(described, run)
    }

    fn with_body<F, A>(described: Described, run: F) -> Self
    where
        F: Fn(Desk, Fields) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Value, Refusal>> + Send,
    {
        let row = Arc::new(described.clone());
        let handler = |State(admin): State<Arc<Admin>>,
                       path: RawPathParams,
                       (headers, uri): (HeaderMap, Uri),
                       extensions: Extensions,
                       body: Result<Bytes, BytesRejection>| async move {
            let result = async {
                let head = Head { headers, extensions };
                let desk = Desk::open(&admin, &row, (&head, uri.path())).await?;
                let fields = Fields::read(&within_limit(body)?, &row.takes, &named(&path))?;
                persistently(|| run(desk.clone(), fields.clone())).await
            };
            let result = result.await;
            admin.answer(result)
        };
        Self { handler: on(filter(described.method), handler), described }
    }

    /// A route that LiteLLM has and that is refused whatever it is asked for: only who may call it
    /// is told why. What its body holds is not read, since no field of it would be better.
    pub(crate) fn refused(
        ((method, path), audience, about): ((&'static str, &'static str), Audience, &'static str),
        named_in_path: &[Field],
        why: fn() -> Refusal,
    ) -> Self {
        let takes = Shape::of(named_in_path);
        let described = Described::with_body((method, path), audience, (about, takes), false);
        let row = Arc::new(described.clone());
        let handler = move |State(admin): State<Arc<Admin>>,
                            (headers, uri): (HeaderMap, Uri),
                            extensions: Extensions| async move {
            let head = Head { headers, extensions };
            let opened = Desk::open(&admin, &row, (&head, uri.path())).await;
            admin.answer(opened.and_then(|_| Err(why())))
        };
        Self { handler: on(filter(method), handler), described }
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
        let (method, takes, has_body, reads) = ("GET", Shape::of(names), false, true);
        let answer = Answer::Any;
        let described = Described {
            method,
            path,
            audience,
            about,
            takes,
            has_body,
            reads,
            answer,
            deviations: &[],
        };
        let row = Arc::new(described.clone());
        let handler = |State(admin): State<Arc<Admin>>,
                       path: RawPathParams,
                       headers: HeaderMap,
                       extensions: Extensions,
                       uri: Uri| async move {
            let result = async {
                let head = Head { headers, extensions };
                let desk = Desk::open(&admin, &row, (&head, uri.path())).await?;
                run(desk, Asked::read(&uri, &row.takes, &named(&path))?).await
            };
            let result = result.await;
            admin.answer(result)
        };
        Self { handler: on(MethodFilter::GET, handler), described }
    }

    /// A route with a page that describes the others, for everybody.
    pub(crate) fn page(
        path: &'static str,
        (about, answer): (&'static str, Answer),
        page: fn(&Pages) -> Option<Bytes>,
    ) -> Self {
        let (method, audience, takes) = ("GET", Audience::Anyone, Shape::default());
        let (has_body, reads) = (false, true);
        let described = Described {
            method,
            path,
            audience,
            about,
            takes,
            has_body,
            reads,
            answer,
            deviations: &[],
        };
        let media = if answer == Answer::Html { "text/html; charset=utf-8" } else { JSON };
        let handler =
            async move |State(admin): State<Arc<Admin>>, pages: Extension<Arc<Pages>>| match page(
                &pages,
            ) {
                Some(body) => ([(header::CONTENT_TYPE, media)], body).into_response(),
                None => admin.answer(Err(not_served(path))),
            };
        Self { handler: on(MethodFilter::GET, handler), described }
    }

    /// The same route, which refuses for these reasons with these statuses.
    #[must_use]
    pub(crate) fn refuses_with(mut self, deviations: &'static [(Reason, u16)]) -> Self {
        self.described.deviations = deviations;
        self
    }
}

/// The media type of JSON.
const JSON: &str = "application/json";

/// The operator wants this page not to be there.
fn not_served(path: &str) -> Refusal {
    Refusal::new(Reason::RouteUnknown, format!("`{path}` is switched off"))
}

/// Runs a change again while somebody else changes the same row in between: reading and changing
/// are one, and whoever comes second changes what the first left.
pub(crate) async fn persistently<T, A>(run: impl Fn() -> A) -> Result<T, Refusal>
where
    A: Future<Output = Result<T, Refusal>>,
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
