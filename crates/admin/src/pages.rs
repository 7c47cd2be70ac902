//! `GET /openapi.json`, `GET /docs` and `GET /`: the description of every route.
//!
//! Each is made when it is first asked for and kept: the document is a tree of several megabytes
//! while it is made, which a gateway that nobody asks for it never holds.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::answer::Answer;
use crate::openapi::{Operation, document, reference};
use crate::route::Route;

/// The description as it is served.
#[derive(Debug)]
pub struct Pages {
    version: &'static str,
    operations: fn() -> Vec<Operation>,
    /// The OpenAPI document; none is served where the operator wants none.
    openapi: Option<OnceLock<Bytes>>,
    /// The reference page; none is served where the operator wants none.
    reference: Option<OnceLock<Bytes>>,
}

impl Pages {
    /// The description of these operations.
    #[must_use]
    pub fn of(version: &'static str, operations: fn() -> Vec<Operation>) -> Self {
        let (openapi, reference) = (Some(OnceLock::new()), Some(OnceLock::new()));
        Self { version, operations, openapi, reference }
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

    fn openapi(&self) -> Option<Bytes> {
        let made = || document(self.version, &(self.operations)()).to_string().into();
        Some(self.openapi.as_ref()?.get_or_init(made).clone())
    }

    fn reference(&self) -> Option<Bytes> {
        let made = || reference(self.version, &(self.operations)()).into();
        Some(self.reference.as_ref()?.get_or_init(made).clone())
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::page("/openapi.json", ("This description", Answer::Any), Pages::openapi),
        Route::page("/docs", ("This description as a page", Answer::Html), Pages::reference),
        // Where LiteLLM has its own.
        Route::page("/", ("The same page", Answer::Html), Pages::reference),
    ]
}
