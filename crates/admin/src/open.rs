//! Routes that tell anybody something that is no secret, without a key.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{MethodFilter, on};
use serde_json::Value;
use tollgate_policy::Audience;

use crate::answer::Answer;
use crate::route::{Described, Route};
use crate::routes::Admin;
use crate::shape::Shape;

impl Route {
    /// A route that tells everybody the same.
    pub(crate) fn open(path: &'static str, about: &'static str, run: fn(&Admin) -> Value) -> Self {
        let described = Described {
            method: "GET",
            path,
            audience: Audience::Anyone,
            about,
            takes: Shape::default(),
            has_body: false,
            reads: true,
            answer: Answer::Any,
            deviations: &[],
        };
        let handler =
            move |State(admin): State<Arc<Admin>>| async move { admin.answer(Ok(run(&admin))) };
        Self { handler: on(MethodFilter::GET, handler), described }
    }
}
