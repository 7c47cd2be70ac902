//! Every committed corpus file and every fixture, through the body of the fuzz target that it is
//! for; and the inputs that are too large to be committed, made here.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use tollgate_wire::RECORD_BYTES_MAX;
use tollgate_wire::frame::aws_events::message;

use crate::bodies::formats::{UPSTREAMS, client};
use crate::bodies::{run, targets};

/// Most bytes of all corpora together: they are read by people too.
const CORPORA_BYTES_MAX: u64 = 400 * 1024;

#[test]
fn every_corpus_file_keeps_the_laws() {
    let mut bytes = 0;
    let mut broken = Vec::new();
    for target in targets() {
        let files = files(&root().join("fuzz/corpus").join(&target));
        assert!(files.len() >= 3, "`{target}` has a corpus");
        for file in files {
            bytes += fs::metadata(&file).expect("a file").len();
            broken.extend(replay(&target, &fs::read(&file).expect("a file"), &file));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(bytes <= CORPORA_BYTES_MAX, "the corpora have {bytes} bytes");
}

#[test]
fn every_fixture_keeps_the_laws() {
    let mut broken = Vec::new();
    for upstream in &UPSTREAMS {
        let folder = root().join("crates/wire/fixtures").join(upstream.name);
        for file in files(&folder) {
            let targets = targets_of(upstream.name, &file);
            if targets.is_empty() {
                continue;
            }
            let data = fs::read(&file).expect("a file");
            let framed = file.extension().is_some_and(|kind| kind == "tsv");
            let data = if framed { aws_stream(&data) } else { data };
            broken.extend(targets.iter().filter_map(|target| replay(target, &data, &file)));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The targets that a file of a format's fixtures is for. What a format's upstreams are sent is a
/// client's request in another format where no client speaks it.
fn targets_of(name: &str, file: &Path) -> Vec<String> {
    let spoken = client(name).map_or("openai_chat", |client| client.name);
    let (target, plain) = match file.file_name().and_then(|name| name.to_str()) {
        Some("request.json") => (format!("request_{spoken}"), "json"),
        Some("request.openai_chat.json") => ("request_openai_chat".to_owned(), "json"),
        Some("request.messages.json" | "request.anthropic_messages.json") => {
            ("request_anthropic_messages".to_owned(), "json")
        }
        Some("answer.json" | "error.json") => (format!("answer_{name}"), "json"),
        Some("answer.sse") => (format!("stream_{name}"), "frame_sse"),
        Some("answer.ndjson") => (format!("stream_{name}"), "frame_json_lines"),
        Some("answer.tsv") => (format!("stream_{name}"), "frame_aws_events"),
        _ => return Vec::new(),
    };
    vec![target, plain.to_owned()]
}

/// The messages of a fixture, whose lines are an event's name and its payload; the name of an
/// exception begins with `!`.
pub(crate) fn aws_stream(lines: &[u8]) -> Vec<u8> {
    let lines = std::str::from_utf8(lines).expect("a table").lines();
    let messages = lines.filter_map(|line| line.split_once('\t')).map(|(name, payload)| {
        let headers = match name.strip_prefix('!') {
            Some(name) => [(":exception-type", name), (":message-type", "exception")],
            None => [(":event-type", name), (":message-type", "event")],
        };
        message(&headers, payload.as_bytes()).expect("a short message")
    });
    messages.collect::<Vec<_>>().concat()
}

#[test]
fn every_target_is_a_binary_of_the_fuzz_crate_and_has_its_corpus() {
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("the manifest");
    let names = manifest.lines().filter_map(|line| line.strip_prefix("name = \""));
    let binaries: BTreeSet<String> = names
        .filter_map(|name| name.strip_suffix('"'))
        .filter(|name| *name != "tollgate-fuzz")
        .map(str::to_owned)
        .collect();
    assert_eq!(binaries, targets().into_iter().collect());
    let corpora = fs::read_dir(root().join("fuzz/corpus")).expect("the corpora");
    let corpora: BTreeSet<String> = corpora
        .map(|entry| entry.expect("a folder").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(corpora, binaries, "every corpus belongs to a target");
}

/// The edge of the record limit, and nesting at its limit, which need more bytes than a corpus.
#[test]
fn large_inputs_keep_the_laws() {
    for bytes in [RECORD_BYTES_MAX, RECORD_BYTES_MAX + 1] {
        let filler = "x".repeat(bytes - 12);
        let record = format!("data: {{\"{filler}\"}}\n\n");
        let json = format!("{{\"a\":\"{filler}\"}}\n");
        for target in ["stream_openai_chat", "stream_gemini"] {
            // The whole at once: the splits of large streams are in the tests of the framers.
            let deltas = catch_unwind(|| run_whole(target, record.as_bytes()));
            assert!(deltas.is_ok(), "{target} at {bytes} bytes");
        }
        assert!(catch_unwind(|| run_whole("stream_gemini", json.as_bytes())).is_ok());
    }
}

fn run_whole(target: &str, stream: &[u8]) {
    use tollgate_wire::delta::Close;
    let name = target.trim_start_matches("stream_");
    let upstream = crate::bodies::formats::upstream(name).expect("a format of the table");
    crate::bodies::streams::interpret(upstream, &[stream], Close::Clean);
}

/// What breaks a law, told in one line; the panic before it says which.
fn replay(target: &str, data: &[u8], file: &Path) -> Option<String> {
    let kept = catch_unwind(|| run(target, data));
    kept.is_err().then(|| format!("`{target}` breaks a law on {}", file.display()))
}

/// The files below a folder, in the order of their paths.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().and_then(Path::parent).map(Path::to_path_buf).expect("a crate lies in crates/")
}
