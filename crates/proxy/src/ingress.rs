//! The client's request, read once within its limits.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::request::Parts;
use http_body_util::BodyExt as _;
use tollgate_config::Settings;
use tollgate_domain::{CallId, CustomerId, Ticks};
use tollgate_faults::{Reason, Refusal};
use tollgate_wire::formats::openai_chat::{ChatRequest, RequestProblem};

use crate::gate::Gate;
use crate::timing::{Phase, Timing};

/// Longest silence while a client sends its body.
const BODY_SILENCE_MAX: Duration = Duration::from_secs(30);
/// Most of a body's declared length that is trusted for the first allocation, in bytes.
const FIRST_ALLOCATION_MAX: usize = 256 * 1024;

/// A request whose body has not been read yet.
pub(crate) struct Ingress {
    pub(crate) id: CallId,
    parts: Parts,
    body: Body,
    path_model: Option<String>,
    timing: Timing,
    clock: std::sync::Arc<dyn tollgate_domain::Clock>,
}

/// One client request, read.
pub(crate) struct Call {
    /// The call's identity.
    pub(crate) id: CallId,
    /// What the request asks for.
    pub(crate) request: ChatRequest,
    /// The body as the client sent it.
    pub(crate) body: Bytes,
    /// The customer on whose behalf the client calls, if it named one.
    pub(crate) customer: Option<CustomerId>,
    /// The client's own wish for a time limit; it can shorten the configured one, never lengthen
    /// it.
    pub(crate) timeout: Option<Duration>,
    /// When its phases ended.
    pub(crate) timing: Timing,
}

impl Ingress {
    pub(crate) fn new(
        gate: &Gate,
        request: http::Request<Body>,
        path_model: Option<String>,
    ) -> Self {
        let arrived: Ticks = gate.ticks();
        let (parts, body) = request.into_parts();
        Self {
            id: gate.random().call_id(gate.now()),
            parts,
            body,
            path_model,
            timing: Timing::start(arrived),
            clock: std::sync::Arc::clone(gate.clock()),
        }
    }

    pub(crate) const fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// Reads the body and what it asks for.
    ///
    /// # Errors
    /// Refused when the body is too large, too slow, compressed, or not a request of this format.
    pub(crate) async fn read(&mut self, settings: &Settings) -> Result<Call, Refusal> {
        let encoding = self.headers().get(http::header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| encoding != "identity") {
            return Err(Refusal::new(Reason::BodyMalformed, "the body is compressed")
                .with_fix("send the body without a content-encoding"));
        }
        let declared = self.declared_length();
        let body = bounded(&mut self.body, declared, settings.request_bytes_max).await?;
        let request = ChatRequest::read(&body, self.path_model.as_deref()).map_err(unreadable)?;
        let customer = self.customer(&request)?;
        let timeout = self.timeout(request.stream)?;
        self.timing.mark(Phase::Read, self.clock.ticks());
        Ok(Call { id: self.id, request, body, customer, timeout, timing: self.timing })
    }

    fn declared_length(&self) -> Option<u64> {
        self.headers().get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// The customer, from LiteLLM's headers first and the body's `user` last.
    fn customer(&self, request: &ChatRequest) -> Result<Option<CustomerId>, Refusal> {
        let named = ["x-litellm-customer-id", "x-litellm-end-user-id"]
            .into_iter()
            .find_map(|name| Some((name, self.headers().get(name)?.to_str().ok()?)))
            .or_else(|| request.user.as_deref().map(|user| ("user", user)));
        let Some((field, text)) = named.filter(|(_, text)| !text.is_empty()) else {
            return Ok(None);
        };
        CustomerId::new(text).map(Some).map_err(|problem| {
            Refusal::new(Reason::FieldWrongType, format!("`{field}` names no customer: {problem}"))
                .with_param(field)
        })
    }

    fn timeout(&self, stream: bool) -> Result<Option<Duration>, Refusal> {
        let names: &[&str] = if stream {
            &["x-litellm-stream-timeout", "x-litellm-timeout"]
        } else {
            &["x-litellm-timeout"]
        };
        let Some((name, value)) =
            names.iter().find_map(|name| Some((*name, self.headers().get(*name)?)))
        else {
            return Ok(None);
        };
        value
            .to_str()
            .ok()
            .and_then(|text| text.trim().parse::<f64>().ok())
            .filter(|seconds| seconds.is_finite() && *seconds > 0.0)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map(Some)
            .ok_or_else(|| {
                Refusal::new(
                    Reason::FieldWrongType,
                    format!("`{name}` is not a number of seconds above zero"),
                )
                .with_param(name)
            })
    }
}

/// The whole body, or a refusal at its limit. A body that arrives in one piece is not copied.
async fn bounded(body: &mut Body, declared: Option<u64>, limit: u64) -> Result<Bytes, Refusal> {
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let first = next_piece(body).await?.unwrap_or_default();
    if u64::try_from(first.len()).unwrap_or(u64::MAX) > limit {
        return Err(too_large(limit));
    }
    if declared == u64::try_from(first.len()).ok() {
        return Ok(first);
    }
    let expected = declared.and_then(|length| usize::try_from(length).ok()).unwrap_or(first.len());
    let mut whole =
        BytesMut::with_capacity(expected.clamp(first.len(), FIRST_ALLOCATION_MAX.max(first.len())));
    whole.extend_from_slice(&first);
    while let Some(piece) = next_piece(body).await? {
        if u64::try_from(whole.len() + piece.len()).unwrap_or(u64::MAX) > limit {
            return Err(too_large(limit));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

async fn next_piece(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = tokio::time::timeout(BODY_SILENCE_MAX, body.frame()).await.map_err(|_| {
            Refusal::new(Reason::ClientTooSlow, "the body stopped arriving for 30 seconds")
        })?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => {
                return Err(Refusal::new(
                    Reason::BodyMalformed,
                    "the body broke off before its end",
                ));
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                // An empty piece or trailers say nothing about the body.
                Ok(_) | Err(_) => {}
            },
        }
    }
}

fn too_large(limit: u64) -> Refusal {
    let message = format!("the body is larger than {limit} bytes");
    Refusal::new(Reason::BodyTooLarge, message)
}

fn unreadable(problem: RequestProblem) -> Refusal {
    let message = problem.to_string();
    match problem {
        RequestProblem::Malformed(_) => Refusal::new(Reason::BodyMalformed, message),
        RequestProblem::Missing { field } => {
            Refusal::new(Reason::FieldMissing, message).with_param(field)
        }
        RequestProblem::WrongType { field, .. } => {
            Refusal::new(Reason::FieldWrongType, message).with_param(field)
        }
        RequestProblem::OutOfRange { field, .. } => {
            Refusal::new(Reason::FieldOutOfRange, message).with_param(field)
        }
        RequestProblem::NotAllowed { field } => {
            Refusal::new(Reason::ForbiddenField, message).with_param(field)
        }
    }
}
