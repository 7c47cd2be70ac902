//! Google's routes: the model and the operation share one segment of the path.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Uri};
use serde::Serialize;
use tollgate_faults::{Dialect, Reason, Refusal};
use tollgate_wire::translate::ClientFormat;

use crate::gate::Gate;
use crate::ingress::Route;
use crate::refusal::refuse;
use crate::surface::chat;
use crate::surface::count;
use crate::surface::models::visible;

/// The operations that models are listed with.
const OPERATIONS: [&str; 3] = ["generateContent", "streamGenerateContent", "countTokens"];

/// `POST /v1beta/models/{model}:{operation}`, the model slashes and all.
pub(super) async fn operate(
    State(gate): State<Arc<Gate>>,
    Path(rest): Path<String>,
    request: Request,
) -> Response {
    let events =
        request.uri().query().is_some_and(|query| query.split('&').any(|q| q == "alt=sse"));
    let (model, operation) = rest.rsplit_once(':').unwrap_or((&rest, ""));
    let stream = match operation {
        "generateContent" => false,
        "streamGenerateContent" => true,
        "countTokens" => return count::of_contents(&gate, model, request).await,
        _ => return unknown(&gate, operation),
    };
    let array = stream && !events;
    let route =
        Route { format: ClientFormat::Gemini, model: Some(model.to_owned()), stream, array };
    chat::answer(&gate, request, route).await
}

fn unknown(gate: &Gate, operation: &str) -> Response {
    let message = format!("there is no operation `{operation}`");
    let refusal = Refusal::new(Reason::RouteUnknown, message)
        .with_fix(format!("the operations are {}", OPERATIONS.join(", ")));
    refuse(gate, &refusal, Dialect::Gemini, &gate.random().call_id(gate.now()).to_string())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Model {
    name: String,
    display_name: String,
    supported_generation_methods: [&'static str; 3],
}

/// `GET /v1beta/models`: the models of the key, as Google lists models.
pub(super) async fn list(State(gate): State<Arc<Gate>>, headers: HeaderMap, uri: Uri) -> Response {
    match visible(&gate, (&headers, uri.path())).await {
        Ok(names) => {
            let model = |name: &tollgate_domain::ModelName| Model {
                name: format!("models/{name}"),
                display_name: name.to_string(),
                supported_generation_methods: OPERATIONS,
            };
            let models: Vec<Model> = names.iter().map(model).collect();
            Json(serde_json::json!({ "models": models })).into_response()
        }
        Err(refusal) => {
            let call = gate.random().call_id(gate.now()).to_string();
            refuse(&gate, &refusal, Dialect::Gemini, &call)
        }
    }
}
