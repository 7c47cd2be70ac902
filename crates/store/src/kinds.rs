//! Which quantities statements write. Most calls have few of them, and each takes time in every
//! row that names it.

use tollgate_domain::{Usage, UsageKind};

/// A set of quantities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u16);

impl Kinds {
    /// Those of which something is known in one of these usages.
    pub(crate) fn known<'a>(usages: impl Iterator<Item = &'a Usage>) -> Self {
        usages.fold(Self::default(), |kinds, usage| {
            usage.known().fold(kinds, |kinds, (kind, _)| kinds.and(kind))
        })
    }

    /// Those of which one of these sums has something.
    pub(crate) fn used<'a>(sums: impl Iterator<Item = &'a [i64; UsageKind::COUNT]>) -> Self {
        sums.fold(Self::default(), |kinds, sum| {
            let used = UsageKind::ALL.into_iter().filter(|kind| sum[*kind as usize] != 0);
            used.fold(kinds, Self::and)
        })
    }

    /// Those of either.
    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Each of them, in the order of [`UsageKind::ALL`].
    pub(crate) fn each(self) -> impl Iterator<Item = UsageKind> + Clone {
        UsageKind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }

    /// Each of the others, in the same order.
    pub(crate) fn others(self) -> impl Iterator<Item = UsageKind> + Clone {
        UsageKind::ALL.into_iter().filter(move |kind| !self.has(*kind))
    }

    const fn and(self, kind: UsageKind) -> Self {
        Self(self.0 | 1 << kind as u16)
    }

    const fn has(self, kind: UsageKind) -> bool {
        self.0 & 1 << kind as u16 != 0
    }
}

#[cfg(test)]
mod tests {
    use tollgate_domain::Quantity;

    use super::*;

    #[test]
    fn what_is_known_to_be_nothing_is_known_and_adds_nothing() {
        let usage = Usage::UNKNOWN
            .with(UsageKind::Input, Quantity::whole(7))
            .with(UsageKind::Searches, Quantity::ZERO);
        let known = Kinds::known([&usage, &Usage::UNKNOWN].into_iter());
        assert_eq!(known.each().collect::<Vec<_>>(), [UsageKind::Input, UsageKind::Searches]);
        let mut sum = [0; UsageKind::COUNT];
        sum[UsageKind::Input as usize] = 7;
        let used = Kinds::used([&sum].into_iter());
        assert_eq!(used.each().collect::<Vec<_>>(), [UsageKind::Input]);
        assert_eq!(used.with(known), known);
    }

    #[test]
    fn each_and_the_others_together_are_all() {
        for bits in [0, 1, 0b10_0000_0000_0001, 0b11_1111_1111_1111] {
            let kinds = Kinds(bits);
            let mut all: Vec<UsageKind> = kinds.each().chain(kinds.others()).collect();
            all.sort_unstable();
            assert_eq!(all, UsageKind::ALL);
        }
    }
}
