//! The limits of providers and deployments, which a call meets each time it is sent to one.

use std::sync::Arc;

use tollgate_config::{Deployment, Settings};
use tollgate_domain::{Level, Subject};
use tollgate_faults::Refusal;
use tollgate_policy::{Bounds, Demand, Limits};
use tollgate_store::{Claims, LevelRecord};

use crate::admit::exceeded;
use crate::authenticate;
use crate::gate::Gate;

/// Claims what a call demands of a deployment and its provider, beside what it holds already.
///
/// # Errors
/// Refused when a budget or a rate of either does not allow it; another deployment may.
pub(crate) async fn enter(
    gate: &Gate,
    settings: &Settings,
    deployment: &Deployment,
    demand: &Demand,
) -> Result<Claims, Refusal> {
    let levels = levels(gate, settings, deployment).await?;
    if levels.is_empty() {
        return Ok(Claims::default());
    }
    let now = gate.now();
    let claims = gate.keys().claim(&levels, &[], demand, now).await;
    claims.map_err(|error| exceeded::not_claimed(&error, now))
}

/// Those of the two that have limits.
async fn levels(
    gate: &Gate,
    settings: &Settings,
    deployment: &Deployment,
) -> Result<Vec<Arc<LevelRecord>>, Refusal> {
    let mut levels = Vec::new();
    let provider = deployment.provider.name.as_str();
    if let Some(limits) = settings.budgets.providers.get(provider) {
        let subject = Subject::new(Level::Provider, provider);
        levels.push(fixed(gate, &subject, limits).await?);
    }
    if *deployment.bounds != Bounds::default() {
        let subject = Subject::new(Level::Deployment, deployment.id.as_str());
        let limits = Limits { whole: Bounds::clone(&deployment.bounds), ..Limits::default() };
        levels.push(fixed(gate, &subject, &limits).await?);
    }
    Ok(levels)
}

/// Somebody whose limits the configuration sets.
pub(crate) async fn fixed(
    gate: &Gate,
    subject: &Subject,
    limits: &Limits,
) -> Result<Arc<LevelRecord>, Refusal> {
    let level = gate.keys().fixed(subject, limits).await;
    level.map_err(|problem| authenticate::unreachable(&problem))
}
