//! The management API sees how the data path is doing, and what it has.

use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use tollgate_admin::{Doing, Later, Running};
use tollgate_faults::Refusal;
use tollgate_proxy::Gate;
use tollgate_wire::Catalog;

/// The data path, lent to the management API.
pub(crate) struct ProxyRunning(pub(crate) Arc<Gate>);

impl Running for ProxyRunning {
    fn doing(&self) -> Pin<Box<dyn Future<Output = Doing> + Send + '_>> {
        Box::pin(async move {
            let readiness = self.0.readiness().await;
            let gauges = self.0.queues().gauges();
            Doing {
                reasons: readiness.reasons,
                notes: readiness.notes,
                in_flight: gauges.iter().map(|(_, gauges)| u64::from(gauges.in_flight)).sum(),
                waiting: gauges.iter().map(|(_, gauges)| gauges.depth as u64).sum(),
            }
        })
    }

    fn routes(&self) -> Vec<(&'static str, &'static str)> {
        let rows = tollgate_proxy::surface::routes();
        rows.into_iter().map(|row| (row.method, row.path)).collect()
    }

    fn prompt_tokens(&self, body: Bytes) -> Later<'_, u64> {
        Box::pin(async move { self.0.prompt_tokens(&body).await })
    }

    fn parameters(&self, model: &str) -> Option<Result<Vec<&'static str>, Refusal>> {
        self.0.parameters(model)
    }

    fn providers(&self) -> Vec<String> {
        PROVIDERS.clone()
    }
}

/// The names of all providers, read once: anybody may ask for them.
static PROVIDERS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let catalog = Catalog::embedded();
    let names = catalog.iter().flat_map(Catalog::iter);
    names.map(|provider| provider.name.as_str().to_owned()).collect()
});
