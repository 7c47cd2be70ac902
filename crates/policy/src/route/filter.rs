//! Which deployments lack what a call needs.

use crate::route::{Contender, Needs, PassedOver, tags};

/// Why the deployment cannot serve the call, but for its tags, which depend on the others.
pub(super) fn unfit(contender: &Contender<'_>, needs: &Needs<'_>) -> Option<PassedOver> {
    if !contender.candidate.available {
        return Some(PassedOver::Blocked);
    }
    if let Some(ability) = needs.abilities.missing_in(contender.abilities) {
        return Some(PassedOver::Lacks(ability));
    }
    if let (Some(input_max), Some(input_tokens)) = (contender.input_max, needs.input_tokens)
        && input_tokens > input_max
    {
        return Some(PassedOver::WindowTooSmall { input_max, input_tokens });
    }
    if needs.region.is_some() && contender.region != needs.region {
        return Some(PassedOver::OtherRegion);
    }
    None
}

/// Which of its rates the call would pass. As many requests as `rpm` says are served.
pub(super) fn over_rate(contender: &Contender<'_>, needs: &Needs<'_>) -> Option<PassedOver> {
    let (candidate, load) = (&contender.candidate, &contender.load);
    if candidate.rpm.is_some_and(|rpm| load.requests >= rpm) {
        return Some(PassedOver::OverRequests);
    }
    let tokens = load.tokens.saturating_add(needs.rate_tokens);
    candidate.tpm.is_some_and(|tpm| tokens > tpm).then_some(PassedOver::OverTokens)
}

/// Which deployments the tags of a call leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tagged {
    /// Those that are what the call asks for.
    Fitting,
    /// Those for calls that nobody is meant for.
    Default,
    /// All that are not excluded.
    All,
}

impl Tagged {
    /// By the deployments that are fit otherwise. A call with tags goes to those that have them,
    /// else to the default ones; a call without goes to the default ones where there are any.
    pub(super) fn of<'c>(
        needs: &Needs<'_>,
        mut fit: impl Iterator<Item = &'c Contender<'c>>,
    ) -> Self {
        let Some(ask) = needs.tags else { return Self::All };
        if ask.asks() {
            let any = fit.any(|one| ask.fits(one.tags, one.fits_client));
            return if any { Self::Fitting } else { Self::Default };
        }
        let any = fit.any(|one| tags::is_default(one.tags) && !ask.excludes(one.tags));
        if any { Self::Default } else { Self::All }
    }

    /// Whether the deployment is left.
    pub(super) fn leaves(self, contender: &Contender<'_>, needs: &Needs<'_>) -> bool {
        let Some(ask) = needs.tags else { return true };
        match self {
            Self::Fitting => ask.fits(contender.tags, contender.fits_client),
            Self::Default => tags::is_default(contender.tags) && !ask.excludes(contender.tags),
            Self::All => !ask.excludes(contender.tags),
        }
    }
}
