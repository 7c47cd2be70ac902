//! Price sheets: worked examples, and the laws of cost and bound over arbitrary sheets.

use proptest::prelude::*;

use super::*;

const TOKEN_KINDS: [UsageKind; 10] = [
    UsageKind::Input,
    UsageKind::CachedRead,
    UsageKind::CacheWrite,
    UsageKind::CacheWriteLong,
    UsageKind::InputAudio,
    UsageKind::InputImage,
    UsageKind::Output,
    UsageKind::Reasoning,
    UsageKind::OutputAudio,
    UsageKind::OutputImage,
];

fn sheet(rates: Rates) -> PriceSheet {
    let id = PriceSheetId::new("test@2026-01-01").expect("an id");
    PriceSheet { id, rates, tiers: Vec::new(), per_request: None, per_searching_call: None }
}

fn price(dollars: &str) -> Price {
    Price::parse_dollars(dollars).expect("a price")
}

fn plain(input: &str, output: &str) -> Rates {
    Rates::default().with(UsageKind::Input, price(input)).with(UsageKind::Output, price(output))
}

fn usage(quantities: &[(UsageKind, u64)]) -> Usage {
    quantities
        .iter()
        .fold(Usage::UNKNOWN, |usage, (kind, units)| usage.with(*kind, Quantity::whole(*units)))
}

fn most(sheet: &PriceSheet, prompt: Quantity, completion: Quantity) -> Result<Money, Unpriced> {
    sheet.upper_bound(&Bound { prompt, completion }, &Extras::NONE)
}

#[track_caller]
fn check(sheet: &PriceSheet, quantities: &[(UsageKind, u64)], dollars: &str) {
    let cost = sheet.cost(&usage(quantities)).expect("a cost");
    assert_eq!(cost.to_string(), dollars);
}

#[test]
fn every_kind_is_charged_at_its_own_price() {
    let rates = plain("2.5e-6", "1e-5").with(UsageKind::CachedRead, price("1.25e-6"));
    let mut sheet = sheet(rates);
    check(&sheet, &[(UsageKind::Input, 1000), (UsageKind::Output, 500)], "0.0075");
    check(&sheet, &[(UsageKind::Input, 10), (UsageKind::CachedRead, 90)], "0.0001375");
    sheet.per_request = Some(price("0.005"));
    check(&sheet, &[(UsageKind::Output, 1)], "0.00501");
    check(&sheet, &[], "0.005");
}

#[test]
fn a_kind_without_a_price_falls_back_to_the_plain_one() {
    let mut sheet = sheet(plain("1e-6", "2e-6"));
    for kind in TOKEN_KINDS {
        let dollars = if kind.is_prompt() { "0.000001" } else { "0.000002" };
        check(&sheet, &[(kind, 1)], dollars);
    }
    sheet.rates.set(UsageKind::CacheWrite, price("3e-6"));
    check(&sheet, &[(UsageKind::CacheWriteLong, 1)], "0.000003");
}

#[test]
fn a_consumed_kind_without_any_price_has_no_cost() {
    let sheet = sheet(Rates::default().with(UsageKind::Input, price("1e-6")));
    let cases = [
        (UsageKind::Output, UsageKind::Output),
        (UsageKind::Reasoning, UsageKind::Reasoning),
        (UsageKind::Images, UsageKind::Images),
        (UsageKind::Searches, UsageKind::Searches),
    ];
    for (consumed, missing) in cases {
        assert_eq!(sheet.cost(&usage(&[(consumed, 1)])), Err(Unpriced::Kind(missing)));
        check(&sheet, &[(UsageKind::Input, 1), (consumed, 0)], "0.000001");
    }
    let free = PriceSheet { rates: plain("0", "0"), ..sheet };
    check(&free, &[(UsageKind::Input, 1_000_000), (UsageKind::Output, 1)], "0");
}

#[test]
fn a_prompt_above_a_threshold_moves_the_whole_call_to_that_tier() {
    let mut sheet = sheet(plain("1e-6", "2e-6").with(UsageKind::CachedRead, price("1e-7")));
    let tier = |above_prompt_tokens, rates| PriceTier { above_prompt_tokens, rates };
    let input = |dollars| Rates::default().with(UsageKind::Input, price(dollars));
    // In no order: the highest threshold that is passed decides.
    sheet.tiers = vec![tier(500, input("4e-6")), tier(200, input("3e-6"))];
    check(&sheet, &[(UsageKind::Input, 200), (UsageKind::Output, 1)], "0.000202");
    check(&sheet, &[(UsageKind::Input, 201), (UsageKind::Output, 1)], "0.000605");
    check(&sheet, &[(UsageKind::Input, 501)], "0.002004");
    // Cached tokens count towards the threshold and keep the price the tier does not name.
    check(&sheet, &[(UsageKind::Input, 101), (UsageKind::CachedRead, 100)], "0.000313");
    // A kind that nobody names falls back to the tier's plain price.
    check(&sheet, &[(UsageKind::Input, 100), (UsageKind::InputImage, 101)], "0.000603");
    let over = Usage::UNKNOWN.with(UsageKind::Input, Quantity::from_milli(200_001));
    assert_eq!(sheet.cost(&over).map(Money::nanos), Ok(600_003));
}

#[test]
fn a_cost_is_rounded_once_half_up_to_a_nano_dollar() {
    let sheet = sheet(plain("0.0000000005", "0.00000000025"));
    let cases = [(0, 1, 0), (1, 0, 1), (0, 2, 1), (1, 1, 1), (1, 2, 1), (1, 3, 1), (1, 4, 2)];
    for (input, output, nanos) in cases {
        let cost = sheet.cost(&usage(&[(UsageKind::Input, input), (UsageKind::Output, output)]));
        assert_eq!(cost.map(Money::nanos), Ok(nanos), "{input} + {output}");
    }
}

#[test]
fn fractional_quantities_are_charged_exactly() {
    let sheet = sheet(plain("1e-6", "1e-6"));
    let quantity = Quantity::parse("14417.92").expect("a quantity");
    let usage = Usage::UNKNOWN.with(UsageKind::OutputImage, quantity);
    assert_eq!(sheet.cost(&usage).map(|cost| cost.to_string()), Ok("0.01441792".to_owned()));
}

#[test]
fn searches_are_charged_each_or_once_for_the_call() {
    let rates = plain("1e-6", "1e-6").with(UsageKind::Searches, price("0.01"));
    let mut sheet = sheet(rates);
    let tokens = Bound { prompt: Quantity::ZERO, completion: Quantity::ZERO };
    let most = |sheet: &PriceSheet, searches| {
        let extras = Extras { searches, ..Extras::NONE };
        let cost = sheet.upper_bound(&tokens, &extras).map(|cost| cost.to_string());
        (cost, sheet.is_open(&extras))
    };
    check(&sheet, &[(UsageKind::Searches, 3)], "0.03");
    assert_eq!(most(&sheet, Some(3)), (Ok("0.03".into()), false));
    assert_eq!(most(&sheet, None), (Ok("0".into()), true), "nothing limits them");
    sheet.per_searching_call = Some(price("0.035"));
    check(&sheet, &[(UsageKind::Searches, 3)], "0.035");
    check(&sheet, &[(UsageKind::Searches, 0)], "0");
    assert_eq!(most(&sheet, Some(0)), (Ok("0".into()), false));
    assert_eq!(most(&sheet, None), (Ok("0.035".into()), false));
    let unpriced = PriceSheet { per_searching_call: None, rates: plain("1", "1"), ..sheet };
    let missing = (Err(Unpriced::Kind(UsageKind::Searches)), false);
    assert_eq!(most(&unpriced, Some(1)), missing);
    let free = unpriced.rates.clone().with(UsageKind::Searches, Price::FREE);
    let free = PriceSheet { rates: free, ..unpriced };
    assert_eq!(most(&free, None), (Ok("0".into()), false));
}

#[test]
fn the_largest_quantities_and_prices_are_refused_rather_than_wrapped() {
    let highest = Price::from_picos(u64::MAX);
    let all = |set: fn(Rates, UsageKind, Price) -> Rates| {
        UsageKind::ALL.into_iter().fold(Rates::default(), |rates, kind| set(rates, kind, highest))
    };
    let sheet = sheet(all(Rates::with));
    let usage = UsageKind::ALL
        .into_iter()
        .fold(Usage::UNKNOWN, |usage, kind| usage.with(kind, Quantity::MAX));
    assert_eq!(sheet.cost(&usage), Err(Unpriced::OutOfRange));
    assert_eq!(most(&sheet, Quantity::MAX, Quantity::MAX), Err(Unpriced::OutOfRange));
}

#[test]
fn a_bound_needs_a_price_for_what_may_be_consumed_only() {
    let sheet = sheet(Rates::default().with(UsageKind::Input, price("1e-6")));
    let (some, none) = (Quantity::whole(10), Quantity::ZERO);
    assert_eq!(most(&sheet, some, none).map(|bound| bound.to_string()), Ok("0.00001".into()));
    assert_eq!(most(&sheet, some, some), Err(Unpriced::Kind(UsageKind::Output)));
    let cached = Rates::default().with(UsageKind::CachedRead, price("1e-6"));
    let sheet = PriceSheet { rates: cached, ..sheet };
    assert_eq!(most(&sheet, some, none), Err(Unpriced::Kind(UsageKind::Input)));
}

#[test]
fn a_tier_that_alone_names_the_plain_price_does_not_price_shorter_prompts() {
    let mut sheet = sheet(Rates::default());
    sheet.tiers = vec![PriceTier { above_prompt_tokens: 100, rates: plain("1e-6", "1e-6") }];
    let prompt = Quantity::whole(200);
    assert_eq!(most(&sheet, prompt, prompt), Err(Unpriced::Kind(UsageKind::Input)));
}

prop_compose! {
    /// Rates with plain prices and any of the others.
    fn any_rates()(
        prices in proptest::collection::vec(proptest::option::of(0u64..100_000_000), 10),
        plain in [0u64..100_000_000, 0u64..100_000_000],
    ) -> Rates {
        let mut rates = Rates::default();
        for (kind, picos) in TOKEN_KINDS.into_iter().zip(prices) {
            if let Some(picos) = picos {
                rates.set(kind, Price::from_picos(picos));
            }
        }
        rates
            .with(UsageKind::Input, Price::from_picos(plain[0]))
            .with(UsageKind::Output, Price::from_picos(plain[1]))
    }
}

prop_compose! {
    fn any_sheet()(
        rates in any_rates(),
        tiers in proptest::collection::vec((0u64..2000, any_rates()), 0..4),
        fees in proptest::collection::vec(proptest::option::of(0u64..1_000_000_000), 2),
        search in 0u64..50_000_000_000,
    ) -> PriceSheet {
        let tiers = tiers
            .into_iter()
            .map(|(above_prompt_tokens, rates)| PriceTier { above_prompt_tokens, rates })
            .collect();
        let fee = |at: usize| fees[at].map(Price::from_picos);
        let rates = rates.with(UsageKind::Searches, Price::from_picos(search));
        let (per_request, per_searching_call) = (fee(0), fee(1));
        PriceSheet { tiers, per_request, per_searching_call, ..sheet(rates) }
    }
}

prop_compose! {
    fn any_usage()(milli in proptest::collection::vec(proptest::option::of(0u64..1_000_000), 10))
        -> Usage {
        let mut usage = Usage::UNKNOWN;
        for (kind, milli) in TOKEN_KINDS.into_iter().zip(milli) {
            if let Some(milli) = milli {
                usage.set(kind, Quantity::from_milli(milli));
            }
        }
        usage
    }
}

/// The sheet with every tier's every price raised to at least that of every lower tier.
fn rising(mut sheet: PriceSheet) -> PriceSheet {
    sheet.tiers.sort_by_key(|tier| tier.above_prompt_tokens);
    sheet.tiers.dedup_by_key(|tier| tier.above_prompt_tokens);
    let mut floor: Vec<Price> = TOKEN_KINDS
        .into_iter()
        .map(|kind| sheet.price(kind, Quantity::ZERO).expect("plain prices are set"))
        .collect();
    for tier in &mut sheet.tiers {
        for (kind, floor) in TOKEN_KINDS.into_iter().zip(&mut floor) {
            *floor = (*floor).max(tier.rates.get(kind).unwrap_or(*floor));
            tier.rates.set(kind, *floor);
        }
    }
    sheet
}

proptest! {
    #[test]
    fn a_cost_never_falls_when_a_quantity_grows(
        sheet in any_sheet(), usage in any_usage(), at in 0usize..10, more in 0u64..1_000_000,
    ) {
        // A list that makes long prompts cheaper could break this; no provider publishes one.
        let sheet = rising(sheet);
        let kind = TOKEN_KINDS[at];
        let quantity = usage.quantity(kind).unwrap_or(Quantity::ZERO);
        let larger = usage.clone().with(kind, quantity.plus(Quantity::from_milli(more)));
        prop_assert!(sheet.cost(&usage)? <= sheet.cost(&larger)?);
    }

    #[test]
    fn no_usage_within_the_bound_costs_more_than_the_bound(
        sheet in any_sheet(), usage in any_usage(), slack in [0u64..2_000_000, 0u64..2_000_000],
        searches in 0u64..20, more in 0u64..3,
    ) {
        let room = |used: Option<Quantity>, slack| {
            used.unwrap_or(Quantity::ZERO).plus(Quantity::from_milli(slack))
        };
        let (prompt, completion) =
            (room(usage.prompt(), slack[0]), room(usage.completion(), slack[1]));
        let usage = usage.with(UsageKind::Searches, Quantity::whole(searches));
        let extras = Extras { searches: Some(searches + more), ..Extras::NONE };
        let most = sheet.upper_bound(&Bound { prompt, completion }, &extras)?;
        prop_assert!(sheet.cost(&usage)? <= most);
    }

    #[test]
    fn what_nothing_limits_holds_the_reserve_on_top_of_all_that_is_limited(
        sheet in any_sheet(), tokens in 0u64..10_000, nanos in 0i64..1_000_000, unmeasured: bool,
    ) {
        let bound = Bound { prompt: Quantity::whole(tokens), completion: Quantity::whole(tokens) };
        let reserve = Money::from_nanos(nanos);
        let extras = Extras { searches: None, unmeasured, reserve };
        let without = Extras { searches: Some(0), unmeasured: false, reserve };
        let open = sheet.upper_bound(&bound, &extras)?;
        let closed = sheet.upper_bound(&bound, &without)?;
        if sheet.is_open(&extras) {
            prop_assert!(open >= closed.saturating_add(reserve));
        } else {
            let once = Extras { searches: Some(1), ..without };
            prop_assert_eq!(open, sheet.upper_bound(&bound, &once)?);
        }
    }
}
