//! What the tokenizers cost on this machine: loading, memory, and counting of ordinary and of
//! hostile text.
//!
//!     cargo run --profile quick -p tollgate-tokens --example measure

#![expect(clippy::print_stdout, reason = "a measurement is for reading")]
#![expect(clippy::disallowed_methods, reason = "what is measured is time")]

use std::time::{Duration, Instant};

use tollgate_tokens::{COUNTED_BYTES_MAX, Encoding, Tally, Tokenizers};

/// How often each text is counted; the fastest run is told, since others share the machine.
const RUNS: u32 = 9;

fn main() {
    let tokenizers = Tokenizers::new();
    for encoding in Encoding::ALL {
        let (before, start) = (resident_kib(), Instant::now());
        tokenizers.load(encoding).expect("the table is built in");
        let (took, grown) = (start.elapsed(), resident_kib().saturating_sub(before));
        println!("{}: loaded in {took:.0?}, {} MiB", encoding.name(), grown / 1024);
    }
    let prose = include_str!("../../../ARCHITECTURE.md");
    let code = include_str!("../src/segments.rs");
    for (name, text) in [
        ("a prompt of 2 KB", prose.chars().take(2000).collect()),
        ("prose", fill(prose)),
        ("code", fill(code)),
        ("Chinese", fill("这是一个用于计数的测试文本，包含标点符号。")),
        ("one letter", fill("a")),
        ("spaces", fill(" ")),
        ("emoji", fill("🫠🧿")),
        ("combining marks", fill("e\u{301}\u{302}")),
        ("punctuation", fill("!@#$%^&*(")),
    ] {
        for encoding in Encoding::ALL {
            let table = tokenizers.table(encoding).expect("it is loaded");
            let mut fastest = Duration::MAX;
            let mut tokens = 0;
            for _ in 0..RUNS {
                let start = Instant::now();
                let mut tally = Tally::new(table);
                tally.text(&text);
                fastest = fastest.min(start.elapsed());
                tokens = tally.total();
            }
            let speed = text.len() as f64 / fastest.as_secs_f64() / 1e6;
            println!(
                "{name:<18}{:<12}{:>7} bytes {tokens:>7} tokens {fastest:>10.2?} {speed:>6.1} MB/s",
                encoding.name(),
                text.len(),
            );
        }
    }
}

/// A text repeated up to the most that is tokenized of a prompt.
fn fill(unit: &str) -> String {
    unit.repeat(COUNTED_BYTES_MAX / unit.len())
}

/// The memory of this process in KiB, as the kernel of Linux tells it.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}
