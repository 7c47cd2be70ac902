//! The proxies before the gateway whose word is taken for where a request comes from.

use tollgate_policy::{AddressRange, TrustedProxies};

use super::Settings;
use crate::diagnostic::{Finding, code};
use crate::schema::{Reader, Section};

/// Reads `use_x_forwarded_for` and `trusted_proxy_ranges` of `general_settings`. LiteLLM believes
/// whoever writes the header; here it takes both.
pub(super) fn read(reader: &mut Reader<'_>, general: &mut Section<'_>, settings: &mut Settings) {
    let asked = general.take("use_x_forwarded_for");
    let is_used = asked.and_then(|entry| reader.flag(entry)).unwrap_or(false);
    let listed = general.take("trusted_proxy_ranges");
    let mut ranges = Vec::new();
    for (text, span) in listed.map(|entry| reader.placed_texts(entry)).unwrap_or_default() {
        match AddressRange::parse(&text) {
            Some(range) => ranges.push(range),
            None => {
                let message = format!("`{text}` is no range of addresses");
                let finding = Finding::error(code::OUT_OF_RANGE, span, message);
                reader.findings.push(finding.with_help("write one such as `10.0.0.0/8`"));
            }
        }
    }
    match (asked, listed) {
        (Some(entry), _) if is_used && ranges.is_empty() => {
            let message = "`use_x_forwarded_for` has no effect without `trusted_proxy_ranges`";
            let finding = Finding::warning(code::NO_EFFECT, entry.name_span.clone(), message);
            reader.findings.push(finding.with_help(
                "anybody can write the header: list the addresses of the proxies that do",
            ));
        }
        (_, Some(entry)) if !is_used && !ranges.is_empty() => {
            let message = "`trusted_proxy_ranges` has no effect without `use_x_forwarded_for`";
            let finding = Finding::warning(code::NO_EFFECT, entry.name_span.clone(), message);
            reader.findings.push(finding);
        }
        _ => {}
    }
    if is_used {
        settings.trusted_proxies = TrustedProxies::new(ranges);
    }
}
