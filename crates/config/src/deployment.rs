//! A deployment: one model at one provider with one credential, its price, limits and defaults.

use std::num::NonZeroU32;
use std::sync::Arc;

use tollgate_domain::{DeploymentId, Identity, ModelName, Secret};
use tollgate_policy::{Bounds, Candidate, HealthRules, ModelLimits, PriceSheet};
use tollgate_wire::capability::Capability;
use tollgate_wire::json::JsonPath;
use tollgate_wire::{Address, Calling, Endpoint, Provider, WireFormat};

use crate::price::list::PricedModel;
use crate::timeouts::Timeouts;

/// Names with raw JSON values.
pub type JsonFields = Arc<[(Box<str>, Box<str>)]>;

/// What of a client's own headers goes on to a deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forwards {
    /// Headers that begin with `x-`, and the client's beta features:
    /// `forward_client_headers_to_llm_api`.
    pub headers: bool,
    /// The account at the provider that the client names: `forward_openai_org_id`.
    pub account: bool,
    /// The client's own key, in place of the deployment's: `forward_llm_provider_auth_headers`.
    pub keys: bool,
    /// The client's own token of the provider, as subscriptions have it, in place of the
    /// deployment's key: with either of the two above that forward headers or keys.
    pub tokens: bool,
}

/// One model at one provider with one credential. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// `model_info.id`, else an id made of the entry without its credentials.
    pub id: DeploymentId,
    /// The model group it belongs to, as configured; a pattern for a wildcard.
    pub group: ModelName,
    /// The access groups it is in: `model_info.access_groups`.
    pub access_groups: Arc<[Box<str>]>,
    /// Whether it gets no calls for now: `model_info.blocked`.
    pub blocked: bool,
    /// Its provider.
    pub provider: Arc<Provider>,
    /// The provider's own name of the model. Within [`crate::PatternGroup`] it may hold `*`; what
    /// [`crate::Snapshot::resolve`] gives never does.
    pub upstream_model: Arc<str>,
    /// The base URL without a slash at its end.
    pub base_url: Arc<str>,
    /// How it is called, as far as the configuration decides about that.
    pub calling: Calling,
    /// The model that it really is, where its name does not tell: `model_info.base_model`.
    pub base_model: Option<Arc<str>>,
    /// What its model can do.
    pub capability: &'static Capability,
    /// The values of its provider's variables.
    pub variables: JsonFields,
    /// Whether parameters that the model does not take are left out, where the configuration says:
    /// `drop_params`.
    pub drop_params: Option<bool>,
    /// Whether messages that the model would refuse are repaired: `modify_params`.
    pub modify_params: bool,
    /// Parameters that are sent whatever is known of the model: `allowed_openai_params`.
    pub allowed_params: Arc<[Box<str>]>,
    /// The credential, or `None` where the provider needs none.
    pub key: Option<Secret>,
    /// Who the call is made as, where the credential is fetched; there is no `key` then.
    pub identity: Option<Arc<Identity>>,
    /// The API version, for providers that have one.
    pub api_version: Option<Arc<str>>,
    /// Headers to send: the provider's, `OpenAI-Organization` and `extra_headers`, each name once.
    pub headers: Arc<[(String, Secret)]>,
    /// What of a client's own headers goes on to it.
    pub forwards: Forwards,
    /// Its part in routing.
    pub candidate: Candidate,
    /// Its tags, where tags take part in routing.
    pub tags: Arc<[Box<str>]>,
    /// When it rests.
    pub health: HealthRules,
    /// The most calls it takes at once: `max_parallel_requests`, else as many as its `rpm` or `tpm`
    /// stands for, else `router_settings.default_max_parallel_requests`.
    pub calls_at_once_max: Option<NonZeroU32>,
    /// Its prices: those of the entry, else of the price list, else the assumed one.
    pub prices: Option<Arc<PriceSheet>>,
    /// What is known about its answers.
    pub limits: ModelLimits,
    /// What may be spent and asked for at it.
    pub bounds: Arc<Bounds>,
    /// The limits of each phase.
    pub timeouts: Timeouts,
    /// Attempts after the first at this deployment, where the entry says so.
    pub num_retries: Option<u32>,
    /// Body fields to set where the client's body has none.
    pub defaults: JsonFields,
    /// Body fields to set in any case.
    pub extra_body: JsonFields,
    /// What is removed from every body: `additional_drop_params`.
    pub drop_paths: Arc<[JsonPath]>,
    /// The task, such as `chat`, from the entry or the price list.
    pub mode: Option<Arc<str>>,
}

impl Deployment {
    /// Where it is called for a client that speaks `client`.
    #[must_use]
    pub fn endpoint(&self, client: WireFormat) -> Option<&Endpoint> {
        self.provider.endpoint(&self.upstream_model, client, self.calling)
    }

    /// What is known that its model can do, by the names of LiteLLM's price map; nothing where
    /// nobody knows the model.
    #[must_use]
    pub fn supports(&self) -> Vec<(&'static str, bool)> {
        let can = self.capability;
        if *can == Capability::UNKNOWN {
            return Vec::new();
        }
        let reasons = can.thinking_budget || can.thinking_adaptive || !can.efforts.is_empty();
        vec![
            ("supports_assistant_prefill", can.prefill),
            ("supports_reasoning", reasons),
            ("supports_response_schema", can.native_structured_output),
            ("supports_tool_choice", can.forced_tool),
        ]
    }

    /// The URL of one of its endpoints.
    #[must_use]
    pub fn url(&self, endpoint: &Endpoint, stream: bool) -> String {
        let elsewhere = endpoint.base_url.as_deref().filter(|_| !self.calling.own_base_url);
        let address = Address {
            base: elsewhere.unwrap_or(&self.base_url),
            model: &self.upstream_model,
            api_version: self.api_version.as_deref(),
            stream,
            variables: &self.variables,
        };
        self.provider.url(endpoint, &address)
    }

    /// The same deployment for one upstream model: where it has no price, limit or mode of its own,
    /// the price list's.
    pub(crate) fn of_model(
        &self,
        upstream_model: Arc<str>,
        listed: Option<PricedModel>,
        assumed: Option<&Arc<PriceSheet>>,
    ) -> Self {
        let mut own = self.clone();
        let model = own.base_model.as_deref().unwrap_or(&upstream_model);
        own.capability = Capability::of(own.provider.name.as_str(), model);
        own.upstream_model = upstream_model;
        if let Some(listed) = listed {
            own.prices = own.prices.or(Some(listed.sheet));
            own.limits.max_input = own.limits.max_input.or(listed.limits.max_input);
            own.limits.max_output = own.limits.max_output.or(listed.limits.max_output);
            own.mode = own.mode.or(listed.mode.map(Arc::from));
            if !own.calling.own_base_url && own.calling.pinned.is_none() {
                own.calling.pinned = own.provider.responses_only(own.mode.as_deref());
            }
        }
        own.prices = own.prices.or_else(|| assumed.map(Arc::clone));
        own
    }
}
