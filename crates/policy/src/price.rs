//! Price sheets: usage × price, computed wide and rounded once.

use thiserror::Error;
use tollgate_domain::{Money, Price, PriceSheetId, Quantity, Usage, UsageKind};

use crate::bound::{Bound, Extras};

/// The prices of one model from one date on. Sheets are never edited: a correction is a new sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceSheet {
    /// The sheet's identity, recorded in every ledger entry that was priced with it.
    pub id: PriceSheetId,
    /// The prices per unit.
    pub rates: Rates,
    /// Other prices for long prompts, in any order.
    pub tiers: Vec<PriceTier>,
    /// What every call costs on top of its quantities.
    pub per_request: Option<Price>,
    /// What a call that searched costs on top, where providers bill that rather than each search.
    pub per_searching_call: Option<Price>,
}

/// The prices of calls whose prompt is longer than a threshold. They apply to the whole call, not
/// only to the tokens above the threshold (runtime-semantics §14.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceTier {
    /// Applies when all prompt tokens together, cached ones included, are more than this.
    pub above_prompt_tokens: u64,
    /// The prices per unit. A kind without a price here keeps the sheet's.
    pub rates: Rates,
}

/// Prices per unit by usage kind. A kind without a price is unknown, which is not free.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rates {
    by_kind: [Option<Price>; UsageKind::COUNT],
}

/// Why a usage has no cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unpriced {
    /// Some of this kind was consumed and neither it nor a kind it falls back to has a price.
    #[error("no price for `{}`", .0.as_str())]
    Kind(UsageKind),
    /// The cost is larger than any amount of money, 9.2 billion dollars.
    #[error("the cost is outside the range of money")]
    OutOfRange,
}

impl Rates {
    /// The price of a kind itself, without looking at the kinds it falls back to.
    #[must_use]
    pub const fn get(&self, kind: UsageKind) -> Option<Price> {
        self.by_kind[kind as usize]
    }

    /// Sets the price of a kind.
    pub const fn set(&mut self, kind: UsageKind, price: Price) {
        self.by_kind[kind as usize] = Some(price);
    }

    /// The same rates with the price of one kind set.
    #[must_use]
    pub const fn with(mut self, kind: UsageKind, price: Price) -> Self {
        self.set(kind, price);
        self
    }

    /// The kinds that have a price, in the order of [`UsageKind::ALL`].
    pub fn known(&self) -> impl Iterator<Item = (UsageKind, Price)> + '_ {
        UsageKind::ALL.into_iter().filter_map(|kind| Some((kind, self.get(kind)?)))
    }
}

impl PriceSheet {
    /// What a usage costs: Σ quantity × price at the tier the prompt falls in, rounded half up to a
    /// nano-dollar once. A kind of which nothing was consumed needs no price.
    ///
    /// # Errors
    /// [`Unpriced`] when a consumed kind has no price or the sum is no amount of money.
    pub fn cost(&self, usage: &Usage) -> Result<Money, Unpriced> {
        let prompt = usage.prompt().unwrap_or(Quantity::ZERO);
        let mut sum = self.request_share();
        for (kind, quantity) in usage.known().filter(|(_, quantity)| *quantity > Quantity::ZERO) {
            sum += match (kind, self.per_searching_call) {
                (UsageKind::Searches, Some(price)) => share(Quantity::whole(1), price),
                _ => share(quantity, self.price(kind, prompt).ok_or(Unpriced::Kind(kind))?),
            };
        }
        rounded(sum)
    }

    /// The most that a call can cost whose prompt, completion and extras are at most these, however
    /// its tokens divide into kinds and whichever tier its prompt falls in. Where nothing bounds an
    /// extra, its reserve stands for it ([`PriceSheet::is_open`]).
    ///
    /// # Errors
    /// [`Unpriced`] when plain input or output, or a search that may be made, has no price, or the
    /// sum is no amount of money.
    pub fn upper_bound(&self, bound: &Bound, extras: &Extras) -> Result<Money, Unpriced> {
        let Bound { prompt, completion } = *bound;
        let mut sum = self.request_share() + self.search_share(extras, prompt)?;
        if prompt > Quantity::ZERO {
            let price = self.highest(UsageKind::is_prompt, UsageKind::Input, prompt)?;
            sum += share(prompt, price);
        }
        if completion > Quantity::ZERO {
            let price = self.highest(UsageKind::is_completion, UsageKind::Output, prompt)?;
            sum += share(completion, price);
        }
        let reserve = if self.is_open(extras) { extras.reserve } else { Money::ZERO };
        rounded(sum).map(|cost| cost.saturating_add(reserve))
    }

    /// Whether a call with these extras may cost any amount.
    #[must_use]
    pub fn is_open(&self, extras: &Extras) -> bool {
        let free = || self.price_in(None, UsageKind::Searches) == Some(Price::FREE);
        let endless = extras.searches.is_none() && self.per_searching_call.is_none() && !free();
        extras.unmeasured || endless
    }

    /// Whether a search has a price.
    pub(crate) fn prices_searches(&self) -> bool {
        self.per_searching_call.or_else(|| self.price_in(None, UsageKind::Searches)).is_some()
    }

    /// What the searches of a call cost at most, where that is known.
    fn search_share(&self, extras: &Extras, prompt: Quantity) -> Result<i128, Unpriced> {
        if extras.searches == Some(0) {
            return Ok(0);
        }
        if let Some(price) = self.per_searching_call {
            return Ok(share(Quantity::whole(1), price));
        }
        let price =
            self.highest(|kind| kind == UsageKind::Searches, UsageKind::Searches, prompt)?;
        Ok(extras.searches.map_or(0, |most| share(Quantity::whole(most), price)))
    }

    /// The price of one unit of a kind in a call with this prompt: the tier's price or else the
    /// sheet's, of the kind or else of the kinds it falls back to.
    #[must_use]
    pub fn price(&self, kind: UsageKind, prompt: Quantity) -> Option<Price> {
        self.price_in(self.tier(prompt), kind)
    }

    fn price_in(&self, tier: Option<&PriceTier>, kind: UsageKind) -> Option<Price> {
        let own = |kind| tier.and_then(|tier| tier.rates.get(kind)).or(self.rates.get(kind));
        let mut wanted = Some(kind);
        while let Some(kind) = wanted {
            if let Some(price) = own(kind) {
                return Some(price);
            }
            wanted = fallback(kind);
        }
        None
    }

    /// The tier with the highest threshold that the prompt exceeds.
    fn tier(&self, prompt: Quantity) -> Option<&PriceTier> {
        self.reachable(prompt).max_by_key(|tier| tier.above_prompt_tokens)
    }

    /// The tiers that this prompt, or a shorter one, can fall in.
    fn reachable(&self, prompt: Quantity) -> impl Iterator<Item = &PriceTier> {
        self.tiers.iter().filter(move |tier| {
            u128::from(prompt.milli()) > u128::from(tier.above_prompt_tokens) * 1000
        })
    }

    /// The highest price over all kinds of one side and all tiers that can apply. `plain` is what
    /// every kind of that side falls back to: without its price a token may have none.
    fn highest(
        &self,
        belongs: fn(UsageKind) -> bool,
        plain: UsageKind,
        prompt: Quantity,
    ) -> Result<Price, Unpriced> {
        let plain_price = self.price_in(None, plain).ok_or(Unpriced::Kind(plain))?;
        let kinds = || UsageKind::ALL.into_iter().filter(|kind| belongs(*kind));
        let tiers = std::iter::once(None).chain(self.reachable(prompt).map(Some));
        let prices = tiers.flat_map(|tier| kinds().filter_map(move |k| self.price_in(tier, k)));
        Ok(prices.max().unwrap_or(plain_price))
    }

    fn request_share(&self) -> i128 {
        self.per_request.map_or(0, |price| share(Quantity::whole(1), price))
    }
}

/// The kind whose price is used for a kind that has none of its own.
const fn fallback(kind: UsageKind) -> Option<UsageKind> {
    match kind {
        UsageKind::CacheWriteLong => Some(UsageKind::CacheWrite),
        UsageKind::CachedRead
        | UsageKind::CacheWrite
        | UsageKind::InputAudio
        | UsageKind::InputImage => Some(UsageKind::Input),
        UsageKind::Reasoning | UsageKind::OutputAudio | UsageKind::OutputImage => {
            Some(UsageKind::Output)
        }
        UsageKind::Input
        | UsageKind::Output
        | UsageKind::Images
        | UsageKind::Characters
        | UsageKind::Seconds
        | UsageKind::Searches => None,
    }
}

/// One product in thousandths of a pico-dollar. The largest is 10¹⁵ × 2⁶⁴ < 2¹¹⁴, so that a sum
/// over every kind stays within `i128`.
fn share(quantity: Quantity, price: Price) -> i128 {
    i128::from(quantity.milli()) * i128::from(price.picos())
}

/// Thousandths of a pico-dollar to nano-dollars, half up. Sums are never negative.
fn rounded(sum: i128) -> Result<Money, Unpriced> {
    Money::try_from_nanos((sum + SHARES_PER_NANO / 2) / SHARES_PER_NANO)
        .map_err(|_| Unpriced::OutOfRange)
}

/// Thousandths of a pico-dollar in a nano-dollar.
const SHARES_PER_NANO: i128 = 1_000_000;

#[cfg(test)]
mod tests;
