//! The prices of calls that are over: what their deployment costs now, or cost on their day.

use std::sync::Arc;

use tollgate_policy::PriceSheet;

use super::{Snapshot, listed};
use crate::deployment::Deployment;
use crate::price::row::is_day;

/// What a record says about who served a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served<'a> {
    /// The model group that the client named.
    pub model_group: &'a str,
    /// The deployment's id.
    pub deployment: &'a str,
    /// Its provider.
    pub provider: &'a str,
    /// The provider's own name of the model; `None` for a call that a crash interrupted.
    pub upstream_model: Option<&'a str>,
    /// The price sheet that the cost was computed with.
    pub price_sheet: Option<&'a str>,
}

impl Snapshot {
    /// The prices of a recorded call by this configuration: those of its deployment, which is found
    /// by its id, or, as the id of an entry changes with the prices in it, by its provider and
    /// model. When there is none any more, the price list's, unless the call had prices that were
    /// not from the list.
    ///
    /// `None` when there is no price, or when it cannot be told which one it is.
    #[must_use]
    pub fn prices_of(&self, served: &Served<'_>) -> Option<Arc<PriceSheet>> {
        let resolved = self.resolve(served.model_group);
        let in_group = resolved.iter().flat_map(|resolved| resolved.deployments.iter());
        let mut same: Vec<&Arc<Deployment>> = in_group.filter(|it| serves(it, served)).collect();
        if same.is_empty() {
            // A fallback: it belongs to another model group.
            same = self.deployments().filter(|it| serves(it, served)).collect();
        }
        if let Some(own) = same.iter().find(|it| it.id.as_str() == served.deployment) {
            return own.prices.clone();
        }
        let Some(first) = same.first() else { return self.listed_prices(served) };
        let agree = same.iter().all(|it| is_same_price(it, first));
        first.prices.clone().filter(|_| agree)
    }

    fn listed_prices(&self, served: &Served<'_>) -> Option<Arc<PriceSheet>> {
        let is_listed = |id: &str| id.rsplit_once('@').is_some_and(|(_, day)| is_day(day));
        if !served.price_sheet.is_none_or(is_listed) {
            return None;
        }
        Some(listed(&self.prices, served.provider, served.upstream_model?)?.sheet)
    }
}

fn serves(deployment: &Deployment, served: &Served<'_>) -> bool {
    let same_model = match served.upstream_model {
        Some(model) => *deployment.upstream_model == *model,
        None => deployment.id.as_str() == served.deployment,
    };
    same_model && deployment.provider.name.as_str() == served.provider
}

/// Whether two deployments cost the same, whatever their sheets are called.
fn is_same_price(one: &Deployment, other: &Deployment) -> bool {
    let prices = |deployment: &Deployment| {
        let sheet = deployment.prices.as_deref()?;
        Some((
            sheet.rates.clone(),
            sheet.tiers.clone(),
            sheet.per_request,
            sheet.per_searching_call,
        ))
    };
    prices(one) == prices(other)
}

#[cfg(test)]
mod tests;
