//! TLS: whom we trust and whom we do not.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tollgate_upstream::{DispatchError, Dispatcher, PoolOptions};

use crate::rig::{BUFFERED, PATIENT, dispatcher, dispatcher_with, request, soon};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

pub(crate) fn trusting() -> PoolOptions {
    PoolOptions { ca_file: Some(fixture("ca.pem")), ..PoolOptions::default() }
}

/// A server on 127.0.0.1; see [`secure_server_on`].
pub(crate) fn secure_server() -> SocketAddr {
    secure_server_on("127.0.0.1")
}

/// A server with the certificate of `localhost` and 127.0.0.1 that offers HTTP/2 and HTTP/1.1, and
/// answers with the protocol that was chosen.
fn secure_server_on(host: &str) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificates = CertificateDer::pem_file_iter(fixture("server.pem")).expect("a file");
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).expect("a key");
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(certificates.map(|c| c.expect("a certificate")).collect(), key)
        .expect("a certificate with its key");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind((host, 0)).expect("a free port");
    let addr = listener.local_addr().expect("an address");
    // It ends with the test's process: one connection at a time, until nobody comes any more.
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let _ = answer(&mut StreamOwned::new(connection, socket));
        }
    });
    addr
}

fn answer(stream: &mut StreamOwned<ServerConnection, std::net::TcpStream>) -> std::io::Result<()> {
    let mut seen = Vec::new();
    let mut buffer = [0; 1024];
    while !seen.ends_with(BUFFERED.as_bytes()) {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => seen.extend_from_slice(&buffer[..count]),
        }
    }
    let chosen = stream.conn.alpn_protocol().unwrap_or(b"none").to_vec();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", chosen.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(&chosen)?;
    stream.flush()
}

async fn call(dispatcher: &Dispatcher, url: &str) -> Result<String, DispatchError> {
    let answer = soon(dispatcher.send(request(url, BUFFERED), PATIENT)).await?;
    let body = soon(answer.body.collect(100)).await?;
    Ok(String::from_utf8(body.to_vec()).expect("UTF-8"))
}

#[tokio::test]
async fn an_authority_from_the_ca_file_is_trusted_and_http_1_is_spoken() {
    let addr = secure_server();
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{}/", addr.port());
        let said = call(&dispatcher_with(trusting()), &url).await;
        assert_eq!(said.as_deref(), Ok("http/1.1"), "{host}");
    }
}

#[tokio::test]
async fn an_unknown_authority_is_not_trusted() {
    let url = format!("https://localhost:{}/", secure_server().port());
    let error = call(&dispatcher(), &url).await.expect_err("no trust");
    let DispatchError::Unreachable { detail, .. } = &error else { panic!("{error:?}") };
    assert!(detail.starts_with("TLS handshake failed: "), "{detail}");
    assert!(detail.contains("UnknownIssuer"), "{detail}");
}

#[tokio::test]
async fn a_certificate_of_another_host_is_not_trusted() {
    let url = format!("https://{}/", secure_server_on("127.0.0.2"));
    let error = call(&dispatcher_with(trusting()), &url).await.expect_err("another host");
    let DispatchError::Unreachable { detail, .. } = &error else { panic!("{error:?}") };
    assert!(detail.contains("not valid for name"), "{detail}");
}
