//! The client's request, read once within its limits.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use http_body_util::BodyExt as _;
use tollgate_config::Settings;
use tollgate_domain::{CallId, CustomerId, TagName, Ticks};
use tollgate_faults::{Reason, Refusal};
use tollgate_wire::conversation::Conversation;
use tollgate_wire::formats::openai_chat::RequestProblem;
use tollgate_wire::formats::seal::Sealer;
use tollgate_wire::translate::{ClientFormat, ClientRequest, PathSays};

use crate::credential::Brought;
use crate::gate::Gate;
use crate::keep::Turn;
use crate::memory::Memory;
use crate::rules::Alias;
use crate::timing::{Phase, Timing};

/// Longest silence while a client sends its body.
const BODY_SILENCE_MAX: Duration = Duration::from_secs(30);
/// How the user agents of coding agents begin (runtime-semantics of LiteLLM, parameter handling).
const AGENTS: [&str; 3] = ["claude-cli/", "codex_cli_rs/", "codex_exec/"];
/// Most of a body's declared length that is trusted for the first allocation, in bytes.
const FIRST_ALLOCATION_MAX: usize = 256 * 1024;
/// The header that gives a call tags, with commas between them.
const TAGS: &str = "x-litellm-tags";
/// Most tags of one call.
const TAGS_MAX: usize = 32;

/// A request whose body has not been read yet.
pub(crate) struct Ingress {
    pub(crate) id: CallId,
    parts: Parts,
    body: Body,
    route: Route,
    timing: Timing,
    clock: std::sync::Arc<dyn tollgate_domain::Clock>,
}

/// What a route speaks, and what its path says.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) format: ClientFormat,
    /// The model that the path names.
    pub(crate) model: Option<String>,
    /// Whether the path asks for a stream.
    pub(crate) stream: bool,
    /// Whether that stream is one JSON array.
    pub(crate) array: bool,
}

impl Route {
    /// A route whose path says nothing.
    pub(crate) const fn plain(format: ClientFormat) -> Self {
        Self { format, model: None, stream: false, array: false }
    }
}

/// One client request, read.
pub(crate) struct Call {
    /// The call's identity.
    pub(crate) id: CallId,
    /// The request in its own format.
    pub(crate) request: ClientRequest,
    /// The name that it asked for the model by, where that is the team's or the key's own.
    pub(crate) alias: Option<Alias>,
    /// The whole request, once a deployment needs it translated.
    conversation: OnceLock<Result<Conversation, RequestProblem>>,
    /// What it adds to a conversation that is kept, if it does.
    pub(crate) turn: Option<Turn>,
    /// What was thought in earlier turns, where a deployment wants it back.
    pub(crate) memory: Option<Memory>,
    /// The answer that it goes on from, where none is kept here by that name.
    pub(crate) kept_elsewhere: Option<Box<str>>,
    /// The client's headers, of which some go on to some providers.
    pub(crate) headers: HeaderMap,
    /// The credentials for providers that the client brought, once a deployment lets them through.
    pub(crate) brought: Vec<Brought>,
    /// The customer on whose behalf the client calls, if it named one.
    pub(crate) customer: Option<CustomerId>,
    /// The tags that the client gives it.
    pub(crate) tags: Vec<TagName>,
    /// The client's own wish for a time limit, which can only shorten the configured one.
    pub(crate) timeout: Option<Duration>,
    /// Whether it comes from an agent that sends what not every model takes and wants it left out.
    pub(crate) lenient: bool,
    /// Whether its output limit was lowered to what a budget affords.
    pub(crate) clamped: bool,
    /// When its phases ended.
    pub(crate) timing: Timing,
}

impl Call {
    /// A call of the gateway's own, which nobody waits for.
    pub(crate) fn own(gate: &Gate, request: ClientRequest) -> Self {
        Self {
            id: gate.random().call_id(gate.now()),
            request,
            alias: None,
            conversation: OnceLock::new(),
            turn: None,
            memory: None,
            kept_elsewhere: None,
            headers: HeaderMap::new(),
            brought: Vec::new(),
            customer: None,
            tags: Vec::new(),
            timeout: None,
            lenient: true,
            clamped: false,
            timing: Timing::start(gate.ticks()),
        }
    }
}

impl Ingress {
    pub(crate) fn new(gate: &Gate, request: http::Request<Body>, route: Route) -> Self {
        let arrived: Ticks = gate.ticks();
        let (parts, body) = request.into_parts();
        Self {
            id: gate.random().call_id(gate.now()),
            parts,
            body,
            route,
            timing: Timing::start(arrived),
            clock: std::sync::Arc::clone(gate.clock()),
        }
    }

    pub(crate) const fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// What tells who calls, and the path that is called.
    pub(crate) fn asks(&self) -> (&HeaderMap, &str) {
        (&self.parts.headers, self.parts.uri.path())
    }

    /// Reads the body and what it asks for.
    ///
    /// # Errors
    /// Refused when the body is too large, too slow, compressed, or not a request of this format.
    pub(crate) async fn read(&mut self, settings: &Settings) -> Result<Call, Refusal> {
        let body = self.body(settings).await?;
        let Route { stream, array, .. } = self.route;
        let path = PathSays { model: self.route.model.as_deref(), stream, array };
        let request = ClientRequest::read(self.route.format, &body, path).map_err(unreadable)?;
        let customer = self.customer(request.asked.user.as_deref())?;
        let tags = self.tags(&request.asked.tags)?;
        let timeout = self.timeout(request.asked.stream)?;
        self.timing.mark(Phase::Read, self.clock.ticks());
        Ok(Call {
            id: self.id,
            request,
            alias: None,
            conversation: OnceLock::new(),
            turn: None,
            memory: None,
            kept_elsewhere: None,
            brought: Vec::new(),
            customer,
            tags,
            timeout,
            lenient: self.is_agent(),
            clamped: false,
            timing: self.timing,
            headers: std::mem::take(&mut self.parts.headers),
        })
    }

    /// The body alone.
    ///
    /// # Errors
    /// Refused when it is too large, too slow or compressed.
    pub(crate) async fn body(&mut self, settings: &Settings) -> Result<Bytes, Refusal> {
        let encoding = self.headers().get(http::header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| encoding != "identity") {
            return Err(Refusal::new(Reason::BodyMalformed, "the body is compressed")
                .with_fix("send the body without a content-encoding"));
        }
        let declared = self.declared_length();
        bounded(&mut self.body, declared, settings.request_bytes_max).await
    }

    fn declared_length(&self) -> Option<u64> {
        self.headers().get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// The customer, from LiteLLM's headers first and the body's `user` last.
    fn customer(&self, user: Option<&str>) -> Result<Option<CustomerId>, Refusal> {
        let named = ["x-litellm-customer-id", "x-litellm-end-user-id"]
            .into_iter()
            .find_map(|name| Some((name, self.headers().get(name)?.to_str().ok()?)))
            .or_else(|| user.map(|user| ("user", user)));
        let Some((field, text)) = named.filter(|(_, text)| !text.is_empty()) else {
            return Ok(None);
        };
        CustomerId::new(text).map(Some).map_err(|problem| {
            Refusal::new(Reason::FieldWrongType, format!("`{field}` names no customer: {problem}"))
                .with_param(field)
        })
    }

    /// The tags of the header and of the body (management-api §5, tags), each once.
    fn tags(&self, listed: &[String]) -> Result<Vec<TagName>, Refusal> {
        let header = self.headers().get(TAGS).and_then(|value| value.to_str().ok());
        let header = header.into_iter().flat_map(|text| text.split(','));
        let texts = header.chain(listed.iter().map(String::as_str)).map(str::trim);
        let named = texts.filter(|text| !text.is_empty()).map(|text| {
            TagName::new(text).map_err(|problem| {
                Refusal::new(Reason::FieldWrongType, format!("`tags` holds no tag: {problem}"))
                    .with_param("tags")
            })
        });
        let mut tags: Vec<TagName> = named.collect::<Result<_, _>>()?;
        tags.sort_unstable();
        tags.dedup();
        if tags.len() > TAGS_MAX {
            let message = format!("a call carries at most {TAGS_MAX} tags");
            return Err(Refusal::new(Reason::FieldOutOfRange, message).with_param("tags"));
        }
        Ok(tags)
    }

    /// Whether a coding agent calls, for which LiteLLM drops parameters without being asked.
    fn is_agent(&self) -> bool {
        let agent = self.headers().get(http::header::USER_AGENT);
        let agent = agent.and_then(|value| value.to_str().ok()).unwrap_or_default();
        AGENTS.iter().any(|name| agent.starts_with(name))
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

impl Call {
    /// Lowers the output limit of each choice to this many tokens.
    ///
    /// # Errors
    /// [`RequestProblem`] when the request cannot be read again; it is as it was then.
    pub(crate) fn limit_output(&mut self, tokens: u64) -> Result<(), RequestProblem> {
        self.request = self.request.with_output_limit(tokens)?;
        self.conversation = OnceLock::new();
        self.clamped = true;
        Ok(())
    }

    /// The whole request, for a translation; read once, whatever the number of attempts.
    ///
    /// # Errors
    /// Refused where it cannot be read, with the place in the body.
    pub(crate) fn conversation(
        &self,
        sealer: Option<&Arc<Sealer>>,
    ) -> Result<&Conversation, Refusal> {
        let sealer = sealer.map(AsRef::as_ref);
        let read = self.conversation.get_or_init(|| self.request.conversation(sealer));
        read.as_ref().map_err(|problem| unreadable(problem.clone()))
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
        Vec::with_capacity(expected.clamp(first.len(), FIRST_ALLOCATION_MAX.max(first.len())));
    whole.extend_from_slice(&first);
    while let Some(piece) = next_piece(body).await? {
        if u64::try_from(whole.len() + piece.len()).unwrap_or(u64::MAX) > limit {
            return Err(too_large(limit));
        }
        make_room(&mut whole, piece.len(), expected);
        whole.extend_from_slice(&piece);
    }
    Ok(whole.into())
}

/// Doubles what is too little room, up to the expected length: a body lasts as long as its call.
fn make_room(whole: &mut Vec<u8>, more: usize, expected: usize) {
    if whole.capacity() - whole.len() < more && whole.len() + more <= expected {
        let room = (2 * whole.capacity()).clamp(whole.len() + more, expected);
        whole.reserve_exact(room - whole.len());
    }
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

pub(crate) fn unreadable(problem: RequestProblem) -> Refusal {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_in_pieces_gets_no_more_room_than_it_was_said_to_need() {
        let (piece, expected) = (vec![b'x'; 60_000], 1_000_000);
        let mut whole = Vec::with_capacity(FIRST_ALLOCATION_MAX);
        let mut rooms = Vec::new();
        for _ in 0..expected / piece.len() + 1 {
            let piece = &piece[..piece.len().min(expected - whole.len())];
            make_room(&mut whole, piece.len(), expected);
            whole.extend_from_slice(piece);
            rooms.push(whole.capacity());
        }
        assert_eq!((whole.len(), whole.capacity()), (expected, expected));
        rooms.dedup();
        assert_eq!(rooms, [FIRST_ALLOCATION_MAX, 2 * FIRST_ALLOCATION_MAX, expected]);
    }

    #[test]
    fn a_body_longer_than_it_was_said_to_be_still_finds_room() {
        let mut whole = vec![b'x'; 8];
        make_room(&mut whole, 8, 12);
        whole.extend_from_slice(&[b'x'; 8]);
        assert_eq!(whole.len(), 16);
    }
}
