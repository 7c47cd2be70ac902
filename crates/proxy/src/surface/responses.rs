//! The kept answers of the Responses API: reading one, its input items, and deleting it.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use bytestring::ByteString;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use serde_json::json;
use tollgate_domain::ResponseId;
use tollgate_faults::{Reason, Refusal};
use tollgate_store::{Owner, ResponseRow};
use tollgate_wire::formats::openai_responses::{item_array, item_id, items_of_array};
use tollgate_wire::json::{quoted, write};

use crate::authenticate::authenticate;
use crate::continue_from::unavailable;
use crate::gate::Gate;
use crate::surface::models::answer;

/// Most input items on one page (OpenAI API reference, responses: 1 to 100).
const PAGE_ITEMS_MAX: usize = 100;
/// Input items on a page when the client does not say (OpenAI API reference: 20).
const PAGE_ITEMS: usize = 20;

/// `GET /v1/responses/{id}`.
pub(super) async fn one(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    answer(&gate, find(&gate, (&headers, uri.path()), &id).await.map(|row| as_json(row.response)))
}

/// `DELETE /v1/responses/{id}`.
pub(super) async fn delete(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let deleted = async {
        let row = find(&gate, (&headers, uri.path()), &id).await?;
        let responses = gate.keeper().responses();
        let deleted = responses.delete(&row.id, &row.owner).await;
        if !deleted.map_err(|error| unavailable(&error))? {
            return Err(not_found(&id));
        }
        Ok(Json(json!({ "id": id, "object": "response", "deleted": true })).into_response())
    };
    answer(&gate, deleted.await)
}

/// `GET /v1/responses/{id}/input_items`: the items that the answer's own call brought.
pub(super) async fn items(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let listed = find(&gate, (&headers, uri.path()), &id)
        .await
        .and_then(|row| Page::asked(&uri)?.of(items_of_array(&row.input_items)));
    answer(&gate, listed.map(as_json))
}

/// `GET /v1/responses`, which is how clients ask for a WebSocket. Those that are told with this
/// status that there is none go on over HTTPS at once.
pub(super) async fn socket(
    State(gate): State<Arc<Gate>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let snapshot = gate.snapshot();
    if let Err(refusal) = authenticate(&gate, (&headers, uri.path()), &snapshot.settings).await {
        return answer(&gate, Err(refusal));
    }
    if !headers.contains_key(header::UPGRADE) {
        return super::wrong_method(State(gate), method, uri).await;
    }
    let message = "there is no WebSocket here: use HTTPS, `POST /v1/responses`";
    let mut response = answer(&gate, Err(Refusal::new(Reason::WebsocketUnsupported, message)));
    // Such an answer names what may be upgraded to (RFC 9110, 15.5.22).
    let head = response.headers_mut();
    head.insert(header::UPGRADE, HeaderValue::from_static("HTTP/1.1"));
    head.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    response
}

/// Which of the items are asked for.
struct Page {
    limit: usize,
    newest_first: bool,
    after: Option<String>,
}

impl Page {
    fn asked(uri: &Uri) -> Result<Self, Refusal> {
        let wanted: Query<HashMap<String, String>> = Query::try_from_uri(uri)
            .map_err(|problem| Refusal::new(Reason::FieldWrongType, problem.to_string()))?;
        let limit = match wanted.get("limit").map(|text| text.parse()) {
            None => PAGE_ITEMS,
            Some(Ok(limit)) if (1..=PAGE_ITEMS_MAX).contains(&limit) => limit,
            Some(_) => return Err(outside("limit", "a whole number from 1 to 100")),
        };
        let newest_first = match wanted.get("order").map(String::as_str) {
            None | Some("desc") => true,
            Some("asc") => false,
            Some(_) => return Err(outside("order", "`asc` or `desc`")),
        };
        Ok(Self { limit, newest_first, after: wanted.get("after").cloned() })
    }

    /// The list object with this page of the items.
    fn of(&self, mut items: Vec<ByteString>) -> Result<String, Refusal> {
        if self.newest_first {
            items.reverse();
        }
        if let Some(after) = &self.after {
            let at = items.iter().position(|item| item_id(item).as_ref() == Some(after));
            let at = at.ok_or_else(|| outside("after", "the id of one of the input items"))?;
            items.drain(..=at);
        }
        let has_more = items.len() > self.limit;
        items.truncate(self.limit);
        let id = |item: Option<&ByteString>| {
            item.and_then(item_id).map_or_else(|| "null".to_owned(), |id| quoted(&id))
        };
        let mut out = Vec::new();
        write::object(&mut out, |o| {
            o.string("object", "list").raw("data", &item_array(&items));
            o.raw("first_id", &id(items.first())).raw("last_id", &id(items.last()));
            o.boolean("has_more", has_more);
        });
        Ok(String::from_utf8_lossy(&out).into_owned())
    }
}

/// The answer of this id, if it is kept for the caller.
async fn find(gate: &Gate, asks: (&HeaderMap, &str), id: &str) -> Result<ResponseRow, Refusal> {
    let snapshot = gate.snapshot();
    let caller = authenticate(gate, asks, &snapshot.settings).await?;
    let named = ResponseId::new(id).map_err(|_| not_found(id))?;
    gate.keeper().settled(&named).await;
    let owner = Owner::of(&caller.attribution());
    let found = gate.keeper().responses().find(&named, &owner, gate.now()).await;
    found.map_err(|error| unavailable(&error))?.ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> Refusal {
    Refusal::new(Reason::ResponseNotFound, format!("Response with id '{id}' not found."))
}

fn outside(param: &str, expected: &str) -> Refusal {
    let message = format!("`{param}` is not {expected}");
    Refusal::new(Reason::FieldOutOfRange, message).with_param(param)
}

fn as_json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
