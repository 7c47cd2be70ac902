//! The management API asks the data path who calls, so that both agree.

use std::sync::Arc;

use http::HeaderMap;
use tollgate_admin::{Actor, Gatekeeper, Identifying};
use tollgate_config::Snapshot;
use tollgate_proxy::{Caller, Gate, authenticate};

/// The data path's own authentication, lent to the management API.
pub(crate) struct ProxyGatekeeper(pub(crate) Arc<Gate>);

impl Gatekeeper for ProxyGatekeeper {
    fn docs_base(&self) -> String {
        self.0.snapshot().settings.docs_base.clone()
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshot()
    }

    fn identify<'a>(&'a self, asks: (&'a HeaderMap, &'a str)) -> Identifying<'a> {
        Box::pin(async move {
            let snapshot = self.0.snapshot();
            Ok(match authenticate(&self.0, asks, &snapshot.settings).await? {
                Caller::Master => Actor::Master,
                Caller::Key { record, .. } => Actor::Key(record),
            })
        })
    }
}
