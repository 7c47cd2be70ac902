//! A request counted by the provider that would answer it, in its own format.
//!
//! It is asked once and not for long. Nothing is charged for a count, and one that fails is no
//! failure of the call: who asks has an estimate.

use std::sync::Arc;
use std::time::Duration;

use tollgate_config::{Deployment, Settings};
use tollgate_upstream::{PhaseTimeouts, UpstreamRequest};
use tollgate_wire::translate::{count_body, read_count};

use crate::attempt::outgoing::betas;
use crate::attempt::proof::credential;
use crate::gate::Gate;
use crate::headers;
use crate::ingress::Call;

/// Longest wait for a count.
const COUNT_WAIT_MAX: Duration = Duration::from_secs(5);

/// Largest answer to a count, in bytes.
const COUNT_BYTES_MAX: u64 = 64 * 1024;

/// The tokens of a request as the first deployment that counts it says; `None` where none
/// does, or none can be asked.
pub(crate) async fn counted(
    gate: &Gate,
    settings: &Settings,
    call: &Call,
    deployments: &[Arc<Deployment>],
) -> Option<u64> {
    let format = call.request.format.wire();
    let (deployment, endpoint) =
        deployments.iter().filter(|one| !one.blocked).find_map(|deployment| {
            let endpoint = deployment.endpoint(format).filter(|at| at.format == format)?;
            Some((deployment, endpoint.counting()?))
        })?;
    if call.request.may_hold_own_seals() {
        return None;
    }
    let model = &deployment.upstream_model;
    let body = count_body(&endpoint, &call.request.body, model, &betas(call)).ok()??;
    let request = UpstreamRequest {
        url: deployment.url(&endpoint, false),
        auth: credential(deployment).ok()?,
        body,
        headers: headers::upstream(call, deployment, (&endpoint, false), settings),
    };
    let problem = match ask(gate, deployment, request).await {
        Ok(answer) => match read_count(&endpoint, &answer) {
            Some(tokens) => return Some(tokens),
            None => "its answer holds no count".to_owned(),
        },
        Err(problem) => problem,
    };
    tracing::debug!(deployment = %deployment.id, problem, "tokens are estimated");
    None
}

/// # Errors
/// Why there is no answer, in words.
async fn ask(
    gate: &Gate,
    deployment: &Deployment,
    request: UpstreamRequest,
) -> Result<bytes::Bytes, String> {
    let configured = &deployment.timeouts;
    let timeouts = PhaseTimeouts {
        connect: configured.connect.min(COUNT_WAIT_MAX),
        first_byte: COUNT_WAIT_MAX,
        idle: COUNT_WAIT_MAX,
        total: Some(COUNT_WAIT_MAX),
    };
    let answer = gate.upstream().send(request, timeouts).await;
    let answer = answer.map_err(|error| error.to_string())?;
    if answer.status != 200 {
        return Err(format!("status {}", answer.status));
    }
    answer.body.collect(COUNT_BYTES_MAX).await.map_err(|error| error.to_string())
}
