//! A token service that answers as it is told and remembers what it was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rig::listener;

/// A service on the loopback.
pub(crate) struct Authority {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// A path's beginning, the status and the body. The last route that fits answers.
pub(crate) type Route = (&'static str, u16, &'static str);

impl Authority {
    pub(crate) async fn start(routes: &'static [Route]) -> Self {
        let (listener, addr) = listener().await;
        let url = format!("http://{addr}");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, routes, Arc::clone(&seen)));
            }
        });
        Self { url, asked }
    }

    /// Every request so far: head, an empty line, body.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test has failed").clone()
    }

    /// How many requests so far went to a path that begins so.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.asked().iter().filter(|text| path_of(text).starts_with(path)).count()
    }

    /// The last request to a path that begins so.
    pub(crate) fn last(&self, path: &str) -> String {
        let found = self.asked().into_iter().rfind(|text| path_of(text).starts_with(path));
        found.unwrap_or_else(|| panic!("`{path}` was not asked: {:?}", self.asked()))
    }
}

async fn serve(mut socket: TcpStream, routes: &[Route], seen: Arc<Mutex<Vec<String>>>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
                let route = routes.iter().rfind(|route| path_of(&text).starts_with(route.0));
                let (status, body) = route.map_or((404, ""), |route| (route.1, route.2));
                seen.lock().expect("no test has failed").push(text.clone());
                let length = body.len();
                let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n\r\n");
                socket.write_all(format!("{head}{body}").as_bytes()).await.expect("it is read");
                bytes.clear();
                continue;
            }
        }
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

fn path_of(text: &str) -> &str {
    text.split(' ').nth(1).unwrap_or_default()
}
