//! The provider's routes: chat completions and the list of models.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::answer::{Answer, CREATED};
use crate::behaviour::{Behaviour, Fault};
use crate::body::AnswerBody;
use crate::control;
use crate::events::{Events, SERVER_ERROR};
use crate::json::{error_object, push, push_string};
use crate::record::{CallGuard, Calls};
use crate::request::ChatRequest;
use crate::script::Script;

/// The largest body that is read, in bytes: 64 MiB.
pub const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What all connections of a simulator share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) calls: Calls,
    pub(crate) initial: Script,
    pub(crate) control_routes: bool,
    script: Mutex<Script>,
}

impl State {
    pub(crate) fn new(script: Script, calls: Calls, control_routes: bool) -> Self {
        Self { calls, initial: script.clone(), control_routes, script: Mutex::new(script) }
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        // Every change of a script is made at once or not at all, so a panic leaves it valid.
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers one request. An error closes the connection without an answer.
pub(crate) async fn serve(
    state: Arc<State>,
    request: Request<Incoming>,
) -> io::Result<Response<AnswerBody>> {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let Some(body) = read(body).await? else { return Ok(too_large()) };
    let path = parts.uri.path();
    if state.control_routes && path.starts_with(control::PREFIX) {
        return Ok(control::serve(&state, &parts.method, path, &body));
    }
    let guard = state.calls.arrived(&parts, &body);
    let whole_path = parts.uri.path_and_query().map_or(path, |whole| whole.as_str());
    let replay = state.script().next_replay(whole_path, &body);
    if let Some(replay) = replay {
        return Ok(replay.answer(guard));
    }
    let known = if path.ends_with("/chat/completions") {
        Some(Method::POST)
    } else if path.ends_with("/models") {
        Some(Method::GET)
    } else {
        None
    };
    match known {
        Some(method) if method != parts.method => {
            Ok(refuse(guard, StatusCode::METHOD_NOT_ALLOWED, &format!("use {method} here")))
        }
        Some(Method::GET) => Ok(buffered(guard, StatusCode::OK, models(&state), 0)),
        Some(_) => chat(&state, &body, began, guard).await,
        None => {
            let message = format!("the simulator has no route `{path}`");
            Ok(refuse(guard, StatusCode::NOT_FOUND, &message))
        }
    }
}

/// The body; `None` when it is larger than [`BODY_BYTES_MAX`].
async fn read(body: Incoming) -> io::Result<Option<Bytes>> {
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok(Some(collected.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

async fn chat(
    state: &State,
    body: &[u8],
    began: Instant,
    guard: CallGuard,
) -> io::Result<Response<AnswerBody>> {
    let request = match ChatRequest::read(body) {
        Ok(request) => request,
        Err(error) => return Ok(refuse(guard, StatusCode::BAD_REQUEST, &error.to_string())),
    };
    let (name, behaviour) = match state.script().choose(&request.model) {
        Ok(chosen) => chosen,
        Err(error) => return Ok(refuse(guard, StatusCode::BAD_REQUEST, &error.to_string())),
    };
    if let Fault::SlowHeaders(delay) = behaviour.fault {
        tokio::time::sleep_until(began + delay).await;
    }
    let answer = Answer::new(guard.number(), &request, Arc::clone(&behaviour), name);
    let mut response = match &behaviour.fault {
        Fault::HangUp => {
            guard.finish();
            return Err(io::Error::other("hung up as scripted"));
        }
        Fault::Status { status, body, .. } => refusal(guard, *status, body.as_deref()),
        Fault::Html => typed(guard, StatusCode::OK, HTML, WEB_PAGE.to_owned()),
        _ if request.stream => stream(answer, began, guard),
        _ => whole(answer, began, guard).await,
    };
    decorate(&mut response, &behaviour);
    Ok(response)
}

fn stream(answer: Answer, began: Instant, guard: CallGuard) -> Response<AnswerBody> {
    let cut = cut_of(&answer.behaviour);
    guard.answered(200);
    let body = AnswerBody::stream(Events::new(answer), began, guard);
    let mut response = Response::new(cut_body(body, cut));
    response.headers_mut().insert(CONTENT_TYPE, EVENT_STREAM);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A buffered answer, after the time that generating it takes.
async fn whole(answer: Answer, began: Instant, guard: CallGuard) -> Response<AnswerBody> {
    let wait = answer.behaviour.due(answer.plan.count().saturating_sub(1));
    if !wait.is_zero() {
        tokio::time::sleep_until(began + wait).await;
    }
    let mut text = match answer.behaviour.fault {
        Fault::ErrorInside200 | Fault::ErrorEvent { .. } => {
            let error = error_object(SERVER_ERROR, "server_error", Some("server_error"));
            return buffered(guard, StatusCode::OK, error, 0);
        }
        Fault::EndEarly { .. } => String::new(),
        _ => answer.buffered(),
    };
    if matches!(answer.behaviour.fault, Fault::MalformedFrame { .. }) {
        text.truncate(BROKEN_BYTES);
    }
    let length = HeaderValue::from(text.len());
    let tokens = answer.completion_tokens();
    if matches!(answer.behaviour.fault, Fault::Stall { .. }) {
        guard.answered(200);
        let mut response = Response::new(AnswerBody::silent(guard));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        response.headers_mut().insert(CONTENT_LENGTH, length);
        return response;
    }
    let mut response = buffered(guard, StatusCode::OK, text, tokens);
    if let Some(bytes) = cut_of(&answer.behaviour) {
        response.headers_mut().insert(CONTENT_LENGTH, length);
        response = response.map(|body| body.cut_after(bytes));
    }
    response
}

fn cut_of(behaviour: &Behaviour) -> Option<u64> {
    match behaviour.fault {
        Fault::CutAfterBytes(bytes) => Some(bytes),
        _ => None,
    }
}

fn cut_body(body: AnswerBody, cut: Option<u64>) -> AnswerBody {
    match cut {
        Some(bytes) => body.cut_after(bytes),
        None => body,
    }
}

/// The scripted status with its body, or with the error object that a provider sends with it
/// (openai.md §1.5).
fn refusal(guard: CallGuard, status: u16, body: Option<&str>) -> Response<AnswerBody> {
    let (kind, code) = match status {
        401 => ("invalid_request_error", "invalid_api_key"),
        404 => ("invalid_request_error", "model_not_found"),
        429 => ("rate_limit_error", "rate_limit_exceeded"),
        529 => ("overloaded_error", "overloaded"),
        500.. => ("server_error", "server_error"),
        _ => ("invalid_request_error", "invalid_value"),
    };
    let message = format!("the simulated model refused with {status} as it was told to");
    let text = body.map_or_else(|| error_object(&message, kind, Some(code)), str::to_owned);
    let content_type = match text.trim_start().as_bytes().first() {
        Some(b'{' | b'[') => JSON,
        Some(b'<') => HTML,
        _ => HeaderValue::from_static("text/plain"),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    typed(guard, status, content_type, text)
}

/// Adds what every answer of a behaviour carries.
fn decorate(response: &mut Response<AnswerBody>, behaviour: &Behaviour) {
    let headers = response.headers_mut();
    if let Fault::Status { retry_after: Some(wait), .. } = behaviour.fault {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    for (name, value) in &behaviour.headers {
        headers.insert(name, value.clone());
    }
}

fn models(state: &State) -> String {
    let mut out = String::from(r#"{"object":"list","data":["#);
    for (at, name) in state.script().models().enumerate() {
        out.push_str(if at > 0 { r#",{"id":"# } else { r#"{"id":"# });
        push_string(&mut out, name);
        push(&mut out, format_args!(r#","object":"model","created":{CREATED},"#));
        out.push_str(r#""owned_by":"simulator"}"#);
    }
    out.push_str("]}");
    out
}

/// A refusal of the simulator itself: the request is wrong.
fn refuse(guard: CallGuard, status: StatusCode, message: &str) -> Response<AnswerBody> {
    buffered(guard, status, error_object(message, "invalid_request_error", None), 0)
}

fn too_large() -> Response<AnswerBody> {
    let message = format!("the body is larger than {BODY_BYTES_MAX} bytes");
    let text = error_object(&message, "invalid_request_error", None);
    let mut response = Response::new(AnswerBody::unrecorded(text));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

fn buffered(
    guard: CallGuard,
    status: StatusCode,
    text: String,
    tokens: u32,
) -> Response<AnswerBody> {
    guard.answered(status.as_u16());
    let number = guard.number();
    let mut response = Response::new(AnswerBody::buffered(text, tokens, guard));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response.headers_mut().insert(REQUEST_ID, HeaderValue::from(number));
    response
}

fn typed(
    guard: CallGuard,
    status: StatusCode,
    content_type: HeaderValue,
    text: String,
) -> Response<AnswerBody> {
    let mut response = buffered(guard, status, text, 0);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// Broken JSON is this much of a whole answer, in bytes.
const BROKEN_BYTES: usize = 40;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const WEB_PAGE: &str = "<!DOCTYPE html>\n<title>Welcome</title>\n<h1>This is not an API</h1>\n";
