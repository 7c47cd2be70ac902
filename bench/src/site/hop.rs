//! The bare hop, on the core that is measured: what any second process costs on this machine.

use std::net::SocketAddr;

use anyhow::Context as _;

use super::{Simulator, Site, Target};
use crate::process::{Process, command};

/// This program, running once more to copy bytes.
pub(crate) struct Hop {
    process: Process,
    address: SocketAddr,
}

impl Hop {
    /// # Errors
    /// When it does not start.
    pub(crate) async fn start(site: &Site, simulator: &Simulator) -> anyhow::Result<Self> {
        let this = std::env::current_exe().context("this program cannot find itself")?;
        let mut command = command(site.cores().map(|cores| cores.measured), &this);
        command.arg("--forward-to").arg(simulator.address().to_string());
        let mut process = Process::spawn("the bare hop", command, &site.file("hop.log"))?;
        let (address, _) = process.ready().await?;
        Ok(Self { process, address })
    }

    pub(crate) fn target(&self) -> Target {
        let watched = Some(self.process.pid());
        Target { name: "bare hop", address: self.address, key: "sk-upstream".to_owned(), watched }
    }

    /// # Errors
    /// When it ended by itself or does not end.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.process.must_live()?;
        self.process.stop().await
    }
}
