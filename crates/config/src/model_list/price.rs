//! An entry's own prices and limits, from `litellm_params` and `model_info`.

use std::sync::Arc;

use tollgate_domain::{DeploymentId, Price, PriceSheetId, UsageKind};
use tollgate_policy::{ModelLimits, PriceSheet};

use super::identity::short_hash;
use crate::diagnostic::{Finding, code};
use crate::price::field::{
    BY_CALL, BY_SEARCH, Per, PriceField, SEARCH_SIZE, SEARCH_UNIT, SEARCHES,
};
use crate::price::row::Prices;
use crate::schema::{Reader, Section};
use crate::yaml::{Entry, Span, Value};

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
    let by_call = unit(reader, params, info);
    let searches = [params.take(SEARCHES), info.take(SEARCHES)];
    let searches: Vec<&Entry> = searches.into_iter().flatten().collect();
    let Some(first) = entries.first().map(|entry| entry.name_span.clone()) else {
        searches.iter().for_each(|entry| warn_alone(reader, entry));
        return None;
    };
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
    for entry in searches {
        if let Some(price) = search(reader, entry) {
            prices.put_search(by_call, price);
        }
    }
    Some((prices, first))
}

/// Warns of a price for searches alone, beside which tokens would have none.
fn warn_alone(reader: &mut Reader<'_>, entry: &Entry) {
    let message = format!("`{}` stands alone and is not used", entry.name);
    let finding = Finding::warning(code::PRICE_PARTIAL, entry.name_span.clone(), message);
    let help = "add `input_cost_per_token` and `output_cost_per_token`: own prices are whole";
    reader.findings.push(finding.with_help(help));
}

/// Whether searches are billed once for the call.
fn unit(reader: &mut Reader<'_>, params: &mut Section<'_>, info: &mut Section<'_>) -> bool {
    let [own, informed] = [params.take(SEARCH_UNIT), info.take(SEARCH_UNIT)];
    let Some(entry) = own.or(informed) else { return false };
    let written = reader.text(entry);
    match written.as_deref() {
        None | Some(BY_CALL | BY_SEARCH) => {}
        Some(other) => {
            let message = format!("`{SEARCH_UNIT}` is `{other}`");
            let help = format!("it is one of `{BY_SEARCH}`, `{BY_CALL}`");
            reader.out_of_range(entry, message, &help);
        }
    }
    written.as_deref() == Some(BY_CALL)
}

/// The price of a search: one, or one by the size of what is read, of which the highest counts,
/// because nobody reports that size.
fn search(reader: &mut Reader<'_>, entry: &Entry) -> Option<Price> {
    let Value::Map(sizes) = &entry.node.value else { return reader.price(entry) };
    let mut highest = None;
    for size in &sizes.entries {
        if size.name.starts_with(SEARCH_SIZE) {
            highest = highest.max(reader.price(size));
        } else {
            let message = format!("`{SEARCHES}` has no `{}`", size.name);
            reader.out_of_range(size, message, "sizes are `search_context_size_low` and so on");
        }
    }
    highest
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
    let max_input = tokens("max_input_tokens");
    let reserve = tokens("reserve_output_tokens");
    ModelLimits { max_input, max_output, reserve_output: sent_by_default.or(reserve) }
}
