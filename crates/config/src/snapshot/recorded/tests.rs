//! Which prices a recorded call has.

use tollgate_wire::Catalog;

use super::*;
use crate::{PriceList, Source, compile};

const PRICES: &str = "gpt-a\topenai\tchat\t2026-01-01\t-\t-\tinput=7 output=7\n";

fn snapshot(models: &str) -> Snapshot {
    let catalog = Catalog::embedded().expect("the catalog");
    let prices = PriceList::parse(PRICES).expect("a price list");
    let text = format!("model_list:\n{models}");
    let find = |name: &str| (name == "OPENAI_API_KEY").then(|| "sk-0".to_owned());
    compile(Source { name: "config.yaml", text: &text }, &find, &catalog, &prices)
        .expect("a snapshot")
        .snapshot
}

const CALL: Served<'_> = Served {
    model_group: "chat",
    deployment: "one",
    provider: "openai",
    upstream_model: Some("gpt-a"),
    price_sheet: Some("gpt-a@2025-01-01"),
};

/// A deployment of `gpt-a` in a group, perhaps with an id and a price.
fn line(group: &str, model: &str, id: Option<&str>, dollars: Option<&str>) -> String {
    let price = dollars.map_or(String::new(), |dollars| {
        format!(", input_cost_per_token: {dollars}, output_cost_per_token: 0")
    });
    let id = id.map_or(String::new(), |id| format!(", model_info: {{id: {id}}}"));
    format!(
        "  - {{model_name: '{group}', litellm_params: {{model: 'openai/{model}'{price}}}{id}}}\n"
    )
}

/// The price of a thousandth of an input token's unit in pico-dollars, as found.
fn input(models: &[String], served: &Served<'_>) -> Option<u64> {
    let sheet = snapshot(&models.concat()).prices_of(served)?;
    sheet.rates.get(tollgate_domain::UsageKind::Input).map(tollgate_domain::Price::picos)
}

#[test]
fn a_call_has_the_prices_of_its_deployment_wherever_that_is_configured() {
    let other = line("chat", "gpt-a", Some("two"), Some("0.000002"));
    let own = |group| line(group, "gpt-a", Some("one"), Some("0.000001"));
    assert_eq!(input(&[other.clone(), own("chat")], &CALL), Some(1_000_000));
    assert_eq!(input(&[own("elsewhere")], &CALL), Some(1_000_000));
    let interrupted = Served { upstream_model: None, ..CALL };
    assert_eq!(input(&[other, own("chat")], &interrupted), Some(1_000_000));
}

#[test]
fn a_deployment_whose_id_changed_with_its_prices_is_found_by_its_model() {
    let renamed = line("chat", "gpt-a", None, Some("0.000003"));
    assert_eq!(input(std::slice::from_ref(&renamed), &CALL), Some(3_000_000));
    let dearer = line("chat", "gpt-a", None, Some("0.000004"));
    assert_eq!(input(&[renamed.clone(), dearer], &CALL), None, "which of the two is not known");
    let custom = Served { price_sheet: Some("custom:one@0123456789ab"), ..CALL };
    assert_eq!(input(&[renamed], &custom), Some(3_000_000));
}

#[test]
fn the_model_of_a_pattern_has_the_list_price() {
    assert_eq!(input(&[line("openai/*", "*", None, None)], &CALL), Some(7));
    let by_name = Served { model_group: "openai/gpt-a", ..CALL };
    assert_eq!(input(&[line("openai/*", "*", None, None)], &by_name), Some(7));
}

#[test]
fn a_deployment_that_is_gone_leaves_the_list_price_to_calls_that_had_one() {
    let other = [line("chat", "gpt-b", Some("one"), Some("0.000009"))];
    assert_eq!(input(&other, &CALL), Some(7));
    assert_eq!(input(&other, &Served { price_sheet: None, ..CALL }), Some(7));
    for sheet in ["custom:one@0123456789ab", "assumed@5"] {
        let own = Served { price_sheet: Some(sheet), ..CALL };
        assert_eq!(input(&other, &own), None, "{sheet}");
    }
}
