//! `tollgate simulate`: the simulated provider on its own.

use std::net::{IpAddr, SocketAddr};

use anyhow::Context as _;
use tollgate_simulator::{Script, Simulator};

use crate::shutdown::EndSignals;
use crate::telemetry;

/// What `simulate` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Simulate {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    /// The port to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4010)]
    port: u16,
}

impl Simulate {
    #[expect(clippy::print_stdout, reason = "where it listens is this command's output")]
    pub(super) fn run(&self) -> anyhow::Result<()> {
        telemetry::start();
        let address = SocketAddr::new(self.host, self.port);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let signals = EndSignals::listen()?;
            let simulator = Simulator::start(address, Script::default())
                .await
                .with_context(|| format!("cannot listen on {address}"))?;
            println!("The simulated provider is ready at http://{}/v1", simulator.addr());
            signals.requested().await;
            simulator.shutdown().await;
            Ok(())
        })
    }
}
