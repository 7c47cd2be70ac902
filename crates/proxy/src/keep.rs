//! Keeping the answers of the Responses API, beside the calls that they belong to: nobody waits for
//! it but a call that goes on from an answer whose keeping is under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::task::TaskTracker;
use tollgate_domain::{CallId, Clock, ModelName, ResponseId};
use tollgate_store::{Owner, ResponseRow, Responses};
use tollgate_wire::formats::openai_responses::{
    Ended, ResponseFinder, ended_response, input_items, item_array,
};

/// Most answers whose keeping is under way at once; beyond it answers are not kept.
const KEPT_AT_ONCE_MAX: usize = 64;
/// Longest wait for an answer whose keeping is under way.
const SETTLED_WAIT_MAX: Duration = Duration::from_secs(5);

/// What a call adds to a conversation that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) call: CallId,
    pub(crate) owner: Owner,
    /// The answer that the call goes on from.
    pub(crate) previous: Option<ResponseId>,
    /// The body as the client sent it.
    pub(crate) body: Bytes,
    /// For how long the answer is kept.
    pub(crate) retention: Duration,
}

/// Keeps answers, in tasks of its own.
pub(crate) struct Keeper {
    responses: Responses,
    clock: Arc<dyn Clock>,
    tasks: TaskTracker,
    places: Arc<Semaphore>,
    under_way: Arc<UnderWay>,
}

/// The answers whose keeping is under way; each sender goes once its answer is kept.
#[derive(Default)]
struct UnderWay(Mutex<HashMap<ResponseId, watch::Receiver<()>>>);

/// The place of one answer in [`UnderWay`], left by being dropped.
struct Place {
    id: ResponseId,
    under_way: Arc<UnderWay>,
    _kept: watch::Sender<()>,
    _permit: OwnedSemaphorePermit,
}

/// The answer to a call whose turn is kept, as it goes by to the client.
pub(crate) struct Keeping {
    keeper: Arc<Keeper>,
    turn: Turn,
    model: ModelName,
    finder: ResponseFinder,
}

impl Keeper {
    pub(crate) fn new(responses: Responses, clock: Arc<dyn Clock>) -> Self {
        Self {
            responses,
            clock,
            tasks: TaskTracker::new(),
            places: Arc::new(Semaphore::new(KEPT_AT_ONCE_MAX)),
            under_way: Arc::default(),
        }
    }

    pub(crate) const fn responses(&self) -> &Responses {
        &self.responses
    }

    /// Waits until this answer is kept, if its keeping is under way.
    pub(crate) async fn settled(&self, id: &ResponseId) {
        let Some(mut kept) = self.under_way.find(id) else { return };
        // Its end is that the sender goes. A store that takes longer is asked all the same.
        let _ = tokio::time::timeout(SETTLED_WAIT_MAX, kept.changed()).await;
    }

    /// Waits until all that is under way is kept. Nothing may be kept afterwards.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn keep(&self, turn: Turn, model: ModelName, ended: Ended) {
        let call = turn.call;
        let Ok(id) = ResponseId::new(&ended.id) else {
            tracing::warn!(%call, "an answer was not kept: its id is none that can be kept");
            return;
        };
        let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::warn!(%call, "an answer was not kept: too many are being kept at once");
            return;
        };
        let place = self.under_way.enter(id.clone(), permit);
        let (responses, now) = (self.responses.clone(), self.clock.now());
        self.tasks.spawn(async move {
            let created = (now, now.plus(turn.retention));
            match row((id, model), turn, created, &ended.response) {
                Ok(row) => {
                    if let Err(problem) = responses.save(&row).await {
                        tracing::warn!(%call, %problem, "an answer was not kept");
                    }
                }
                Err(problem) => tracing::warn!(%call, problem, "an answer was not kept"),
            }
            drop(place);
        });
    }
}

/// What is kept of a turn and its answer.
fn row(
    (id, model): (ResponseId, ModelName),
    turn: Turn,
    (created_at, expires_at): (tollgate_domain::Timestamp, tollgate_domain::Timestamp),
    response: &Bytes,
) -> Result<ResponseRow, String> {
    let Turn { call, owner, previous, body, .. } = turn;
    let items = input_items(&body, &call.to_string()).map_err(|problem| problem.to_string())?;
    let response = std::str::from_utf8(response).map_err(|problem| problem.to_string())?;
    let (input_items, response) = (item_array(&items), response.to_owned());
    Ok(ResponseRow { id, owner, previous, created_at, expires_at, model, input_items, response })
}

impl UnderWay {
    fn find(&self, id: &ResponseId) -> Option<watch::Receiver<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn enter(self: &Arc<Self>, id: ResponseId, permit: OwnedSemaphorePermit) -> Place {
        let (sender, receiver) = watch::channel(());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), receiver);
        Place { id, under_way: Arc::clone(self), _kept: sender, _permit: permit }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Keeping {
    pub(crate) fn new(keeper: &Arc<Keeper>, turn: Turn, model: ModelName) -> Self {
        let bytes_max = usize::try_from(keeper.responses.response_bytes_max());
        let finder = ResponseFinder::new(bytes_max.unwrap_or(usize::MAX));
        Self { keeper: Arc::clone(keeper), turn, model, finder }
    }

    /// Keeps a whole answer, which is being handed on.
    pub(crate) fn whole(self, body: &Bytes) {
        if let Some(ended) = ended_response(body) {
            self.keeper.keep(self.turn, self.model, ended);
        }
    }

    /// Takes a piece of a stream, which is being handed on, and keeps the answer that it ends.
    pub(crate) fn piece(&mut self, bytes: &[u8]) {
        if let Some(ended) = self.finder.take(bytes) {
            self.keeper.keep(self.turn.clone(), self.model.clone(), ended);
        }
    }
}
