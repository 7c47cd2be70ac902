//! What is fetched, from where, and how much of it; against a server on this machine.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::address::is_public;
use super::*;

/// A server that answers each path with these bytes, whatever else is asked.
async fn server(answer: fn(&str, SocketAddr) -> String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let read = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default();
            // The client may be gone, which is what some tests are about.
            let _ = stream.write_all(answer(path, address).as_bytes()).await;
        }
    });
    address
}

fn answers(path: &str, address: SocketAddr) -> String {
    let whole = |kind: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}")
    };
    let to = |place: &str| {
        format!("HTTP/1.1 302 Found\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n")
    };
    match path {
        "/cat" => whole("image/PNG; x=y", "meow"),
        "/pdf" => whole("application/pdf", "%PDF"),
        "/html" => whole("text/html", "<p>"),
        "/bare" => "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx".to_owned(),
        "/endless" => {
            let body = "x".repeat(200);
            format!("HTTP/1.1 200 OK\r\ncontent-type: image/gif\r\nconnection: close\r\n\r\n{body}")
        }
        "/large" => {
            "HTTP/1.1 200 OK\r\ncontent-type: image/gif\r\ncontent-length: 101\r\n\r\n".into()
        }
        "/silent" => "HTTP/1.1 200 OK\r\ncontent-type: image/gif\r\n".to_owned(),
        "/a/relative" => to("../cat"),
        "/a/../cat" | "/once" => to("/cat"),
        "/absolute" => to(&format!("http://{address}/cat#part")),
        "/inward" => to(&format!("http://localhost:{}/cat", address.port())),
        "/metadata" => to("http://169.254.169.254/latest/meta-data"),
        "/file" => to("file:///etc/passwd"),
        "/1" => to("/2"),
        "/2" => to("/3"),
        "/3" => to("/once"),
        "/nowhere" => "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
        _ => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
    }
}

fn fetcher() -> Fetcher {
    Fetcher::new(Arc::new(LazyTls::new(None).expect("no file to read")))
}

async fn fetch(url: &str, allowed: &[&str], total: Duration) -> Result<Fetched, FetchError> {
    let allowed_hosts: Vec<Box<str>> = allowed.iter().map(|host| (*host).into()).collect();
    let rules = FetchRules { allowed_hosts: &allowed_hosts, bytes_max: 100, total };
    fetcher().fetch(url, rules).await
}

const TOTAL: Duration = Duration::from_secs(30);

#[tokio::test]
async fn pictures_and_documents_come_within_their_limits_and_nothing_else_does() {
    let address = server(answers).await;
    let cat = || Ok(Fetched { media_type: "image/png".to_owned(), bytes: "meow".into() });
    let pdf = Fetched { media_type: "application/pdf".to_owned(), bytes: "%PDF".into() };
    for (path, expected) in [
        ("/cat", cat()),
        ("/cat#part", cat()),
        ("/pdf", Ok(pdf)),
        ("/once", cat()),
        ("/a/relative", cat()),
        ("/absolute", cat()),
        ("/2", cat()),
        ("/1", Err(FetchError::Redirected)),
        ("/inward", Err(FetchError::NotPublic)),
        ("/metadata", Err(FetchError::NotPublic)),
        ("/nowhere", Err(FetchError::Status(302))),
        ("/gone", Err(FetchError::Status(404))),
        ("/html", Err(FetchError::MediaType("text/html".to_owned()))),
        ("/bare", Err(FetchError::MediaType(String::new()))),
        ("/large", Err(FetchError::TooLarge(100))),
    ] {
        let fetched = fetch(&format!("http://{address}{path}"), &["127.0.0.1"], TOTAL).await;
        assert_eq!(fetched, expected, "{path}");
    }
    let endless = fetch(&format!("http://{address}/endless"), &["127.0.0.1"], TOTAL).await;
    assert_eq!(endless, Err(FetchError::TooLarge(100)));
    let file = fetch(&format!("http://{address}/file"), &["127.0.0.1"], TOTAL).await;
    assert!(matches!(file, Err(FetchError::Address(_))), "{file:?}");
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let limit = Duration::from_millis(50);
    let late = fetch(&format!("http://{address}/cat"), &["127.0.0.1"], limit).await;
    assert_eq!(late, Err(FetchError::Late(limit)), "connections wait in the backlog");
}

#[tokio::test]
async fn hosts_of_the_operators_network_are_not_asked_unless_it_allows_them() {
    let port = server(answers).await.port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "LOCALHOST"] {
        let refused = fetch(&format!("http://{host}:{port}/cat"), &[], TOTAL).await;
        assert_eq!(refused, Err(FetchError::NotPublic), "{host}");
    }
    let allowed = fetch(&format!("http://LOCALHOST:{port}/cat"), &["localhost"], TOTAL).await;
    assert!(allowed.is_ok(), "{allowed:?}");
    for url in ["ftp://a.test/x", "file:///etc/passwd", "http://u:p@a.test/", "x", "data:,x"] {
        let refused = fetch(url, &[], TOTAL).await;
        assert!(matches!(refused, Err(FetchError::Address(_))), "{url}: {refused:?}");
    }
}

#[test]
fn only_addresses_of_the_public_internet_are_public() {
    for (address, public) in [
        ("8.8.8.8", true),
        ("172.32.0.1", true),
        ("172.31.255.255", false),
        ("10.1.2.3", false),
        ("192.168.1.1", false),
        ("127.8.8.8", false),
        ("169.254.169.254", false),
        ("100.64.0.1", false),
        ("100.128.0.1", true),
        ("0.1.2.3", false),
        ("224.0.0.1", false),
        ("255.255.255.255", false),
        ("198.19.0.1", false),
        ("2606:4700::1111", true),
        ("::1", false),
        ("::", false),
        ("fe80::1", false),
        ("fc00::1", false),
        ("fd00:ec2::254", false),
        ("ff02::1", false),
        ("::ffff:10.0.0.1", false),
        ("::ffff:8.8.8.8", true),
        ("::10.0.0.1", false),
        ("64:ff9b::a00:1", false),
        ("64:ff9b::808:808", true),
        ("2002:a00:1::", false),
        ("2002:808:808::", true),
        ("2001:0:4136::1", false),
        ("2001:db8::1", false),
        ("2001:4860:4860::8888", true),
    ] {
        let parsed: std::net::IpAddr = address.parse().expect("an address");
        assert_eq!(is_public(parsed), public, "{address}");
    }
    assert_eq!(is_public_literal("[::1]"), Some(false));
    assert_eq!(is_public_literal("a.test"), None);
}
