//! What a call consumed, in disjoint kinds: no token is counted under two of them.

use thiserror::Error;

use crate::{NotADecimal, parse_scaled};

/// A quantity in thousandths of its unit.
///
/// Vendors report fractional tokens and fractional seconds; thousandths keep both exact in an
/// integer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(u64);

/// Why a reported number is not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// Not a finite decimal number.
    #[error("not a finite decimal number")]
    NotANumber,
    /// Below zero.
    #[error("a quantity is never negative")]
    Negative,
    /// Larger than [`Quantity::MAX`].
    #[error("larger than any call could consume")]
    OutOfRange,
}

impl Quantity {
    /// Nothing consumed, which is a known quantity.
    pub const ZERO: Self = Self(0);
    /// The largest quantity, 10¹² units: above any real call, and small enough that a sum of every
    /// kind fits.
    pub const MAX: Self = Self(1_000_000_000_000_000);

    /// A whole number of units, held at [`Quantity::MAX`].
    #[must_use]
    pub const fn whole(units: u64) -> Self {
        Self::from_milli(units.saturating_mul(1000))
    }

    /// A number of thousandths of a unit, held at [`Quantity::MAX`].
    #[must_use]
    pub const fn from_milli(milli: u64) -> Self {
        if milli > Self::MAX.0 { Self::MAX } else { Self(milli) }
    }

    /// The quantity in thousandths of its unit.
    #[must_use]
    pub const fn milli(self) -> u64 {
        self.0
    }

    /// The quantity in whole units, rounded half up.
    #[must_use]
    pub const fn rounded(self) -> u64 {
        (self.0 + 500) / 1000
    }

    /// Reads a reported number (`14417.92`).
    ///
    /// # Errors
    /// [`QuantityError`] when the text is not a finite number, is negative or is absurdly large.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let scaled = parse_scaled(text, 3).map_err(|NotADecimal| QuantityError::NotANumber)?;
        if scaled.value < 0 {
            return Err(QuantityError::Negative);
        }
        match u64::try_from(scaled.value) {
            Ok(milli) if milli <= Self::MAX.0 => Ok(Self(milli)),
            _ => Err(QuantityError::OutOfRange),
        }
    }

    /// The sum, held at [`Quantity::MAX`].
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self::from_milli(self.0.saturating_add(other.0))
    }

    /// The difference, never below zero.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// What one unit of a kind is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A model token.
    Token,
    /// A generated image.
    Image,
    /// A character of text.
    Character,
    /// A second of audio or video.
    Second,
    /// A search or rerank query.
    Search,
}

/// The disjoint kinds of consumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum UsageKind {
    /// Plain input tokens: neither read from nor written to a cache, neither audio nor image.
    Input,
    /// Input tokens read from the provider's prompt cache.
    CachedRead,
    /// Input tokens written to the provider's prompt cache at its short time to live.
    CacheWrite,
    /// Input tokens written to the provider's prompt cache at its one-hour time to live.
    CacheWriteLong,
    /// Audio input tokens.
    InputAudio,
    /// Image input tokens.
    InputImage,
    /// Plain output tokens: neither reasoning nor audio nor image.
    Output,
    /// Reasoning output tokens.
    Reasoning,
    /// Audio output tokens.
    OutputAudio,
    /// Image output tokens.
    OutputImage,
    /// Generated images, where they are billed by piece.
    Images,
    /// Input characters, where text is billed by character.
    Characters,
    /// Seconds of audio or video.
    Seconds,
    /// Searches or rerank queries.
    Searches,
}

impl UsageKind {
    /// How many kinds there are.
    pub const COUNT: usize = Self::ALL.len();
    /// Every kind, in order.
    pub const ALL: [Self; 14] = [
        Self::Input,
        Self::CachedRead,
        Self::CacheWrite,
        Self::CacheWriteLong,
        Self::InputAudio,
        Self::InputImage,
        Self::Output,
        Self::Reasoning,
        Self::OutputAudio,
        Self::OutputImage,
        Self::Images,
        Self::Characters,
        Self::Seconds,
        Self::Searches,
    ];

    /// The kind's name in records: the ledger's columns and the price list use it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::CachedRead => "cached_read",
            Self::CacheWrite => "cache_write",
            Self::CacheWriteLong => "cache_write_long",
            Self::InputAudio => "input_audio",
            Self::InputImage => "input_image",
            Self::Output => "output",
            Self::Reasoning => "reasoning",
            Self::OutputAudio => "output_audio",
            Self::OutputImage => "output_image",
            Self::Images => "images",
            Self::Characters => "characters",
            Self::Seconds => "seconds",
            Self::Searches => "searches",
        }
    }

    /// What one unit of this kind is.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Images => Unit::Image,
            Self::Characters => Unit::Character,
            Self::Seconds => Unit::Second,
            Self::Searches => Unit::Search,
            Self::Input
            | Self::CachedRead
            | Self::CacheWrite
            | Self::CacheWriteLong
            | Self::InputAudio
            | Self::InputImage
            | Self::Output
            | Self::Reasoning
            | Self::OutputAudio
            | Self::OutputImage => Unit::Token,
        }
    }

    /// Whether the kind belongs to the prompt.
    #[must_use]
    pub const fn is_prompt(self) -> bool {
        matches!(
            self,
            Self::Input
                | Self::CachedRead
                | Self::CacheWrite
                | Self::CacheWriteLong
                | Self::InputAudio
                | Self::InputImage
        )
    }

    /// Whether the kind belongs to the completion.
    #[must_use]
    pub const fn is_completion(self) -> bool {
        matches!(self, Self::Output | Self::Reasoning | Self::OutputAudio | Self::OutputImage)
    }
}

/// What a call consumed, by kind. A kind that nobody reported is unknown, which is not zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    by_kind: [Option<Quantity>; UsageKind::COUNT],
}

impl Usage {
    /// Nothing known about any kind.
    pub const UNKNOWN: Self = Self { by_kind: [None; UsageKind::COUNT] };

    /// The quantity of a kind, or `None` when nobody reported it.
    #[must_use]
    pub const fn quantity(&self, kind: UsageKind) -> Option<Quantity> {
        self.by_kind[kind as usize]
    }

    /// Records the quantity of a kind.
    pub const fn set(&mut self, kind: UsageKind, quantity: Quantity) {
        self.by_kind[kind as usize] = Some(quantity);
    }

    /// The same usage with the quantity of one kind recorded.
    #[must_use]
    pub const fn with(mut self, kind: UsageKind, quantity: Quantity) -> Self {
        self.set(kind, quantity);
        self
    }

    /// The kinds that are known, with their quantities, in the order of [`UsageKind::ALL`].
    pub fn known(&self) -> impl Iterator<Item = (UsageKind, Quantity)> + '_ {
        UsageKind::ALL.into_iter().filter_map(|kind| Some((kind, self.quantity(kind)?)))
    }

    /// Whether no kind is known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.known().next().is_none()
    }

    /// All prompt tokens, cached ones included, or `None` when no prompt kind is known.
    #[must_use]
    pub fn prompt(&self) -> Option<Quantity> {
        self.sum(UsageKind::is_prompt)
    }

    /// All completion tokens, reasoning included, or `None` when no completion kind is known.
    #[must_use]
    pub fn completion(&self) -> Option<Quantity> {
        self.sum(UsageKind::is_completion)
    }

    /// All tokens that are known, rounded up to a whole one.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        let belongs = |kind: UsageKind| kind.is_prompt() || kind.is_completion();
        self.sum(belongs).map_or(0, |tokens| tokens.milli().div_ceil(1000))
    }

    fn sum(&self, belongs: impl Fn(UsageKind) -> bool) -> Option<Quantity> {
        self.known()
            .filter(|(kind, _)| belongs(*kind))
            .map(|(_, quantity)| quantity)
            .reduce(Quantity::plus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_nobody_reported_is_unknown_rather_than_zero() {
        let usage = Usage::UNKNOWN.with(UsageKind::Input, Quantity::ZERO);
        assert_eq!(usage.prompt(), Some(Quantity::ZERO));
        assert_eq!(usage.completion(), None);
        assert!(!usage.is_unknown());
        assert!(Usage::UNKNOWN.is_unknown());
    }

    #[test]
    fn prompt_and_completion_sum_their_disjoint_kinds() {
        let usage = Usage::UNKNOWN
            .with(UsageKind::Input, Quantity::whole(10))
            .with(UsageKind::CachedRead, Quantity::whole(90))
            .with(UsageKind::Output, Quantity::whole(5))
            .with(UsageKind::Reasoning, Quantity::whole(7));
        assert_eq!(usage.prompt(), Some(Quantity::whole(100)));
        assert_eq!(usage.completion(), Some(Quantity::whole(12)));
    }

    #[test]
    fn fractional_quantities_are_exact_to_the_thousandth() {
        assert_eq!(Quantity::parse("14417.92"), Ok(Quantity::from_milli(14_417_920)));
        assert_eq!(Quantity::parse("14417.92").map(Quantity::rounded), Ok(14_418));
        assert_eq!(Quantity::parse("-1"), Err(QuantityError::Negative));
        assert_eq!(Quantity::parse("1e30"), Err(QuantityError::OutOfRange));
        assert_eq!(Quantity::parse("none"), Err(QuantityError::NotANumber));
    }

    #[test]
    fn every_kind_stands_at_its_own_index() {
        for (index, kind) in UsageKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
    }
}
