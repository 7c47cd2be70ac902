//! LiteLLM's `POST /utils/token_counter` (management-api §8): the tokens of a text or of a whole
//! prompt, in any of three formats, for any model.
//!
//! As in LiteLLM the model need not be configured. Nothing is asked of a provider, whatever
//! `call_endpoint` says: a count that cost a call would come from nobody's budget.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde::Serialize;
use tollgate_config::Snapshot;
use tollgate_faults::{Dialect, Reason, Refusal};
use tollgate_tokens::{Encoding, Table, Tally};
use tollgate_wire::json::{Object, Raw};
use tollgate_wire::translate::{ClientFormat, ClientRequest, PathSays};

use crate::authenticate::authenticate;
use crate::gate::Gate;
use crate::grants;
use crate::ingress::{Ingress, Route, unreadable};
use crate::prompt_tokens;
use crate::refusal::refuse;
use crate::surface::count::{self, estimated, table};

/// How a count by a public tokenizer is called: LiteLLM's word.
const EXACT: &str = "openai_tokenizer";
/// How a count by length is called.
const ESTIMATE: &str = "estimate";

/// The answer, in LiteLLM's words.
#[derive(Debug, Serialize)]
struct Counted {
    total_tokens: u64,
    request_model: String,
    /// The provider's own name of the model.
    model_used: String,
    tokenizer_type: &'static str,
    /// What went wrong at a provider that was asked; none is.
    error: bool,
}

/// What is to be counted.
enum Counting {
    /// A text by itself.
    Text(String),
    /// A prompt, in the form of a request.
    Request(Box<ClientRequest>),
}

/// `POST /utils/token_counter`.
pub(super) async fn answer(
    State(gate): State<Arc<Gate>>,
    request: http::Request<Body>,
) -> Response {
    match counted(&gate, request).await {
        Ok(counted) => Json(counted).into_response(),
        Err(refusal) => {
            let call = gate.random().call_id(gate.now()).to_string();
            refuse(&gate, &refusal, Dialect::OpenAi, &call)
        }
    }
}

async fn counted(gate: &Gate, request: http::Request<Body>) -> Result<Counted, Refusal> {
    let mut ingress = Ingress::new(gate, request, Route::plain(ClientFormat::OpenAiChat));
    let snapshot = gate.snapshot();
    let caller = authenticate(gate, ingress.asks(), &snapshot.settings).await?;
    let body = ingress.body(&snapshot.settings).await?;
    let (model, counting) = read(&body)?;
    let is_theirs = grants::may_use(&snapshot, &caller, model.as_str());
    let (model_used, encoding) = used(&snapshot, &model, is_theirs);
    let (total_tokens, is_exact) = tokens(gate, &counting, encoding).await;
    let tokenizer_type = if is_exact { EXACT } else { ESTIMATE };
    Ok(Counted { total_tokens, request_model: model, model_used, tokenizer_type, error: false })
}

/// The tokens, and whether they are exact.
async fn tokens(gate: &Gate, counting: &Counting, encoding: Option<Encoding>) -> (u64, bool) {
    let table = table(gate, encoding).await;
    let exact = table.and_then(|table| exact(counting, table));
    let tokens = exact.unwrap_or_else(|| match counting {
        Counting::Text(text) => estimated(text.len() as u64),
        Counting::Request(request) => estimated(request.asked.prompt_bytes),
    });
    (tokens, exact.is_some())
}

impl Gate {
    /// The tokens of the prompt in a body such as `/utils/token_counter` takes: exact where the
    /// tokenizer of its model is public, else an estimate that leans to the high side.
    ///
    /// # Errors
    /// What a client would be told whose prompt cannot be read.
    pub async fn prompt_tokens(&self, body: &Bytes) -> Result<u64, Refusal> {
        let (model, counting) = read(body)?;
        if let Counting::Request(request) = &counting {
            request.conversation(None).map_err(unreadable)?;
        }
        let (_, encoding) = used(&self.snapshot(), &model, true);
        Ok(tokens(self, &counting, encoding).await.0)
    }
}

/// The model and what is to be counted: a text has no template around it.
fn read(body: &Bytes) -> Result<(String, Counting), Refusal> {
    let malformed = |problem| {
        let message = format!("the request body is not valid JSON: {problem}");
        Refusal::new(Reason::BodyMalformed, message)
    };
    let object = Object::scan(body).map_err(malformed)?;
    let Some(model) = object.value("model").and_then(Raw::text) else {
        return Err(missing("model", "`model` is missing"));
    };
    let model = model.into_owned();
    let has = |name: &str| object.value(name).is_some();
    let format = if has("contents") {
        ClientFormat::Gemini
    } else if has("messages") && has("system") {
        ClientFormat::AnthropicMessages
    } else if has("messages") {
        ClientFormat::OpenAiChat
    } else {
        let text = object.value("prompt").and_then(Raw::text);
        let text = text.ok_or_else(|| {
            missing("messages", "one of `prompt`, `messages` and `contents` is needed")
        })?;
        return Ok((model, Counting::Text(text.into_owned())));
    };
    let path = PathSays { model: Some(&model), ..PathSays::default() };
    let request = ClientRequest::read(format, body, path).map_err(unreadable)?;
    Ok((model, Counting::Request(Box::new(request))))
}

fn missing(field: &'static str, message: &str) -> Refusal {
    Refusal::new(Reason::FieldMissing, message).with_param(field)
}

/// The provider's name of the model and its tokenizer; of a model that the caller does not see, its
/// own name.
fn used(snapshot: &Snapshot, model: &str, is_theirs: bool) -> (String, Option<Encoding>) {
    let resolved = snapshot.resolve(model).filter(|_| is_theirs);
    let first = resolved.as_ref().and_then(|resolved| resolved.deployments.first());
    match (&resolved, first) {
        (Some(resolved), Some(first)) => {
            let deployments = resolved.deployments.iter().map(AsRef::as_ref);
            (first.upstream_model.to_string(), prompt_tokens::encoding(deployments))
        }
        _ => (model.to_owned(), Encoding::of_model(model)),
    }
}

/// The exact count; `None` of a prompt that cannot be read.
fn exact(counting: &Counting, table: &Table) -> Option<u64> {
    match counting {
        Counting::Text(text) => {
            let mut tally = Tally::new(table);
            tally.text(text);
            Some(tally.total())
        }
        Counting::Request(request) => count::exact(request, table),
    }
}
