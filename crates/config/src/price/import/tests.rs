//! The public price list, and what is left of it.

use super::*;
use crate::price::list::PriceList;

fn report(json: &str) -> ImportReport {
    import(json, "2026-01-31").expect("a report")
}

/// The line of one model of these fields, or the reason it has none.
fn line(fields: &str) -> Result<String, String> {
    let report = report(&format!(r#"{{"m": {{"litellm_provider": "acme", {fields}}}}}"#));
    PriceList::parse(&report.text).expect("what is imported can be read");
    match report.skipped.first() {
        Some((_, reason)) => Err(reason.clone()),
        None => Ok(report.text.lines().last().expect("a line").to_owned()),
    }
}

fn prices(fields: &str) -> Result<String, String> {
    line(fields).map(|line| line.rsplit('\t').next().expect("a column").to_owned())
}

#[test]
fn fields_become_columns() {
    let fields = r#""mode": "chat", "max_input_tokens": 128000.0, "max_tokens": 4096,
        "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05,
        "input_cost_per_token_above_200k_tokens": 5e-06, "supports_vision": true"#;
    let expected = "m\tacme\tchat\t2026-01-31\t128000\t4096\t\
        input=2500000 output=10000000 >200000 input=5000000";
    assert_eq!(line(fields), Ok(expected.to_owned()));
}

#[test]
fn each_field_is_the_price_of_its_kind() {
    let token = r#""input_cost_per_token": 1e-12, "output_cost_per_token": 2e-12"#;
    let cases = [
        (r#""cache_read_input_token_cost": 3e-12"#, "input=1 cached_read=3 output=2"),
        (r#""input_cost_per_token_cache_hit": 3e-12"#, "input=1 cached_read=3 output=2"),
        (
            r#""cache_creation_input_token_cost_above_1hr": 3e-12"#,
            "input=1 cache_write_long=3 output=2",
        ),
        (r#""output_cost_per_reasoning_token": 3e-12"#, "input=1 output=2 reasoning=3"),
        (r#""input_cost_per_request": 3e-12"#, "input=1 output=2 request=3"),
        (r#""input_cost_per_token_priority": 3e-12"#, "input=1 output=2"),
        (r#""input_cost_per_audio_token": null"#, "input=1 output=2"),
        (r#""mode": "audio_speech", "output_cost_per_second": 3e-12"#, "input=1 output=2"),
    ];
    for (fields, expected) in cases {
        assert_eq!(prices(&format!("{token}, {fields}")).as_deref(), Ok(expected), "{fields}");
    }
}

#[test]
fn what_is_no_token_is_priced_where_the_mode_says_what_it_is() {
    let cases = [
        (r#""mode": "audio_transcription", "input_cost_per_second": 1e-4"#, "seconds=100000000"),
        (
            r#""mode": "audio_transcription",
               "input_cost_per_second": 1e-4, "output_cost_per_second": 0"#,
            "seconds=100000000",
        ),
        (r#""mode": "image_generation", "input_cost_per_image": 0.02"#, "images=20000000000"),
        (r#""mode": "rerank", "input_cost_per_query": 0.001"#, "searches=1000000000"),
        (r#""mode": "audio_speech", "input_cost_per_character": 1.5e-05"#, "characters=15000000"),
    ];
    for (fields, expected) in cases {
        assert_eq!(prices(fields).as_deref(), Ok(expected), "{fields}");
    }
}

#[test]
fn a_search_costs_the_highest_of_its_prices_each_or_for_the_call() {
    let sizes = r#""search_context_cost_per_query": {"search_context_size_low": 1e-12,
        "search_context_size_medium": 3e-12, "search_context_size_high": 2e-12}"#;
    let fields = format!(r#""input_cost_per_token": 1e-12, {sizes}"#);
    let cases = [
        ("", "input=1 searches=3"),
        (r#", "web_search_billing_unit": "per_query""#, "input=1 searches=3"),
        (r#", "web_search_billing_unit": "per_prompt""#, "input=1 searching=3"),
    ];
    for (unit, expected) in cases {
        assert_eq!(prices(&format!("{fields}{unit}")).as_deref(), Ok(expected), "{unit}");
    }
    let gemini = format!(r#"{{"m": {{"litellm_provider": "gemini", {fields}}}}}"#);
    assert!(
        report(&gemini).text.ends_with("input=1 searching=3\n"),
        "by the format of its provider"
    );
}

#[test]
fn ranges_become_tiers_and_the_first_is_the_base() {
    let fields = r#""tiered_pricing": [
        {"range": [0, 32000.0], "input_cost_per_token": 1e-12},
        {"range": [32000.0, 128000.0], "input_cost_per_token": 2e-12}]"#;
    assert_eq!(prices(fields).as_deref(), Ok("input=1 >32000 input=2"));
}

#[test]
fn a_model_that_would_look_cheaper_than_it_is_is_skipped() {
    let cases = [
        (r#""mode": "chat""#, "no price"),
        (r#""mode": "chat", "input_cost_per_second": 0.1"#, "billed by input_cost_per_second"),
        (r#""mode": "ocr", "ocr_cost_per_page": 0.1"#, "billed by ocr_cost_per_page"),
        (
            r#""input_cost_per_token": 0, "output_cost_per_pixel": 1e-9"#,
            "free except for output_cost_per_pixel",
        ),
        (r#""input_cost_per_token": "free""#, "`input_cost_per_token` is not a number of dollars"),
        (r#""input_cost_per_token": -1"#, "`input_cost_per_token` is -1"),
    ];
    for (fields, reason) in cases {
        assert_eq!(prices(fields), Err(reason.to_owned()), "{fields}");
    }
    // A free model may charge for what goes beyond it.
    let free = r#""input_cost_per_token": 0, "search_context_cost_per_query": {"low": 0.1}"#;
    assert_eq!(prices(free).as_deref(), Ok("input=0"));
}

#[test]
fn roundings_and_what_is_left_out_are_reported() {
    let json = r#"{"sample_spec": {}, "x": [], "y": {"mode": "chat"},
        "m": {"litellm_provider": "acme", "input_cost_per_token": 1.25e-12,
              "output_cost_per_token_batches": 1e-6}}"#;
    let report = report(json);
    assert_eq!(report.models, 1);
    assert_eq!(report.rounded, ["m input_cost_per_token: 1.25e-12 to 1 p$"]);
    let out = ("m".to_owned(), "output_cost_per_token_batches".to_owned());
    assert_eq!(report.left_out, [out]);
    let reasons: Vec<&str> = report.skipped.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(reasons, ["not a model", "not an object", "no provider"]);
}

#[test]
fn what_is_no_price_list_is_refused() {
    assert!(matches!(import("[]", "2026-01-31"), Err(ImportError::Json(_))));
    assert!(matches!(import("{}", "today"), Err(ImportError::Day(_))));
    assert!(PriceList::parse(&report("{}").text).expect("an empty list").is_empty());
}

#[test]
fn a_family_is_priced_under_its_provider() {
    assert_eq!(family("vertex_ai-mistral_models"), "vertex_ai");
    assert_eq!(family("fireworks_ai-embedding-models"), "fireworks_ai");
    assert_eq!(family("text-completion-openai"), "text-completion-openai");
    assert_eq!(family("openai"), "openai");
}
