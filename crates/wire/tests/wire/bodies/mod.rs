//! What must hold for any bytes: one body for each fuzz target.
//!
//! The fuzzers in `fuzz/` include this folder by its path, and the test beside it replays their
//! corpora and the fixtures through the same bodies. A body takes any bytes and panics when a law
//! is broken. A new wire format is entered in [`formats`], and its targets in `fuzz/Cargo.toml`.

mod answers;
mod client_streams;
pub(crate) mod deltas;
pub(crate) mod formats;
mod frames;
mod json;
pub(crate) mod requests;
mod schema;
pub(crate) mod streams;
mod valid;

use formats::{CLIENTS, UPSTREAMS};

/// What must hold for any bytes.
type Body = fn(&[u8]);

/// Targets that belong to no wire format.
const PLAIN: [(&str, Body); 5] = [
    ("frame_sse", frames::sse),
    ("frame_json_lines", frames::json_lines),
    ("frame_aws_events", frames::aws_events),
    ("json", json::check),
    ("schema", schema::check),
];

/// Every target's name.
pub(crate) fn targets() -> Vec<String> {
    let requests = CLIENTS.iter().map(|format| format!("request_{}", format.name));
    let answers = UPSTREAMS
        .iter()
        .flat_map(|format| [format!("answer_{}", format.name), format!("stream_{}", format.name)]);
    let plain = PLAIN.iter().map(|(name, _)| (*name).to_owned());
    requests.chain(answers).chain(plain).collect()
}

/// Runs the body of a target.
///
/// # Panics
/// When a law is broken, or there is no such target.
pub(crate) fn run(target: &str, data: &[u8]) {
    if let Some((_, body)) = PLAIN.iter().find(|(name, _)| *name == target) {
        return body(data);
    }
    let upstream = |name| UPSTREAMS.iter().find(|format| format.name == name);
    let found = match target.split_once('_') {
        Some(("request", name)) => CLIENTS
            .iter()
            .find(|format| format.name == name)
            .map(|format| requests::check(format, data)),
        Some(("answer", name)) => upstream(name).map(|format| answers::check(format, data)),
        Some(("stream", name)) => upstream(name).map(|format| streams::check(format, data)),
        _ => None,
    };
    assert!(found.is_some(), "there is no target `{target}`");
}
