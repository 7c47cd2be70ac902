//! Budgets and the calendar as the file writes them.

use tollgate_policy::{Period, Zone};

use tollgate_wire::Catalog;

use super::*;
use crate::diagnostic::{Finding, code};
use crate::{PriceList, Settings, Source, compile};

const DOLLAR: i64 = 1_000_000_000;

/// The settings of a file that has one deployment, and the codes of its findings.
fn compiled(text: &str) -> (Option<Settings>, Vec<&'static str>) {
    let params = "{model: openai/x, api_base: \"http://127.0.0.1:1/v1\", api_key: k}";
    let models = format!("model_list: [{{model_name: m, litellm_params: {params}}}]\n");
    let text = format!("{models}{text}");
    let source = Source { name: "config.yaml", text: &text };
    let catalog = Catalog::embedded().expect("a catalog");
    let codes = |findings: &[Finding]| findings.iter().map(|finding| finding.code).collect();
    match compile(source, &|_| None, &catalog, &PriceList::embedded()) {
        Ok(compiled) => (Some(compiled.snapshot.settings), codes(&compiled.warnings)),
        Err(findings) => (None, findings.iter().map(|finding| finding.code).collect()),
    }
}

fn bound(limits: &Limits) -> (i64, Option<String>) {
    let bound = &limits.whole.money[0];
    (bound.cap.expect("a cap").nanos(), bound.period.map(|period| period.to_string()))
}

#[test]
fn budgets_are_read_under_the_names_of_their_sections() {
    let (settings, codes) = compiled(
        "litellm_settings: {max_budget: 100, budget_duration: 30d, \
         tag_budget_config: {blue: {max_budget: 2, budget_duration: 1d}}}\n\
         router_settings: {provider_budget_config: {openai: {budget_limit: 0.5, time_period: 7d}}}",
    );
    assert_eq!(codes, Vec::<&str>::new());
    let budgets = settings.expect("settings").budgets;
    let whole = budgets.whole.as_ref().expect("a budget");
    assert_eq!(bound(whole), (100 * DOLLAR, Some("30d".to_owned())));
    assert_eq!(bound(&budgets.providers["openai"]), (DOLLAR / 2, Some("7d".to_owned())));
    let tag = TagName::new("blue").expect("a tag");
    assert_eq!(bound(&budgets.tags[&tag]), (2 * DOLLAR, Some("1d".to_owned())));
}

#[test]
fn a_gateway_without_a_budget_has_none_and_zero_sets_none() {
    for text in ["", "litellm_settings: {max_budget: 0}"] {
        let (settings, _) = compiled(text);
        assert_eq!(settings.expect("settings").budgets.whole, None, "{text}");
    }
}

#[test]
fn a_wrong_amount_or_period_is_a_finding_and_no_other_budget() {
    for text in [
        "litellm_settings: {max_budget: -1}",
        "litellm_settings: {max_budget: 1, budget_duration: fortnightly}",
        "litellm_settings: {timezone: Europe/Berlino}",
        "litellm_settings: {budget_week_start: someday}",
        "litellm_settings: {budget_reset_time: \"25:00\"}",
        "router_settings: {provider_budget_config: {openai: {time_period: 1d}}}",
    ] {
        let (settings, codes) = compiled(text);
        assert_eq!(codes, [code::OUT_OF_RANGE], "{text}");
        assert!(settings.is_none(), "{text}");
    }
}

#[test]
fn the_calendar_is_read_whole() {
    let (settings, codes) = compiled(
        "litellm_settings: {timezone: Asia/Kathmandu, budget_week_start: sunday, \
         budget_reset_time: \"06:30\", budget_strict_days: true}",
    );
    assert_eq!(codes, Vec::<&str>::new());
    let calendar = settings.expect("settings").calendar;
    assert_eq!(calendar.zone, Zone::parse("Asia/Kathmandu").expect("a zone"));
    assert!(calendar.strict_days);
    let month = Period::parse("30d").expect("a period");
    let at = tollgate_domain::Timestamp::parse("2026-05-10T00:00:00Z").expect("an instant");
    let span = month.span(&calendar, tollgate_policy::Anchor::Calendar, at);
    assert_eq!(span.end.since(span.start).as_secs(), 30 * 86_400);
}
