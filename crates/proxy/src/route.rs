//! Who may serve the call, in order. A shell around one pure function.

use std::sync::Arc;

use tollgate_config::{Deployment, Resolved, Settings};
use tollgate_domain::Random;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Candidate, plan};

/// The deployments to try for one call, in order, and no more of them than may be tried.
pub(crate) struct Plan {
    pub(crate) deployments: Vec<Arc<Deployment>>,
}

/// Plans the call.
///
/// # Errors
/// Refused when no deployment of the group can serve it.
pub(crate) fn route(
    resolved: &Resolved,
    settings: &Settings,
    random: &dyn Random,
) -> Result<Plan, Refusal> {
    let candidates: Vec<Candidate> =
        resolved.deployments.iter().map(|deployment| deployment.candidate).collect();
    let attempts_max =
        usize::try_from(settings.num_retries).unwrap_or(usize::MAX).saturating_add(1);
    let deployments: Vec<Arc<Deployment>> = plan(&candidates, &mut || random.draw())
        .into_iter()
        .filter_map(|index| resolved.deployments.get(index).map(Arc::clone))
        .take(attempts_max)
        .collect();
    if deployments.is_empty() {
        let message = format!("no deployment of `{}` can serve calls", resolved.group);
        return Err(Refusal::new(Reason::AllDeploymentsFailing, message));
    }
    Ok(Plan { deployments })
}
