//! Every main refusal as clients of each format are told it, as a body and inside a stream: the
//! wire fixtures `refusals`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use expect_test::expect_file;
use serde::Deserialize;
use tollgate_faults::{Reason, UpstreamFacts};

use super::*;

/// `refusal.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    reason: String,
    message: String,
    param: Option<String>,
    wait_seconds: Option<u64>,
    upstream_status: Option<u16>,
}

fn refusal(given: &Given) -> Refusal {
    let reason = Reason::parse(&given.reason).expect("a reason of the catalogue");
    let mut refusal = Refusal::new(reason, given.message.clone());
    refusal.param.clone_from(&given.param);
    refusal.retry_after = given.wait_seconds.map(Duration::from_secs);
    refusal.upstream = given.upstream_status.map(|status| UpstreamFacts {
        provider: "acme".into(),
        status: Some(status),
        request_id: Some("req_1".into()),
    });
    refusal
}

#[test]
fn every_refusal_of_the_fixtures_is_told_in_every_dialect() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/fixtures/refusals");
    let mut cases = 0;
    for case in fs::read_dir(root).expect("the fixtures") {
        let case = case.expect("a case").path();
        let given = fs::read(case.join("refusal.json")).expect("a refusal");
        let given: Given = serde_json::from_slice(&given).expect("a refusal");
        let refusal = refusal(&given);
        let mut heads = String::new();
        for (name, format) in FORMATS {
            let rendered = tollgate_faults::render(
                &refusal,
                dialect_of(format),
                "https://docs.test",
                "call-1",
            );
            let told = |ending: &str| case.join(format!("to.{name}.{ending}"));
            expect_file![told("json")].assert_eq(&rendered.body);
            heads.push_str(&format!("{name}: {}", rendered.status));
            rendered.headers.iter().for_each(|(name, value)| {
                heads.push_str(&format!(", {name}: {value}"));
            });
            heads.push('\n');
            let event = format.error_event(&rendered.body, 0);
            let event = std::str::from_utf8(&event).expect("text").replace("\r\n", "\n");
            expect_file![told("sse")].assert_eq(&event);
        }
        expect_file![case.join("heads.txt")].assert_eq(&heads);
        cases += 1;
    }
    assert!(cases >= 14, "the fixtures are there");
}

const FORMATS: [(&str, ClientFormat); 4] = [
    ("openai_chat", ClientFormat::OpenAiChat),
    ("openai_responses", ClientFormat::OpenAiResponses),
    ("anthropic_messages", ClientFormat::AnthropicMessages),
    ("gemini", ClientFormat::Gemini),
];
