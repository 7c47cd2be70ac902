//! What a person sees when the gateway is ready.

use std::net::SocketAddr;

use tollgate_domain::Secret;

/// The lines on standard output. The master key is among them only when it has just been made.
pub(crate) fn ready(
    address: SocketAddr,
    fresh_key: Option<&Secret>,
    model: Option<&str>,
) -> String {
    let url = format!("http://{address}");
    let mut lines = format!("Tollgate {} is ready at {url}\n", env!("CARGO_PKG_VERSION"));
    if let Some(key) = fresh_key {
        lines += &format!(
            "\n  master key   {}\n               \
             (made at this first start and shown only now; the gateway keeps its hash)\n",
            key.expose()
        );
    }
    let key = fresh_key.map_or("$TOLLGATE_MASTER_KEY", Secret::expose);
    if let Some(model) = model {
        let message = r#"{"role":"user","content":"Hello!"}"#;
        lines += &format!(
            "\n  try it\n\ncurl {url}/v1/chat/completions \\\n  \
             -H 'content-type: application/json' \\\n  \
             -H \"authorization: Bearer {key}\" \\\n  \
             -d '{{\"model\":\"{model}\",\"messages\":[{message}]}}'\n"
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_only_when_it_is_fresh() {
        let address = "127.0.0.1:4000".parse().expect("an address");
        let fresh = ready(address, Some(&Secret::new("sk-fresh")), Some("simulated"));
        assert!(fresh.starts_with("Tollgate "));
        assert!(fresh.contains("is ready at http://127.0.0.1:4000\n"));
        assert!(fresh.contains("Bearer sk-fresh"));
        let later = ready(address, None, Some("simulated"));
        assert!(later.contains("Bearer $TOLLGATE_MASTER_KEY"));
        assert!(!later.contains("master key  "));
    }
}
