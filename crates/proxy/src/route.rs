//! Who may serve the call, in order. A shell around one pure function.

use std::sync::Arc;

use tollgate_config::{Deployment, Resolved, Settings};
use tollgate_domain::Random;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Candidate, plan};

use crate::ingress::Call;

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
    call: &Call,
    random: &dyn Random,
) -> Result<Plan, Refusal> {
    let able = able(resolved, call);
    let candidates: Vec<Candidate> = able.iter().map(|deployment| deployment.candidate).collect();
    let attempts_max =
        usize::try_from(settings.num_retries).unwrap_or(usize::MAX).saturating_add(1);
    let deployments: Vec<Arc<Deployment>> = plan(&candidates, &mut || random.draw())
        .into_iter()
        .filter_map(|index| able.get(index).map(|deployment| Arc::clone(deployment)))
        .take(attempts_max)
        .collect();
    if deployments.is_empty() {
        let message = format!("no deployment of `{}` can serve calls", resolved.group);
        return Err(Refusal::new(Reason::AllDeploymentsFailing, message));
    }
    Ok(Plan { deployments })
}

/// The deployments that can be asked at all. A call that goes on from an answer which only its
/// upstream keeps is for those that speak its format; where there are none, the first that is tried
/// says so.
fn able<'r>(resolved: &'r Resolved, call: &Call) -> Vec<&'r Arc<Deployment>> {
    let all = || resolved.deployments.iter();
    if call.kept_elsewhere.is_none() {
        return all().collect();
    }
    let format = call.request.format.wire();
    let speaks = |deployment: &Deployment| {
        deployment.endpoint(format).is_some_and(|endpoint| endpoint.format == format)
    };
    let speaking: Vec<_> = all().filter(|deployment| speaks(deployment)).collect();
    if speaking.is_empty() { all().collect() } else { speaking }
}
