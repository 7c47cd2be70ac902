//! A price sheet in the fields of the public price list, for people and programs that read prices.

use serde_json::{Map, Value as Json};
use tollgate_domain::{Price, UsageKind};
use tollgate_policy::{PriceSheet, Rates};

use super::field::name_of;

/// Pico-dollars in a dollar.
const PICOS: f64 = 1e12;

/// The prices of a sheet by the names of LiteLLM's price map, in dollars per unit.
#[must_use]
pub fn price_fields(sheet: &PriceSheet) -> Map<String, Json> {
    let mut fields = rates(&sheet.rates, None);
    for tier in &sheet.tiers {
        fields.extend(rates(&tier.rates, Some(tier.above_prompt_tokens)));
    }
    let per_request = sheet.per_request.map(dollars);
    fields.extend(per_request.map(|price| ("input_cost_per_request".to_owned(), price)));
    fields
}

fn rates(rates: &Rates, above: Option<u64>) -> Map<String, Json> {
    let named = |(kind, price): (UsageKind, Price)| {
        let name = name_of(kind)?;
        let above = above.map(|tokens| format!("_above_{}k_tokens", tokens / 1000));
        Some((format!("{name}{}", above.unwrap_or_default()), dollars(price)))
    };
    rates.known().filter_map(named).collect()
}

/// Dollars as a JSON number. It is shown, never computed with.
fn dollars(price: Price) -> Json {
    Json::from(price.picos() as f64 / PICOS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PriceList;
    use serde_json::json;

    #[test]
    fn a_listed_price_is_shown_by_the_names_that_the_public_list_has() {
        let row = "m\tp\tchat\t2026-01-01\t-\t-\tinput=2500000 output=10000000 request=5 \
                   >200000 input=5000000\n";
        let list = PriceList::parse(row).expect("a list");
        let sheet = list.find(&["m"]).expect("a model").sheet;
        let expected = json!({
            "input_cost_per_token": 2.5e-6,
            "output_cost_per_token": 1e-5,
            "input_cost_per_request": 5e-12,
            "input_cost_per_token_above_200k_tokens": 5e-6
        });
        assert_eq!(Json::Object(price_fields(&sheet)), expected);
    }
}
