//! A connection to a server that a test can cut and mend.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Forwards a local port to a server, as long as it is whole. Gone when it is dropped.
#[derive(Debug)]
pub struct Cable {
    address: SocketAddr,
    whole: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Cable {
    /// A whole cable to the server at this address.
    ///
    /// # Panics
    /// When no local port is free.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (whole, state) = watch::channel(true);
        Self { address, whole, accepting: tokio::spawn(accept(listener, server, state)) }
    }

    /// The near end.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks every connection, and every new one at once.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Lets new connections through again.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.cut();
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, whole: watch::Receiver<bool>) {
    while let Ok((near, _)) = listener.accept().await {
        if *whole.borrow() {
            tokio::spawn(forward(near, server, whole.clone()));
        }
    }
}

/// Ends, and with it the connection, when either side does or the cable is cut.
async fn forward(mut near: TcpStream, server: SocketAddr, mut whole: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(server).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = whole.wait_for(|whole| !whole) => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn echo_server() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = socket.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        address
    }

    /// Whether a byte sent on this connection comes back.
    async fn answers(connection: &mut TcpStream) -> bool {
        let mut byte = [0];
        let sent = connection.write_all(b"x").await;
        sent.is_ok() && matches!(connection.read(&mut byte).await, Ok(1))
    }

    #[tokio::test]
    async fn a_cut_breaks_connections_and_a_mended_cable_takes_new_ones() {
        let cable = Cable::to(echo_server().await).await;
        let connect = || async { TcpStream::connect(cable.address()).await.expect("it accepts") };
        let mut connection = connect().await;
        assert!(answers(&mut connection).await);
        cable.cut();
        assert!(!answers(&mut connection).await);
        assert!(!answers(&mut connect().await).await);
        cable.mend();
        assert!(!answers(&mut connection).await);
        assert!(answers(&mut connect().await).await);
    }
}
