//! How long an answer a remainder of money affords.

use tollgate_domain::{Money, Quantity};

use crate::bound::{Bound, Extras};
use crate::price::PriceSheet;

/// The most output tokens for each of `choices` answers, up to what `bound` has, with which a call
/// of the bound's prompt costs no more than `free` at any of the sheets, with the extras that stand
/// beside it. `None` when the call without an answer may cost more, or a sheet knows no price.
#[must_use]
pub fn affordable(
    sheets: &[(&PriceSheet, Extras)],
    bound: &Bound,
    choices: u64,
    free: Money,
) -> Option<u64> {
    let choices = choices.max(1);
    let affords = |each: u64| {
        let completion = Quantity::whole(each.saturating_mul(choices));
        let bound = Bound { completion, ..*bound };
        let within = |cost: Money| cost <= free;
        sheets.iter().all(|(sheet, extras)| sheet.upper_bound(&bound, extras).is_ok_and(within))
    };
    if !affords(0) {
        return None;
    }
    // Bounds grow with the tokens, so the last that fits is found by halving.
    let (mut fits, mut most) = (0, bound.completion.milli() / 1000 / choices);
    while fits < most {
        let middle = most - (most - fits) / 2;
        if affords(middle) {
            fits = middle;
        } else {
            most = middle - 1;
        }
    }
    Some(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tollgate_domain::{Price, PriceSheetId, UsageKind};

    use super::*;
    use crate::price::Rates;

    fn sheet(input: u64, output: u64) -> PriceSheet {
        let id = PriceSheetId::new("test@2026-01-01").expect("an id");
        let price = |micro: u64| Price::parse_dollars(&format!("{micro}e-9")).expect("a price");
        let rates = Rates::default().with(UsageKind::Input, price(input));
        let rates = rates.with(UsageKind::Output, price(output));
        let rates = rates.with(UsageKind::Searches, price(3_000));
        PriceSheet { id, rates, tiers: Vec::new(), per_request: None, per_searching_call: None }
    }

    fn with<'a>(sheets: &[&'a PriceSheet], extras: Extras) -> Vec<(&'a PriceSheet, Extras)> {
        sheets.iter().map(|sheet| (*sheet, extras)).collect()
    }

    fn bound(prompt: u64, completion: u64) -> Bound {
        Bound { prompt: Quantity::whole(prompt), completion: Quantity::whole(completion) }
    }

    #[test]
    fn the_dearest_deployment_and_every_choice_count() {
        let (cheap, dear) = (sheet(1_000, 2_000), sheet(1_000, 10_000));
        let free = Money::from_nanos(150_000);
        assert_eq!(
            affordable(&with(&[&cheap], Extras::NONE), &bound(50, 4_096), 1, free),
            Some(50)
        );
        assert_eq!(
            affordable(&with(&[&cheap, &dear], Extras::NONE), &bound(50, 4_096), 1, free),
            Some(10)
        );
        assert_eq!(
            affordable(&with(&[&cheap, &dear], Extras::NONE), &bound(50, 4_096), 3, free),
            Some(3)
        );
        assert_eq!(
            affordable(&with(&[&cheap], Extras::NONE), &bound(50, 7), 1, free),
            Some(7),
            "never more than asked"
        );
    }

    #[test]
    fn a_prompt_that_costs_too_much_leaves_no_answer() {
        let sheet = sheet(1_000, 2_000);
        let free = Money::from_nanos(50_000);
        assert_eq!(affordable(&with(&[&sheet], Extras::NONE), &bound(50, 10), 1, free), Some(0));
        assert_eq!(affordable(&with(&[&sheet], Extras::NONE), &bound(51, 10), 1, free), None);
        let unpriced = PriceSheet { rates: Rates::default(), ..sheet };
        assert_eq!(affordable(&with(&[&unpriced], Extras::NONE), &bound(1, 10), 1, free), None);
    }

    proptest! {
        #[test]
        fn what_is_afforded_never_costs_more_than_is_free_and_one_more_token_would(
            prices in prop::collection::vec((0u64..50_000, 0u64..50_000), 1..4),
            prompt in 0u64..100_000,
            each in 0u64..1_000_000,
            choices in 1u64..9,
            free in 0i64..10_000_000_000,
            searches in 0u64..4,
            unmeasured: bool,
        ) {
            let sheets: Vec<PriceSheet> = prices.iter().map(|(i, o)| sheet(*i, *o)).collect();
            let reserve = Money::from_nanos(7_000);
            let extras = Extras { searches: Some(searches), unmeasured, reserve };
            let sheets = with(&sheets.iter().collect::<Vec<_>>(), extras);
            let free = Money::from_nanos(free);
            let costs = |each: u64| {
                let completion = Quantity::whole(each * choices);
                let bound = Bound { prompt: Quantity::whole(prompt), completion };
                let bounds = sheets.iter().map(|(sheet, extras)| sheet.upper_bound(&bound, extras));
                bounds.map(|bound| bound.expect("a price")).max().expect("a sheet")
            };
            match affordable(&sheets, &bound(prompt, each * choices), choices, free) {
                None => prop_assert!(costs(0) > free),
                Some(most) => {
                    prop_assert!(most <= each && costs(most) <= free);
                    prop_assert!(most == each || costs(most + 1) > free);
                }
            }
        }
    }
}
