//! The simulated provider, on the core of the load.

use std::net::SocketAddr;

use super::{MessagesUpstream, Site, Target};
use crate::control;
use crate::process::{Process, command};

/// The running simulator, which answers as `setup/behaviours.json` says, and beside it what answers
/// in the Messages API.
pub(crate) struct Simulator {
    process: Process,
    address: SocketAddr,
    messages: MessagesUpstream,
}

impl Simulator {
    /// # Errors
    /// When it does not start or does not take its script.
    pub(crate) async fn start(site: &Site) -> anyhow::Result<Self> {
        let mut command = command(site.cores.map(|cores| cores.load), &site.binary);
        command.args(["simulate", "--port", "0"]);
        let mut process = Process::spawn("the simulator", command, &site.file("simulator.log"))?;
        let (address, _) = process.ready().await?;
        control::script(address, BEHAVIOURS).await?;
        Ok(Self { process, address, messages: MessagesUpstream::start().await? })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the Messages API is spoken.
    pub(crate) fn messages_address(&self) -> SocketAddr {
        self.messages.address()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Calls that go to it directly.
    pub(crate) fn target(&self) -> Target {
        let key = "sk-upstream".to_owned();
        Target { name: "direct", address: self.address, key, watched: None }
    }

    /// # Errors
    /// When it ended by itself or does not end.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.process.must_live()?;
        self.process.stop().await
    }
}

const BEHAVIOURS: &str = include_str!("../../setup/behaviours.json");
