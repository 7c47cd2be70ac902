//! The gateway, on the core that is measured.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::{Simulator, Site, Target};
use crate::control;
use crate::process::{Process, command};

/// A running gateway.
pub(crate) struct Gateway {
    process: Process,
    address: SocketAddr,
}

/// A gateway that has just started.
pub(crate) struct Started {
    pub(crate) gateway: Gateway,
    /// From being started to being ready.
    pub(crate) ready_after: Duration,
}

impl Gateway {
    /// Starts one with a data directory of this name, which may exist.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn start(
        site: &Site,
        simulator: &Simulator,
        data: &str,
    ) -> anyhow::Result<Started> {
        let config: PathBuf = site.write("gateway.yaml", CONFIG)?;
        let mut command = command(site.cores.map(|cores| cores.measured), &site.binary);
        command.arg("serve").arg("--config").arg(config).args(["--port", "0", "--data-dir"]);
        command.arg(site.file(data));
        for name in CALLERS_SETTINGS {
            command.env_remove(name);
        }
        command.env("TOLLGATE_MASTER_KEY", MASTER_KEY);
        command.env("BENCH_SIMULATOR_URL", format!("http://{}/v1", simulator.address()));
        command.env("BENCH_MESSAGES_URL", format!("http://{}", simulator.messages_address()));
        let mut process = Process::spawn("the gateway", command, &site.file("gateway.log"))?;
        let (address, ready_after) = process.ready().await?;
        Ok(Started { gateway: Self { process, address }, ready_after })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The database in the data directory of this name.
    pub(crate) fn database(site: &Site, data: &str) -> PathBuf {
        site.file(data).join("tollgate.sqlite")
    }

    /// Calls with a virtual key of its own, so that key, budget and ledger all take part.
    ///
    /// # Errors
    /// When the gateway makes no key.
    pub(crate) async fn target(&self) -> anyhow::Result<Target> {
        let key = control::generate_key(self.address, MASTER_KEY).await?;
        let watched = Some(self.process.pid());
        Ok(Target { name: GATEWAY, address: self.address, key, watched })
    }

    /// # Errors
    /// When it ended by itself or does not end in order.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.process.must_live()?;
        self.process.stop().await
    }
}

/// What the gateway is called among the targets.
pub(crate) const GATEWAY: &str = "gateway";
const CONFIG: &str = include_str!("../../setup/gateway.yaml");
/// Only this machine can reach the gateway, and only for as long as it is measured.
pub(crate) const MASTER_KEY: &str = "sk-bench-master";
/// What the caller's environment may hold and the measured gateway must not see.
const CALLERS_SETTINGS: [&str; 8] = [
    "CONFIG_FILE_PATH",
    "DATABASE_URL",
    "HOST",
    "LITELLM_LOG",
    "LITELLM_MASTER_KEY",
    "PORT",
    "TOLLGATE_LOG",
    "TOLLGATE_SALT_KEY",
];
