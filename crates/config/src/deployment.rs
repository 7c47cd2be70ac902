//! A deployment: one model at one provider with one credential, its price, limits and defaults.

use std::sync::Arc;

use tollgate_domain::{DeploymentId, Identity, ModelName, Secret};
use tollgate_policy::{Candidate, ModelLimits, PriceSheet};
use tollgate_wire::Provider;

use crate::price::list::PricedModel;
use crate::timeouts::Timeouts;

/// Names with raw JSON values.
pub type JsonFields = Arc<[(Box<str>, Box<str>)]>;

/// One model at one provider with one credential. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// `model_info.id`, else an id made of the entry without its credentials.
    pub id: DeploymentId,
    /// The model group it belongs to, as configured; a pattern for a wildcard.
    pub group: ModelName,
    /// Its provider.
    pub provider: Arc<Provider>,
    /// The provider's own name of the model. Within [`crate::PatternGroup`] it may hold `*`; what
    /// [`crate::Snapshot::resolve`] gives never does.
    pub upstream_model: Arc<str>,
    /// The base URL without a slash at its end.
    pub base_url: Arc<str>,
    /// The credential, or `None` where the provider needs none.
    pub key: Option<Secret>,
    /// Who the call is made as, where the credential is fetched; there is no `key` then.
    pub identity: Option<Arc<Identity>>,
    /// The API version, for providers that have one.
    pub api_version: Option<Arc<str>>,
    /// Headers to send: the provider's, `OpenAI-Organization` and `extra_headers`, each name once.
    pub headers: Arc<[(String, Secret)]>,
    /// Its part in routing.
    pub candidate: Candidate,
    /// Its prices: those of the entry, else of the price list, else the assumed one.
    pub prices: Option<Arc<PriceSheet>>,
    /// What is known about its answers.
    pub limits: ModelLimits,
    /// The limits of each phase.
    pub timeouts: Timeouts,
    /// Attempts after the first at this deployment, where the entry says so.
    pub num_retries: Option<u32>,
    /// Body fields to set where the client's body has none.
    pub defaults: JsonFields,
    /// Body fields to set in any case.
    pub extra_body: JsonFields,
    /// Body fields to remove: those the provider refuses, and `additional_drop_params`.
    pub drop_fields: Arc<[Box<str>]>,
    /// The task, such as `chat`, from the entry or the price list.
    pub mode: Option<Arc<str>>,
}

impl Deployment {
    /// The same deployment for one upstream model: where it has no price, limit or mode of its own,
    /// the price list's.
    pub(crate) fn of_model(
        &self,
        upstream_model: Arc<str>,
        listed: Option<PricedModel>,
        assumed: Option<&Arc<PriceSheet>>,
    ) -> Self {
        let mut own = self.clone();
        own.upstream_model = upstream_model;
        if let Some(listed) = listed {
            own.prices = own.prices.or(Some(listed.sheet));
            own.limits.max_output = own.limits.max_output.or(listed.limits.max_output);
            own.mode = own.mode.or(listed.mode.map(Arc::from));
        }
        own.prices = own.prices.or_else(|| assumed.map(Arc::clone));
        own
    }
}
