//! The results for people, as one table, and for programs, as JSON.

mod store;

use std::fmt::Write as _;

use serde::Serialize;

use crate::bars::{Bar, Relation};
use crate::machine::Machine;
use crate::measure::loads::{Added, Row, Used};
use crate::measure::translation::{Translation, Ways};
use crate::session::Results;
use crate::site::GATEWAY;

/// Everything, as JSON.
///
/// # Errors
/// When a figure has no place in JSON.
pub(crate) fn json(results: &Results, bars: &[Bar]) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Report<'a> {
        #[serde(flatten)]
        results: &'a Results,
        bars: &'a [Bar],
    }
    serde_json::to_string_pretty(&Report { results, bars }).map(|text| text + "\n")
}

/// The table.
pub(crate) fn table(results: &Results, bars: &[Bar]) -> String {
    let mut text = machine(&results.machine, results.plan.quick);
    text += NOTE;
    push_line(&mut text, HEADINGS);
    let mut load = "";
    for row in &results.loads {
        if row.load != load {
            load = &row.load;
            text.push('\n');
        }
        push_row(&mut text, row);
    }
    text.push('\n');
    push_warnings(&mut text, results);
    push_memory(&mut text, results);
    push_translation(&mut text, &results.translation);
    store::push(&mut text, results);
    text.push('\n');
    bars.iter().for_each(|bar| push_bar(&mut text, bar));
    text
}

fn machine(machine: &Machine, quick: bool) -> String {
    let unknown = || "unknown".to_owned();
    let commit = machine.commit.clone().unwrap_or_else(unknown);
    let changed = if machine.changed == Some(true) { ", changed since" } else { "" };
    let mode = if quick { "; quick: the figures are rough" } else { "" };
    let pinned = match machine.cores {
        Some(cores) => format!(
            "measured process on core {}, simulator and load on core {}",
            cores.measured, cores.load
        ),
        None => "NOT PINNED: there is one core for everything".to_owned(),
    };
    let siblings = machine.siblings.clone().unwrap_or_else(unknown);
    format!(
        "commit {commit}{changed}{mode}\n{} × {}, Linux {}, databases on {}, nginx {}\n\
         {pinned}; hardware threads of the measured core: {siblings}\n\
         load averages before: {}\n",
        machine.cores_online.unwrap_or(0),
        machine.processor.clone().unwrap_or_else(unknown),
        machine.kernel.clone().unwrap_or_else(unknown),
        machine.file_system.clone().unwrap_or_else(unknown),
        machine.nginx,
        machine.load_average.clone().unwrap_or_else(unknown),
    )
}

fn push_warnings(text: &mut String, results: &Results) {
    let others = results.others_busy;
    if others > OTHERS_BUSY_MAX {
        let what = "trust no figure; leave the machine alone and measure again";
        push(text, format_args!("warning: others kept {others} cores busy meanwhile: {what}\n"));
    }
    for Row { load, target, answered, refused, .. } in &results.loads {
        if *refused > 0 {
            let what = format!("{refused} calls were refused, {answered} answered");
            push(text, format_args!("warning: {load}: {target} had too much to do: {what}\n"));
        }
    }
    for Row { load, target, .. } in results.loads.iter().filter(|row| was_not_the_limit(row)) {
        let what = "something else was the limit";
        push(text, format_args!("warning: {load}: {target} was not busy: {what}\n"));
    }
}

/// Whether a load that should find out how much the gateway carries was held up by something else.
fn was_not_the_limit(row: &Row) -> bool {
    row.saturating && row.target == GATEWAY && row.used.is_some_and(|used| used.busy < BUSY_MIN)
}

fn push_row(text: &mut String, row: &Row) {
    let nothing = || "—".to_owned();
    let added = |of: fn(&Added) -> f64| {
        row.added.as_ref().map_or_else(nothing, |added| format!("{:+.0}", of(added)))
    };
    let used = |of: fn(&Used) -> String| row.used.as_ref().map_or_else(nothing, of);
    let cells = [
        row.load.clone(),
        row.target.to_owned(),
        format!("{:.0}", row.calls_per_second),
        format!("{:.0}", row.last_byte.p50_us),
        format!("{:.0}", row.last_byte.p99_us),
        added(|added| added.p50_us),
        added(|added| added.p99_us),
        added(|added| added.first_byte_p50_us),
        used(|used| format!("{:.1}", used.cpu_us_per_call)),
        used(|used| format!("{:.0} %", used.busy * 100.0)),
    ];
    push_line(text, cells.each_ref().map(String::as_str));
}

fn push_memory(text: &mut String, results: &Results) {
    let mib = |kib: u64| format!("{:.1} MiB", kib as f64 / 1024.0);
    let (memory, streams) = (&results.memory, &results.streams);
    let (fresh, existing) = (&results.start_fresh, &results.start_existing);
    let facts = [
        ("resident memory, idle", mib(memory.idle_rss_kib)),
        ("resident memory, under load", mib(memory.loaded_rss_kib)),
        ("resident memory, after load", mib(memory.after_rss_kib)),
        ("resident memory, most", mib(memory.rss_kib_max)),
        (
            "resident memory, streams",
            format!(
                "{} before; {} with {} of {} tokens, {} KiB each; {} of {} tokens, {:+} KiB each",
                mib(streams.rss_kib_before),
                mib(streams.rss_kib_short),
                streams.streams,
                streams.short_tokens,
                streams.kib_per_stream,
                mib(streams.rss_kib_long),
                streams.long_tokens,
                streams.kib_per_stream_longer
            ),
        ),
        ("start, fresh data", format!("{} ms, longest {} ms", fresh.median_ms, fresh.max_ms)),
        (
            "start, existing data",
            format!("{} ms, longest {} ms", existing.median_ms, existing.max_ms),
        ),
        ("size of the binary", mib(results.machine.binary_bytes.unwrap_or(0) / 1024)),
    ];
    for (name, value) in facts {
        push(text, format_args!("{name:<34}{value}\n"));
    }
}

fn push_translation(text: &mut String, translation: &Translation) {
    let Translation { call_us, call_ratio, deltas, delta_us, .. } = translation;
    let ways = |ways: &Ways| {
        let Ways { chat, messages, translated } = ways;
        format!("{chat} chat, {messages} Messages, {translated} translated")
    };
    let two = |[chat, translated]: [f64; 2]| format!("{chat} chat, {translated} translated");
    let facts = [
        ("CPU per call, µs", format!("{}, {call_ratio} × one that passes", ways(call_us))),
        ("CPU per delta, µs", format!("{}, streams of {deltas}", ways(delta_us))),
        ("CPU per delta that comes alone, µs", two(translation.paced_delta_us)),
        ("memory of a 1 MiB prompt, KiB", two(translation.prompt_kib)),
    ];
    for (name, value) in facts {
        push(text, format_args!("{name:<36}{value}\n"));
    }
}

fn push_bar(text: &mut String, bar: &Bar) {
    let Bar { name, unit, measured, limit, relation, kept } = bar;
    let verdict = if *kept { "kept" } else { "MISSED" };
    let relation = match relation {
        Relation::AtMost => "≤",
        Relation::AtLeast => "≥",
        Relation::Exactly => "=",
    };
    push(text, format_args!("bar: {name:<29}{measured} {relation} {limit} {unit}: {verdict}\n"));
}

fn push_line(text: &mut String, cells: [&str; 10]) {
    let [load, target, numbers @ ..] = cells;
    let mut line = format!("{load:<32}{target:<10}");
    numbers.iter().for_each(|cell| push(&mut line, format_args!("{cell:>11}")));
    push(text, format_args!("{}\n", line.trim_end()));
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = text.write_fmt(what);
}

const NOTE: &str = "\nadded: this percentile minus the same one of `direct`; \
     latencies and processor time in µs\n\n";
/// A target that uses less of its core than this is not what holds a load up.
const BUSY_MIN: f64 = 0.9;
/// Most that others may use of the machine while figures are taken, in cores.
const OTHERS_BUSY_MAX: f64 = 0.05;
const HEADINGS: [&str; 10] = [
    "load",
    "target",
    "calls/s",
    "p50",
    "p99",
    "added p50",
    "added p99",
    "first byte",
    "CPU/call",
    "busy",
];
