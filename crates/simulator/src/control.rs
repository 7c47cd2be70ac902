//! The routes by which a test in another process scripts the simulator and reads its record.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};
use serde::Serialize;

use crate::body::AnswerBody;
use crate::json::error_object;
use crate::record::{CallRecord, End};
use crate::routes::{JSON, State};

/// What every control route begins with.
pub(crate) const PREFIX: &str = "/_simulator/";

/// Answers one control request. It is not recorded as a call.
pub(crate) fn serve(
    state: &State,
    method: &Method,
    path: &str,
    body: &Bytes,
) -> Response<AnswerBody> {
    match (method, path.strip_prefix(PREFIX).unwrap_or_default()) {
        (&Method::GET, "calls") => calls(state),
        (&Method::POST, "script") => match state.script().extend(body) {
            Ok(()) => answer(StatusCode::OK, "{}".to_owned()),
            Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        (&Method::POST, "reset") => {
            *state.script() = state.initial.clone();
            state.calls.reset();
            answer(StatusCode::OK, "{}".to_owned())
        }
        (_, "calls" | "script" | "reset") => {
            refuse(StatusCode::METHOD_NOT_ALLOWED, "use GET for calls and POST for the others")
        }
        _ => refuse(StatusCode::NOT_FOUND, "there are calls, script and reset"),
    }
}

fn calls(state: &State) -> Response<AnswerBody> {
    let kept = state.calls.kept();
    let listing = Listing { count: state.calls.count(), calls: kept.iter().map(line).collect() };
    match serde_json::to_string(&listing) {
        Ok(text) => answer(StatusCode::OK, text),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn line(call: &CallRecord) -> Line<'_> {
    Line {
        index: call.index,
        method: &call.method,
        path: &call.path,
        headers: &call.headers,
        body: String::from_utf8_lossy(&call.body),
        status: call.status,
        tokens_sent: call.tokens_sent,
        end: call.end,
    }
}

#[derive(Serialize)]
struct Listing<'a> {
    count: u64,
    calls: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    index: u64,
    method: &'a str,
    path: &'a str,
    headers: &'a [(String, String)],
    body: std::borrow::Cow<'a, str>,
    status: u16,
    tokens_sent: u32,
    end: End,
}

fn answer(status: StatusCode, text: String) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::unrecorded(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

fn refuse(status: StatusCode, message: &str) -> Response<AnswerBody> {
    answer(status, error_object(message, "invalid_request_error", None))
}
