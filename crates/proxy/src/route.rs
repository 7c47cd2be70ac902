//! Who may serve the call, in order. A shell around one pure function.

use std::sync::Arc;

use tollgate_config::{Deployment, Resolved, Settings};
use tollgate_domain::Random;
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Candidate, plan};
use tollgate_wire::WireFormat;

use crate::continue_from::not_found;
use crate::ingress::Call;

/// The deployments to try for one call, in order, and no more of them than may be tried.
pub(crate) struct Plan {
    pub(crate) deployments: Vec<Arc<Deployment>>,
}

/// Plans the call. One that goes on from an answer which is not kept here goes only where the
/// provider may keep it.
///
/// # Errors
/// Refused when no deployment of the group can serve it.
pub(crate) fn route(
    resolved: &Resolved,
    settings: &Settings,
    call: &Call,
    random: &dyn Random,
) -> Result<Plan, Refusal> {
    let may_know = |deployment: &&Arc<Deployment>| {
        let format = WireFormat::OpenAiResponses;
        let native = || deployment.endpoint(format).is_some_and(|at| at.format == format);
        call.kept_elsewhere.is_none() || native()
    };
    let able: Vec<&Arc<Deployment>> = resolved.deployments.iter().filter(may_know).collect();
    if let (true, Some(name)) = (able.is_empty(), &call.kept_elsewhere) {
        return Err(not_found(name));
    }
    if !able.is_empty() && able.iter().all(|deployment| deployment.blocked) {
        let message = format!("every deployment of `{}` is blocked", resolved.group);
        return Err(Refusal::new(Reason::ModelBlocked, message).with_param("model"));
    }
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
