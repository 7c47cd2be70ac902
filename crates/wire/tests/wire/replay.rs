//! Every committed corpus file and every fixture, through the body of the fuzz target that it is
//! for; and the inputs that are too large to be committed, made here.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use tollgate_wire::RECORD_BYTES_MAX;

use crate::bodies::{formats::UPSTREAMS, run, targets};

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
        let name = upstream.name;
        for file in files(&folder) {
            let targets = match file.file_name().and_then(|name| name.to_str()) {
                Some("request.json") => [format!("request_{name}"), "json".to_owned()],
                Some("answer.json" | "error.json") => [format!("answer_{name}"), "json".to_owned()],
                Some("answer.sse") => [format!("stream_{name}"), "frame_sse".to_owned()],
                _ => continue,
            };
            let data = fs::read(&file).expect("a file");
            broken.extend(targets.iter().filter_map(|target| replay(target, &data, &file)));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
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
