//! The running gateway, as the data path tells it.

use std::pin::Pin;

use bytes::Bytes;
use tollgate_faults::Refusal;

use crate::configuration::Later;

/// How the gateway is doing at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doing {
    /// What keeps calls from being served; empty when they can be.
    pub reasons: Vec<String>,
    /// What the operator should know although calls are served.
    pub notes: Vec<String>,
    /// Calls under way at deployments.
    pub in_flight: u64,
    /// Calls that wait for a deployment.
    pub waiting: u64,
}

/// What the management API asks of the data path.
pub trait Running: Send + Sync + 'static {
    /// How the gateway is doing.
    fn doing(&self) -> Pin<Box<dyn Future<Output = Doing> + Send + '_>>;
    /// The routes of the data path: method and path.
    fn routes(&self) -> Vec<(&'static str, &'static str)>;
    /// The tokens of the prompt in the body of a chat, counted as closely as its model allows.
    ///
    /// # Errors
    /// What a client would be told whose prompt cannot be read.
    fn prompt_tokens(&self, body: Bytes) -> Later<'_, u64>;
    /// The parameters of OpenAI's chats that a model takes; `None` where nothing serves the model.
    ///
    /// # Errors
    /// What a client would be told of a chat without any of them.
    fn parameters(&self, model: &str) -> Option<Result<Vec<&'static str>, Refusal>>;
    /// The names of all providers that the gateway knows, sorted.
    fn providers(&self) -> Vec<String>;
}
