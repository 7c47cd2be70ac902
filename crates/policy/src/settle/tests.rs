//! Settlements: reported, completed, estimated and empty ones.

use tollgate_domain::{Price, PriceSheetId};

use super::*;
use crate::{PriceTier, Rates};

/// One micro-dollar for an input token and ten for an output token.
fn sheet() -> PriceSheet {
    let rates = Rates::default()
        .with(UsageKind::Input, Price::from_picos(1_000_000))
        .with(UsageKind::Output, Price::from_picos(10_000_000));
    let id = PriceSheetId::new("test@2026-01-01").expect("an id");
    PriceSheet {
        id,
        rates,
        tiers: Vec::<PriceTier>::new(),
        per_request: None,
        per_searching_call: None,
    }
}

fn tokens(kind: UsageKind, count: u64) -> Usage {
    Usage::UNKNOWN.with(kind, Quantity::whole(count))
}

fn input_and_output(input: u64, output: u64) -> Usage {
    tokens(UsageKind::Input, input).with(UsageKind::Output, Quantity::whole(output))
}

fn answered() -> Observed {
    Observed {
        output_deltas: 7,
        output_bytes: 20,
        prompt_bytes: 41,
        reached: true,
        ..Observed::default()
    }
}

#[track_caller]
fn check(observed: &Observed, usage: Usage, source: UsageSource, micros: Option<i64>) {
    let cost = micros.map(|micros| Money::from_nanos(micros * 1000));
    assert_eq!(settle(observed, Some(&sheet())), Settlement { usage, source, cost });
}

#[test]
fn a_reported_usage_is_taken_as_it_came() {
    let usage = input_and_output(100, 5);
    let observed = Observed { reported: Some(usage.clone()), ..answered() };
    check(&observed, usage.clone(), UsageSource::Reported, Some(150));
    let zero = Observed { reported: Some(input_and_output(0, 0)), ..answered() };
    check(&zero, input_and_output(0, 0), UsageSource::Reported, Some(0));
    let unreached = Observed { reached: false, ..observed };
    check(&unreached, usage, UsageSource::Reported, Some(150));
}

#[test]
fn a_report_made_before_the_answer_broke_off_counts_only_as_far_as_it_goes() {
    let early = input_and_output(100, 2).with(UsageKind::Reasoning, Quantity::whole(1));
    let observed = Observed { reported: Some(early.clone()), broken_off: true, ..answered() };
    // Seven deltas passed through, three tokens were reported.
    let whole = early.clone().with(UsageKind::Output, Quantity::whole(6));
    check(&observed, whole, UsageSource::Estimated, Some(170));
    let ended = Observed { broken_off: false, ..observed.clone() };
    check(&ended, early, UsageSource::Reported, Some(130));
    let late = input_and_output(100, 7);
    let observed = Observed { reported: Some(late.clone()), ..observed };
    check(&observed, late, UsageSource::Reported, Some(170));
}

#[test]
fn a_call_nobody_answered_costs_nothing() {
    let observed = Observed { reached: false, ..answered() };
    check(&observed, Usage::UNKNOWN, UsageSource::Nothing, Some(0));
    let unpriced = settle(&observed, None);
    assert_eq!(unpriced.cost, Some(Money::ZERO), "nothing costs nothing at any price");
    let empty = Observed { reported: Some(Usage::UNKNOWN), ..observed };
    check(&empty, Usage::UNKNOWN, UsageSource::Nothing, Some(0));
}

#[test]
fn a_missing_report_is_counted_from_what_passed_through() {
    check(&answered(), input_and_output(11, 7), UsageSource::Estimated, Some(81));
    let bytes = Observed { output_bytes: 29, ..answered() };
    check(&bytes, input_and_output(11, 8), UsageSource::Estimated, Some(91));
    let silent = Observed { output_deltas: 0, output_bytes: 0, ..answered() };
    check(&silent, input_and_output(11, 0), UsageSource::Estimated, Some(11));
}

#[test]
fn a_prompt_that_was_counted_is_not_estimated_by_its_bytes() {
    let counted = Observed { prompt_tokens: Some(30), ..answered() };
    check(&counted, input_and_output(30, 7), UsageSource::Estimated, Some(100));
    let reported = Observed { reported: Some(input_and_output(9, 7)), ..counted };
    check(&reported, input_and_output(9, 7), UsageSource::Reported, Some(79));
}

#[test]
fn a_side_the_report_lacks_is_counted() {
    let prompt = Observed { reported: Some(tokens(UsageKind::CachedRead, 3)), ..answered() };
    let completed = tokens(UsageKind::CachedRead, 3).with(UsageKind::Output, Quantity::whole(7));
    check(&prompt, completed, UsageSource::Estimated, Some(73));
    let completion = Observed { reported: Some(tokens(UsageKind::Reasoning, 3)), ..answered() };
    let completed = tokens(UsageKind::Reasoning, 3).with(UsageKind::Input, Quantity::whole(11));
    check(&completion, completed, UsageSource::Estimated, Some(41));
}

#[test]
fn a_report_without_output_is_whole_when_no_output_passed() {
    let usage = tokens(UsageKind::Input, 9);
    let embedding =
        Observed { reported: Some(usage.clone()), output_deltas: 0, output_bytes: 0, ..answered() };
    check(&embedding, usage, UsageSource::Reported, Some(9));
}

#[test]
fn a_report_in_pieces_gets_no_tokens_added() {
    let usage = tokens(UsageKind::Seconds, 30);
    let observed = Observed { reported: Some(usage.clone()), ..answered() };
    check(&observed, usage, UsageSource::Reported, None);
    let none = tokens(UsageKind::Searches, 0);
    let observed = Observed { reported: Some(none.clone()), ..answered() };
    let completed = none
        .with(UsageKind::Input, Quantity::whole(11))
        .with(UsageKind::Output, Quantity::whole(7));
    check(&observed, completed, UsageSource::Estimated, Some(81));
}

#[test]
fn searches_that_nobody_reports_are_charged_where_they_have_a_price() {
    let usage = input_and_output(100, 5);
    let observed = Observed { reported: Some(usage.clone()), searches: 1, ..answered() };
    check(&observed, usage.clone(), UsageSource::Reported, Some(150));
    let priced = PriceSheet { per_searching_call: Some(Price::from_picos(30_000_000)), ..sheet() };
    let charged = settle(&observed, Some(&priced));
    assert_eq!(charged.cost, Some(Money::from_nanos(180_000)));
    assert_eq!(charged.source, UsageSource::Estimated);
    let reported = usage.with(UsageKind::Searches, Quantity::ZERO);
    let observed = Observed { reported: Some(reported), ..observed };
    assert_eq!(settle(&observed, Some(&priced)).cost, Some(Money::from_nanos(150_000)));
}

#[test]
fn a_call_without_a_price_has_no_cost_but_a_usage() {
    let settlement = settle(&answered(), None);
    assert_eq!(settlement.cost, None);
    assert_eq!(settlement.usage, input_and_output(11, 7));
}
