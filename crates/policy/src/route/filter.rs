//! Which deployments lack what a call needs.

use crate::route::tags::{self, Asked};
use crate::route::{Contender, Needs, PassedOver};

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
pub(super) enum Tagged<'a> {
    /// Those that are what the call asks for.
    Fitting(Asked<'a>),
    /// Those for calls that nobody is meant for.
    Default(Asked<'a>),
    /// All that are not excluded.
    NotExcluded(Asked<'a>),
    /// All.
    All,
}

impl<'a> Tagged<'a> {
    /// By the deployments that are fit otherwise. A call with tags goes to those that have them,
    /// else to the default ones; a call without goes to the default ones where there are any.
    pub(super) fn of<'c>(
        needs: &Needs<'a>,
        mut fit: impl Iterator<Item = &'c Contender<'c>>,
    ) -> Self {
        let Some(asked) = needs.tags.map(Asked::read) else { return Self::All };
        if asked.asks() {
            let any = fit.any(|one| asked.fits(one.tags, one.fits_client));
            return if any { Self::Fitting(asked) } else { Self::Default(asked) };
        }
        let any = fit.any(|one| tags::is_default(one.tags) && !asked.excludes(one.tags));
        if any { Self::Default(asked) } else { Self::NotExcluded(asked) }
    }

    /// Whether the deployment is left.
    pub(super) fn leaves(&self, contender: &Contender<'_>) -> bool {
        match self {
            Self::Fitting(asked) => asked.fits(contender.tags, contender.fits_client),
            Self::Default(asked) => {
                tags::is_default(contender.tags) && !asked.excludes(contender.tags)
            }
            Self::NotExcluded(asked) => !asked.excludes(contender.tags),
            Self::All => true,
        }
    }
}
