//! `GET /openapi.json`, `GET /docs` and `GET /`: the description of every route, made once at
//! start.

use bytes::Bytes;

use crate::answer::Answer;
use crate::openapi::{Operation, document, reference};
use crate::route::Route;

/// The description as it is served.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    /// The OpenAPI document; none is served where the operator wants none.
    pub(crate) openapi: Option<Bytes>,
    /// The reference page; none is served where the operator wants none.
    pub(crate) reference: Option<Bytes>,
}

impl Pages {
    /// The description of these operations.
    #[must_use]
    pub fn of(version: &str, operations: &[Operation]) -> Self {
        Self {
            openapi: Some(document(version, operations).to_string().into()),
            reference: Some(reference(version, operations).into()),
        }
    }

    /// The same without the OpenAPI document (LiteLLM's `NO_OPENAPI`).
    #[must_use]
    pub fn without_openapi(self) -> Self {
        Self { openapi: None, ..self }
    }

    /// The same without the page (LiteLLM's `NO_DOCS`).
    #[must_use]
    pub fn without_reference(self) -> Self {
        Self { reference: None, ..self }
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::page("/openapi.json", ("This description", Answer::Any), |pages| {
            pages.openapi.clone()
        }),
        Route::page("/docs", ("This description as a page", Answer::Html), |pages| {
            pages.reference.clone()
        }),
        // Where LiteLLM has its own.
        Route::page("/", ("The same page", Answer::Html), |pages| pages.reference.clone()),
    ]
}
