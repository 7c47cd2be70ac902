//! nginx as a plain reverse proxy, when it is installed: what a proxy that knows nothing of models
//! costs here.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpStream;
use tokio::process::Command;

use super::{Simulator, Site, Target};
use crate::clock;
use crate::process::{Process, command};

/// A running nginx.
pub(crate) struct Nginx {
    process: Process,
    address: SocketAddr,
    version: String,
}

impl Nginx {
    /// Starts nginx on the core that is measured; `None` when it is not installed.
    ///
    /// # Errors
    /// When it is installed and does not start.
    pub(crate) async fn start(site: &Site, simulator: &Simulator) -> anyhow::Result<Option<Self>> {
        let Some(version) = version().await? else { return Ok(None) };
        let address = free_address()?;
        let folder = site.folder().display().to_string();
        let config = CONFIG
            .replace("{{FOLDER}}", &folder)
            .replace("{{UPSTREAM}}", &simulator.address().to_string())
            .replace("{{LISTEN}}", &address.to_string());
        let config = site.write("nginx.conf", &config)?;
        let mut command = command(site.cores().map(|cores| cores.measured), Path::new(NGINX));
        command.args(["-e", "stderr", "-p", &folder, "-c"]).arg(config);
        let process = Process::spawn(NGINX, command, &site.file("nginx.log"))?;
        let mut nginx = Self { process, address, version };
        nginx.accepting().await?;
        Ok(Some(nginx))
    }

    /// What it calls itself.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn target(&self) -> Target {
        let watched = Some(self.process.pid());
        Target { name: NGINX, address: self.address, key: "sk-upstream".to_owned(), watched }
    }

    /// # Errors
    /// When it ended by itself or does not end.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.process.must_live()?;
        self.process.stop().await
    }

    /// It announces nothing, so it is ready when it accepts connections.
    async fn accepting(&mut self) -> anyhow::Result<()> {
        let began = clock::now();
        while began.elapsed() < ACCEPT_WAIT_MAX {
            self.process.must_live()?;
            if TcpStream::connect(self.address).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
        bail!("nginx accepts no connections after {ACCEPT_WAIT_MAX:?}")
    }
}

async fn version() -> anyhow::Result<Option<String>> {
    match Command::new(NGINX).arg("-v").output().await {
        Ok(said) => {
            let said = String::from_utf8_lossy(&said.stderr).into_owned();
            let version = said.lines().find_map(|line| line.split_once("version: "));
            Ok(Some(version.map_or(said.trim(), |(_, version)| version).to_owned()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("cannot run nginx"),
    }
}

/// An address that nothing listens on now.
fn free_address() -> anyhow::Result<SocketAddr> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen on loopback")?;
    probe.local_addr().context("cannot tell a free port")
}

const NGINX: &str = "nginx";
const CONFIG: &str = include_str!("../../setup/nginx.conf");
/// Longest wait for it to accept connections.
const ACCEPT_WAIT_MAX: Duration = Duration::from_secs(10);
/// The wait between two tries.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
