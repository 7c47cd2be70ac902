//! The models a caller may use: listing them asks the same function that admits calls.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Uri};
use serde::Serialize;
use tollgate_domain::ModelName;
use tollgate_faults::{Dialect, Reason, Refusal};

use crate::authenticate::authenticate;
use crate::gate::Gate;
use crate::grants;
use crate::refusal::refuse;

/// The creation time that LiteLLM gives every model, in seconds since the epoch; clients have come
/// to expect one.
const CREATED: u64 = 1_677_610_602;

/// One model as the OpenAI API lists it.
#[derive(Serialize)]
struct Model {
    id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

#[derive(Serialize)]
struct List {
    data: Vec<Model>,
    object: &'static str,
}

/// `GET /v1/models`.
pub(super) async fn list(State(gate): State<Arc<Gate>>, headers: HeaderMap, uri: Uri) -> Response {
    answer(
        &gate,
        visible(&gate, (&headers, uri.path())).await.map(|names| {
            let data = names.iter().map(model).collect();
            Json(List { data, object: "list" }).into_response()
        }),
    )
}

/// `GET /v1/models/{id}`. A model the caller may not use is as unknown as one that does not exist.
pub(super) async fn one(
    State(gate): State<Arc<Gate>>,
    Path(wanted): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let found = visible(&gate, (&headers, uri.path())).await.and_then(|names| {
        names.iter().find(|name| name.as_str() == wanted).map(model).ok_or_else(|| {
            let message = format!("there is no model `{wanted}`");
            Refusal::new(Reason::ModelUnknown, message).with_param("model")
        })
    });
    answer(&gate, found.map(|model| Json(model).into_response()))
}

pub(super) async fn visible(
    gate: &Gate,
    asks: (&HeaderMap, &str),
) -> Result<Vec<ModelName>, Refusal> {
    let snapshot = gate.snapshot();
    let caller = authenticate(gate, asks, &snapshot.settings).await?;
    let names = grants::visible(&snapshot, &caller).into_iter();
    Ok(names.filter_map(|name| ModelName::new(name).ok()).collect())
}

fn model(name: &ModelName) -> Model {
    Model { id: name.to_string(), object: "model", created: CREATED, owned_by: "openai" }
}

pub(super) fn answer(gate: &Gate, result: Result<Response, Refusal>) -> Response {
    result.unwrap_or_else(|refusal| {
        let call = gate.random().call_id(gate.now()).to_string();
        refuse(gate, &refusal, Dialect::OpenAi, &call)
    })
}
