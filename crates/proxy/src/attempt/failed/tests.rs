//! Every error of the wire fixtures, as the upstream sent it: what it means is what its vendor's
//! documentation says, and what follows from it stands in `failure.txt` beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use serde::Deserialize;
use tollgate_wire::formats::translation::AnswerIn;
use tollgate_wire::formats::{
    anthropic_messages, bedrock_converse, cohere, gemini, ollama, openai_chat, openai_responses,
};
use tollgate_wire::json::Malformed;

use super::*;

/// What `origin.toml` of an error says, as far as it matters here.
#[derive(Deserialize)]
struct Origin {
    status: Option<u16>,
    means: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// The reasons that a category of the error taxonomy may be called here.
fn reasons(means: &str) -> &'static [Reason] {
    match means {
        // Both are the gateway's own credential, never the client's.
        "authentication" | "permission" => &[Reason::UpstreamCredentialsRejected],
        "model_not_found" => &[Reason::ModelUnknown],
        "invalid_request" => &[Reason::UpstreamRejectedRequest, Reason::ParameterUnsupported],
        "request_too_large" => &[Reason::UpstreamRequestTooLarge],
        "context_window_exceeded" => &[Reason::ContextWindowExceeded],
        "content_policy" => &[Reason::ContentRefused],
        // A request above the rate never fits it: a rate limit for which no wait helps.
        "rate_limited" => &[Reason::UpstreamRateLimited, Reason::UpstreamRequestTooLarge],
        "quota_exhausted" => &[Reason::UpstreamQuotaExhausted, Reason::UpstreamAccountOutOfCredits],
        "overloaded" => &[Reason::UpstreamOverloaded],
        "timeout" => &[Reason::UpstreamReportedTimeout],
        "connection" => &[Reason::UpstreamUnreachable],
        "upstream_internal" | "bad_upstream_response" => &[Reason::UpstreamError],
        other => panic!("`{other}` is no category of errors"),
    }
}

#[test]
fn every_error_of_the_fixtures_means_what_its_vendor_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/fixtures");
    let (mut errors, mut wrong) = (0, Vec::new());
    for (name, format, read) in FORMATS {
        for case in folders(&root.join(name)) {
            let origin = fs::read_to_string(case.join("origin.toml")).expect("an origin");
            let origin: Origin = toml::from_str(&origin).expect("an origin");
            let file = |name: &str| fs::read_to_string(case.join(name)).ok();
            let failure = match (file("error.json"), file("answer.json")) {
                (Some(body), _) => of_status(format, &origin, &body),
                (None, Some(body)) => match read(body.as_bytes()).expect("an object") {
                    AnswerIn::Error(error) => classify(&as_seen(SAID_WELL, Some(&error), ""), None),
                    AnswerIn::Answer(_) => continue,
                },
                (None, None) => continue,
            };
            expect_file![case.join("failure.txt")].assert_eq(&format!("{failure:#?}\n"));
            if !reasons(origin.means.as_deref().expect("what an error means"))
                .contains(&failure.reason)
            {
                wrong.push(format!("{}: {:?}", case.display(), failure.reason));
            }
            errors += 1;
        }
    }
    assert!(errors >= 100, "the fixtures are there");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What an answer with an error's status means.
fn of_status(format: WireFormat, origin: &Origin, body: &str) -> Failure {
    let status = origin.status.expect("the status of an error");
    let header = |name: &str| origin.headers.get(name).cloned();
    let heard = Heard { status, header: &header, text: body };
    heard.told(format, Timestamp::from_micros(0)).failure
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the fixtures of a format");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("a case").path()).collect();
    folders.sort();
    folders
}

type Read = fn(&[u8]) -> Result<AnswerIn, Malformed>;

const FORMATS: [(&str, WireFormat, Read); 7] = [
    ("openai_chat", WireFormat::OpenAiChat, openai_chat::to_answer),
    ("openai_responses", WireFormat::OpenAiResponses, openai_responses::to_answer),
    ("anthropic_messages", WireFormat::AnthropicMessages, anthropic_messages::to_answer),
    ("gemini", WireFormat::Gemini, gemini::to_answer),
    ("bedrock_converse", WireFormat::BedrockConverse, bedrock_converse::to_answer),
    ("cohere", WireFormat::Cohere, cohere::to_answer),
    ("ollama", WireFormat::Ollama, ollama::to_answer),
];
