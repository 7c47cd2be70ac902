//! Writing what stands beside the messages: sampling, the end user, and fields without a word in
//! the hub.

use bytestring::ByteString;

use super::report::Report;
use super::thinking::Plan;
use crate::conversation::{Conversation, Number};
use crate::formats::translation::Unsupported;
use crate::json::write::JsonWriter;

/// Fields of this API that the hub has no word for. They come back to it as they were.
const OWN: [&str; 10] = [
    "cache_control",
    "container",
    "context_management",
    "diagnostics",
    "fallbacks",
    "inference_geo",
    "mcp_servers",
    "speed",
    "user_profile_id",
    "betas",
];

/// Most digits, signs and spaces that are taken for an account number rather than for a telephone
/// number.
const PHONE_DIGITS_MIN: usize = 7;

/// How tokens are to be drawn, as the target takes it.
#[derive(Debug, Default)]
pub(in crate::formats) struct Sampled<'a> {
    pub(in crate::formats) temperature: Option<&'a str>,
    pub(in crate::formats) top_p: Option<&'a str>,
    pub(in crate::formats) top_k: Option<&'a str>,
    pub(in crate::formats) stop: Vec<&'a ByteString>,
}

/// Decides how tokens are to be drawn.
pub(in crate::formats) fn sampling<'a>(
    c: &'a Conversation,
    plan: &Plan,
    report: &mut Report<'_>,
) -> Result<Sampled<'a>, Unsupported> {
    let given = &c.sampling;
    let unknown = [
        ("presence_penalty", &given.presence_penalty),
        ("frequency_penalty", &given.frequency_penalty),
        ("seed", &given.seed),
    ];
    for (name, number) in unknown {
        match number.as_ref().map(value) {
            None => {}
            Some(0.0) if name != "seed" => report.drop(name),
            Some(_) => report.leave_out(name, "the API has no such field")?,
        }
    }
    if c.choices > 1 {
        report.leave_out("n", "the API gives one answer for each call")?;
    }
    let mut sampled = Sampled { stop: stop(c, report), ..Sampled::default() };
    let record = report.capability();
    if !record.sampling {
        for (name, number) in three(c) {
            match number.as_ref().map(value) {
                None => {}
                // The default, said aloud.
                Some(1.0) if name != "top_k" => report.drop(name),
                Some(_) => report.leave_out(name, "the model draws tokens in its own way")?,
            }
        }
        return Ok(sampled);
    }
    if plan.thinking.is_some() && plan.is_active(report) {
        return thinking_sampling(c, sampled, report);
    }
    sampled.temperature = given.temperature.as_ref().map(|number| {
        if value(number) <= 1.0 {
            return &*number.0;
        }
        report.adjust("temperature");
        "1"
    });
    sampled.top_p = given.top_p.as_ref().map(|number| &*number.0);
    sampled.top_k = given.top_k.as_ref().map(|number| &*number.0);
    if !record.temperature_with_top_p && sampled.temperature.is_some() && sampled.top_p.is_some() {
        sampled.top_p = None;
        report.drop("top_p");
    }
    Ok(sampled)
}

/// While it thinks a model takes no temperature but 1, no top_k, and top_p only from 0.95.
fn thinking_sampling<'a>(
    c: &'a Conversation,
    mut sampled: Sampled<'a>,
    report: &mut Report<'_>,
) -> Result<Sampled<'a>, Unsupported> {
    for (name, number) in three(c) {
        let Some(number) = number else { continue };
        match name {
            "temperature" if (value(number) - 1.0).abs() < f64::EPSILON => {}
            "top_p" if value(number) >= 0.95 => sampled.top_p = Some(&number.0),
            _ => report.leave_out(name, "the model does not take it while it thinks")?,
        }
    }
    Ok(sampled)
}

const fn three(c: &Conversation) -> [(&'static str, &Option<Number>); 3] {
    let given = &c.sampling;
    [("temperature", &given.temperature), ("top_p", &given.top_p), ("top_k", &given.top_k)]
}

fn value(number: &Number) -> f64 {
    number.0.parse().unwrap_or(f64::NAN)
}

/// The stop texts without those that are only white space, which the API refuses.
fn stop<'a>(c: &'a Conversation, report: &mut Report<'_>) -> Vec<&'a ByteString> {
    let stop: Vec<_> = c.sampling.stop.iter().filter(|text| !text.trim().is_empty()).collect();
    if stop.len() < c.sampling.stop.len() {
        report.drop("stop");
    }
    stop
}

/// The client's end user, unless the name looks like an address or a telephone number, which the
/// API asks not to be sent.
pub(super) fn user_id<'a>(c: &'a Conversation, report: &mut Report<'_>) -> Option<&'a str> {
    let user = c.user.as_deref()?;
    let digits = user.chars().filter(char::is_ascii_digit).count();
    let dialled = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '(' | ')' | ' ' | '.');
    let telephone =
        digits >= PHONE_DIGITS_MIN && user.starts_with('+') && user.chars().all(dialled);
    let address = user.contains('@') && !user.contains(['{', ' ']);
    if telephone || address {
        report.drop("user");
        return None;
    }
    Some(user)
}

/// Writes the fields that the hub has no word for and this API knows; says what became of others.
pub(super) fn write_unmapped(
    o: &mut JsonWriter<'_>,
    c: &Conversation,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    for (name, raw) in &c.unmapped {
        let name = &**name;
        if OWN.contains(&name) || report.passes(name) && !name.contains(['.', '[']) {
            o.raw(name, raw);
        } else if let ("service_tier", Some(tier)) = (name, tier(raw)) {
            o.string(name, tier);
        } else {
            report.leave_out_unmapped(name, raw)?;
        }
    }
    Ok(())
}

/// Another dialect's service tier in this one's words.
fn tier(raw: &str) -> Option<&'static str> {
    match raw {
        "\"auto\"" => Some("auto"),
        "\"default\"" | "\"standard_only\"" => Some("standard_only"),
        _ => None,
    }
}
