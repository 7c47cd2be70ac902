//! What limits, plans, the ledger, its pages and keys in use cost, for people.

use crate::measure::admission::Admission;
use crate::measure::claims::Claims;
use crate::measure::ledger::Pace;
use crate::measure::pages::PageTimes;
use crate::session::Results;

/// Appends a line for each.
pub(super) fn push(text: &mut String, results: &Results) {
    let Admission { plain_us, charged_us, limited_us, crowded_us, .. } = results.admission;
    let Admission { charging_us, limits_us, crowd_us, rounds, .. } = results.admission;
    let Claims { bare_us, tree_us, added_us, calls } = results.claims;
    let pace = |pace: &Pace| {
        let Pace { per_second, per_second_min, cpu_us } = pace;
        format!("{per_second} entries/s, slowest run {per_second_min}, {cpu_us} µs of CPU each")
    };
    let (ledger, keys) = (&results.ledger, &results.keys);
    let mut facts = vec![
        (
            "CPU per call under limits, µs".to_owned(),
            format!(
                "{plain_us} plain; in a tree {charged_us} without limits, {limited_us} with 5, \
                 {crowded_us} with 25; lower quartiles of {rounds} rounds"
            ),
        ),
        (
            "added to a whole call, µs".to_owned(),
            format!(
                "{limits_us} by 5 limits, {crowd_us} by 25; before any limit {charging_us} by \
                 charging five subjects in place of one, mostly in the ledger"
            ),
        ),
        (
            "find, claim and settle, µs".to_owned(),
            format!(
                "{bare_us} for a key alone, {tree_us} for five levels with 5 limits, {added_us} \
                 added; cheapest turn of {calls} calls each"
            ),
        ),
        (format!("ledger, {} short calls", ledger.entries), pace(&ledger.short)),
        (format!("ledger, {} open calls", ledger.entries), pace(&ledger.open)),
        (
            "pages over".to_owned(),
            format!(
                "{} entries, {} sums, {} days summed",
                results.pages.entries, results.pages.sums, results.pages.days
            ),
        ),
    ];
    let page = |page: &PageTimes| {
        let ms = |micros: f64| micros / 1000.0;
        let (p50, p99) = (ms(page.took.p50_us), ms(page.took.p99_us));
        let times = format!("p50 {p50:.1} ms, p99 {p99:.1} ms, {} ms of CPU", page.cpu_ms);
        (format!("page, {}", page.name), times)
    };
    facts.extend(results.pages.pages.iter().map(page));
    let each = |(name, micros): &(&str, f64)| format!("{micros} {name}");
    let strategies: Vec<String> = results.planning.strategies.iter().map(each).collect();
    facts.push((
        format!("plan of {} deployments, µs", results.planning.deployments),
        strategies.join(", "),
    ));
    facts.push((
        format!("memory of {} keys in use", keys.keys),
        format!("{} MB, {} bytes each", keys.megabytes, keys.bytes_per_key),
    ));
    for (name, value) in facts {
        super::push(text, format_args!("{name:<36}{value}\n"));
    }
}
