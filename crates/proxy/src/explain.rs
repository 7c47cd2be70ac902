//! Why a call went where it went, for those who may know: `x-tollgate-explain: 1` in the call, the
//! decision as JSON in the answer's header of the same name.

use http::{HeaderMap, HeaderName};
use serde::Serialize;
use tollgate_policy::{Journey, PassedOver};

use crate::authenticate::Caller;
use crate::route::Group;
use crate::ticket::Ticket;

/// The header that asks, and the one that answers.
pub(crate) const EXPLAIN: HeaderName = HeaderName::from_static("x-tollgate-explain");
/// Longest explanation, in bytes: proxies refuse heads that are much longer.
const BYTES_MAX: usize = 6 * 1024;

/// A call's way, as far as it went.
#[derive(Serialize)]
struct Explained<'a> {
    groups: Vec<ExplainedGroup<'a>>,
    attempts: Vec<ExplainedAttempt<'a>>,
}

/// A model group and those of its deployments that did not get the call.
#[derive(Serialize)]
struct ExplainedGroup<'a> {
    group: &'a str,
    deployments: usize,
    passed_over: Vec<ExplainedPassing<'a>>,
}

#[derive(Serialize)]
struct ExplainedPassing<'a> {
    deployment: &'a str,
    why: &'static str,
    /// What more there is to say, such as the ability that the model lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<&'static str>,
}

#[derive(Serialize)]
struct ExplainedAttempt<'a> {
    group: &'a str,
    deployment: &'a str,
    status: Option<u16>,
    reason: Option<&'static str>,
    ms: u128,
}

/// Whether the call asks for an explanation and its caller may have one: it names deployments.
pub(crate) fn is_asked(headers: &HeaderMap, caller: &Caller) -> bool {
    headers.get(EXPLAIN).is_some_and(|value| value == "1") && caller.is_admin()
}

/// The explanation as JSON in plain ASCII; of one that is too long only the attempts.
pub(crate) fn explained(groups: &[Group], journey: &Journey, ticket: &Ticket) -> String {
    let attempts = || {
        let attempts = ticket.attempts().iter();
        attempts.map(|(group, attempt)| ExplainedAttempt {
            group: group.as_str(),
            deployment: attempt.deployment.as_str(),
            status: attempt.status,
            reason: attempt.reason,
            ms: attempt.elapsed.as_millis(),
        })
    };
    let entered = groups.iter().zip(journey.passed_over());
    let entered = entered.map(|(group, (name, passed_over))| ExplainedGroup {
        group: name,
        deployments: group.deployments.len(),
        passed_over: passed_over.iter().filter_map(|(at, why)| passing(group, *at, *why)).collect(),
    });
    let whole = Explained { groups: entered.collect(), attempts: attempts().collect() };
    let text = ascii(&whole);
    if text.len() <= BYTES_MAX {
        return text;
    }
    ascii(&Explained { groups: Vec::new(), attempts: attempts().collect() })
}

fn passing(group: &Group, at: usize, why: PassedOver) -> Option<ExplainedPassing<'_>> {
    let what = match why {
        PassedOver::Lacks(ability) => Some(ability.as_str()),
        PassedOver::Cooling { class, .. } => Some(class.as_str()),
        _ => None,
    };
    let deployment = group.deployments.get(at)?.id.as_str();
    Some(ExplainedPassing { deployment, why: why.as_str(), what })
}

/// JSON whose other characters are escaped, as a header has to have it.
fn ascii(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut text = String::with_capacity(json.len());
    let mut units = [0; 2];
    for letter in json.chars() {
        if letter.is_ascii() {
            text.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_ascii_is_escaped_and_reads_back() {
        let text = ascii(&["plain", "größe", "🦀"]);
        assert!(text.is_ascii(), "{text}");
        let back: Vec<String> = serde_json::from_str(&text).expect("JSON");
        assert_eq!(back, ["plain", "größe", "🦀"]);
    }
}
