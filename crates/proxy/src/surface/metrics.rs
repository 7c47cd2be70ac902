//! `GET /metrics`: the state of the gateway for Prometheus, read at the moment it is asked for.
//!
//! Labels come from the configuration, never from what a client sent: a deployment's id, never a
//! key or its hash. Ids are the operator's, so only the master key sees them, unless the operator
//! opens the route.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tollgate_faults::{Dialect, Reason, Refusal};

use crate::authenticate::{Caller, authenticate};
use crate::gate::Gate;
use crate::refusal::refuse;

/// What a scraper asks the type of (OpenMetrics text).
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The deployment that a value belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDeployment {
    deployment: String,
}

/// The values at this moment.
pub(super) async fn show(State(gate): State<Arc<Gate>>, headers: HeaderMap) -> Response {
    match shown(&gate, &headers).await {
        Ok(text) => {
            let mut response = Response::new(Body::from(text));
            let kind = HeaderValue::from_static(CONTENT_TYPE);
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Err(refusal) => {
            let call = gate.random().call_id(gate.now()).to_string();
            refuse(&gate, &refusal, Dialect::OpenAi, &call)
        }
    }
}

/// Where they are read.
const PATH: &str = "/metrics";

async fn shown(gate: &Gate, headers: &HeaderMap) -> Result<String, Refusal> {
    let snapshot = gate.snapshot();
    if snapshot.settings.metrics_need_key {
        let caller = authenticate(gate, (headers, PATH), &snapshot.settings).await?;
        if !matches!(caller, Caller::Master) {
            let message = "only the master key may read the metrics";
            return Err(Refusal::new(Reason::ManagementForbidden, message));
        }
    }
    let mut out = String::new();
    encode(&mut out, &registry(gate))
        .map_err(|_| Refusal::new(Reason::GatewayBug, "the metrics cannot be written as text"))?;
    Ok(out)
}

fn registry(gate: &Gate) -> Registry {
    let (in_flight, depth) = (Family::<OfDeployment, Gauge>::default(), Family::default());
    for (deployment, gauges) in gate.queues().gauges() {
        let of = OfDeployment { deployment: deployment.as_str().to_owned() };
        in_flight.get_or_create(&of).set(i64::from(gauges.in_flight));
        let waiting: &Gauge = &depth.get_or_create(&of);
        waiting.set(i64::try_from(gauges.depth).unwrap_or(i64::MAX));
    }
    let reserved: Gauge<f64, AtomicU64> = Gauge::default();
    // Its decimal text, read as the nearest number: the value is only shown.
    reserved.set(gate.reservations().sum().to_string().parse().unwrap_or(0.0));
    let mut registry = Registry::default();
    registry.register("gateway_inflight", "Calls under way at a deployment", in_flight);
    registry.register("gateway_queue_depth", "Calls that wait for a deployment", depth);
    let help = "Dollars that calls under way hold of budgets";
    registry.register("gateway_budget_reserved", help, reserved);
    registry
}
