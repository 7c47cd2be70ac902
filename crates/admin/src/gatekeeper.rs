//! Who calls the management API, as the data path tells it.

use std::pin::Pin;
use std::sync::Arc;

use http::HeaderMap;
use tollgate_faults::Refusal;
use tollgate_store::KeyRecord;

/// Who calls.
#[derive(Debug, Clone)]
pub enum Actor {
    /// Whoever holds the master key.
    Master,
    /// The holder of a virtual key.
    Key(Arc<KeyRecord>),
}

/// The answer of a [`Gatekeeper`], when it comes.
pub type Identifying<'a> = Pin<Box<dyn Future<Output = Result<Actor, Refusal>> + Send + 'a>>;

/// Tells who calls.
pub trait Gatekeeper: Send + Sync + 'static {
    /// The address under which refusals are explained.
    fn docs_base(&self) -> String;
    /// Finds out who sent a request with these headers.
    ///
    /// # Errors
    /// The refusal that the data path would give.
    fn identify<'a>(&'a self, headers: &'a HeaderMap) -> Identifying<'a>;
}
