//! An entry's own prices and limits, from `litellm_params` and `model_info`.

use std::sync::Arc;

use tollgate_domain::{DeploymentId, PriceSheetId, UsageKind};
use tollgate_policy::{ModelLimits, PriceSheet};

use super::identity::short_hash;
use crate::diagnostic::{Finding, code};
use crate::price::field::{Per, PriceField};
use crate::price::row::Prices;
use crate::schema::{Reader, Section};
use crate::yaml::{Entry, Span};

/// Most tokens that a limit may name.
const TOKENS_MAX: u64 = 1_000_000_000;

/// The prices that an entry itself gives, and where the first of them stands.
pub(super) type Own = Option<(Prices, Span)>;

/// An entry's own prices. They stand alone: nothing of the price list is mixed in, as in LiteLLM,
/// so that what the operator wrote is what is charged.
pub(super) fn own(
    reader: &mut Reader<'_>,
    params: &mut Section<'_>,
    info: &mut Section<'_>,
) -> Own {
    let is_applied = |name: &str| PriceField::read(name).is_some();
    // A price in `litellm_params` goes before the same one in `model_info`.
    let entries = [params.take_where(is_applied), info.take_where(is_applied)].concat();
    let first = entries.first()?.name_span.clone();
    let mut prices = Prices::default();
    for entry in entries {
        let Some(field) = PriceField::read(&entry.name) else { continue };
        let Some(price) = reader.price(entry) else { continue };
        match field.per {
            Per::Kind(kind) => {
                prices.put(field.above, kind, price);
            }
            Per::Request => prices.per_request = prices.per_request.or(Some(price)),
        }
    }
    Some((prices, first))
}

/// Warns when prices by the token are there for one side of a call only.
pub(super) fn warn_partial(reader: &mut Reader<'_>, prices: &Prices, span: &Span) {
    let has = |kind| prices.rates.get(kind).is_some();
    let missing = match (has(UsageKind::Input), has(UsageKind::Output)) {
        (true, false) => "output_cost_per_token",
        (false, true) => "input_cost_per_token",
        _ => return,
    };
    let message = format!("there is no `{missing}`, so calls count as unpriced");
    let finding = Finding::warning(code::PRICE_PARTIAL, span.clone(), message);
    reader.findings.push(finding.with_help("a price of 0 says that it is free"));
}

/// The sheet of an entry's own prices. Its identity names the deployment and what the prices were,
/// so that entries of the ledger stay explainable after they change.
pub(super) fn sheet(prices: Prices, id: &DeploymentId) -> Option<Arc<PriceSheet>> {
    let hash = short_hash(&prices.write());
    let named = PriceSheetId::new(&format!("custom:{id}@{hash}"));
    // The longest deployment ids leave no room for the rest.
    let short = || PriceSheetId::new(&format!("custom:{}@{hash}", short_hash(id.as_str())));
    let id = named.or_else(|_| short()).ok()?;
    let Prices { rates, tiers, per_request, per_searching_call } = prices;
    Some(Arc::new(PriceSheet { id, rates, tiers, per_request, per_searching_call }))
}

/// What the entry says about the model's answers. A default of the body that limits the answer also
/// limits what has to be reserved, since it is sent wherever the client names no limit.
pub(super) fn limits(
    reader: &mut Reader<'_>,
    info: &mut Section<'_>,
    sent_by_default: Option<u64>,
) -> ModelLimits {
    let mut tokens = |name| {
        let entry: &Entry = info.take(name)?;
        reader.count(entry, TOKENS_MAX)
    };
    let max_output = tokens("max_output_tokens").or(tokens("max_tokens"));
    // Read so that it is checked and known; the context window plays no part yet.
    let _ = tokens("max_input_tokens");
    let reserve = tokens("reserve_output_tokens");
    ModelLimits { max_output, reserve_output: sent_by_default.or(reserve) }
}
