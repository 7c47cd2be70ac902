//! The least that a second hop can be: a process that copies bytes between two connections and
//! looks at none.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

/// Listens on a free port, says where, and forwards every connection to `upstream` until it is
/// asked to end.
///
/// # Errors
/// When it cannot listen.
#[expect(clippy::print_stdout, reason = "the one who started this waits for the line")]
pub(crate) async fn forward(upstream: SocketAddr) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen")?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("The hop is ready at http://{}", listener.local_addr()?);
    loop {
        let (client, _) = tokio::select! {
            accepted = listener.accept() => accepted.context("cannot accept a connection")?,
            _ = terminate.recv() => return Ok(()),
        };
        tokio::spawn(async move {
            // A connection that breaks is missed by the load at its other end, which says so.
            let _ = connect(client, upstream).await;
        });
    }
}

async fn connect(mut client: TcpStream, upstream: SocketAddr) -> std::io::Result<()> {
    let mut server = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
