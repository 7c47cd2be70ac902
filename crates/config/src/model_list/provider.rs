//! Which provider an entry means, and what the provider calls the model.

use std::sync::Arc;

use tollgate_policy::nearest;
use tollgate_wire::{Catalog, Provider, WireFormat};

use crate::diagnostic::{Finding, code};
use crate::price::list::PriceList;
use crate::yaml::Span;

/// A provider and its own name of a model.
#[derive(Debug)]
pub(super) struct Inferred {
    pub(super) provider: Arc<Provider>,
    pub(super) upstream_model: String,
    /// The format that the model's prefix asks for.
    pub(super) pinned: Option<WireFormat>,
}

/// A name that no provider answers to.
#[derive(Debug)]
pub(super) struct NoProvider {
    wanted: String,
    nearest: Vec<String>,
    /// LiteLLM calls this provider; its wire format is not there yet.
    known_elsewhere: bool,
}

/// Finds the provider (providers.md, model string to provider): the explicit one, else the first
/// segment of the model, else the one that the price list knows for a bare name.
///
/// Only the first segment is taken off, and an explicit provider's own name if it stands there, so
/// that `openrouter/anthropic/x` and a model called `openai/gpt-oss-120b` at another provider work.
pub(super) fn infer(
    catalog: &Catalog,
    prices: &PriceList,
    explicit: Option<&str>,
    model: &str,
) -> Result<Inferred, NoProvider> {
    let (first, rest) = model.split_once('/').unwrap_or((model, ""));
    let of_segment = catalog.find(first).filter(|_| !rest.is_empty());
    let (provider, name) = match (explicit, of_segment) {
        (Some(name), of_segment) => {
            let provider =
                catalog.find(name).ok_or_else(|| NoProvider::of(name, catalog, prices))?;
            let same = of_segment.is_some_and(|other| other.name == provider.name);
            (provider, if same { rest } else { model })
        }
        (None, Some(provider)) => (provider, rest),
        (None, None) => {
            let provider = of_bare(catalog, prices, model);
            (provider.ok_or_else(|| NoProvider::of(first, catalog, prices))?, model)
        }
    };
    let (name, pinned) = without_prefix(provider, name);
    Ok(Inferred { provider: Arc::clone(provider), upstream_model: name.to_owned(), pinned })
}

/// The model's name without the prefix that chooses an endpoint (`responses/`, `converse/`).
fn without_prefix<'m>(provider: &Provider, model: &'m str) -> (&'m str, Option<WireFormat>) {
    let chosen = provider.endpoints.iter().find_map(|endpoint| {
        let rest = model.strip_prefix(endpoint.prefix.as_deref()?)?;
        (!rest.is_empty()).then_some((rest, Some(endpoint.format)))
    });
    chosen.unwrap_or((model, None))
}

/// The provider of a well-known bare name.
fn of_bare<'c>(catalog: &'c Catalog, prices: &PriceList, model: &str) -> Option<&'c Arc<Provider>> {
    // A fine-tuned model `ft:base:organization::id` is priced, and listed, as `ft:base`.
    let tuned = model.strip_prefix("ft:").and_then(|name| name.split(':').next());
    let tuned = tuned.and_then(|base| prices.row(&format!("ft:{base}")));
    catalog.find(prices.row(model).or(tuned)?.provider)
}

impl NoProvider {
    fn of(wanted: &str, catalog: &Catalog, prices: &PriceList) -> Self {
        let names = catalog.iter().map(|provider| provider.name.as_str());
        Self {
            wanted: wanted.to_owned(),
            nearest: nearest(wanted, names, 2).into_iter().map(str::to_owned).collect(),
            known_elsewhere: prices.rows_of(wanted).next().is_some(),
        }
    }

    /// A provider of LiteLLM's that cannot be called yet leaves the entry out; a name that nobody
    /// knows is a mistake.
    pub(super) fn finding(&self, span: Span, model: &str) -> Finding {
        if self.known_elsewhere {
            let message =
                format!("`{model}` is left out: provider `{}` is not there yet", self.wanted);
            return Finding::warning(code::PROVIDER_UNSUPPORTED, span, message);
        }
        let message = format!("no provider is called `{}`", self.wanted);
        let finding = Finding::error(code::PROVIDER_UNKNOWN, span, message);
        let nearest: Vec<&str> = self.nearest.iter().map(String::as_str).collect();
        if nearest.is_empty() {
            let help = "write the model as `provider/name`, or set `custom_llm_provider`";
            return finding.with_help(help);
        }
        finding.with_nearest(&nearest)
    }
}
