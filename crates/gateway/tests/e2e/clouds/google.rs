//! Vertex AI: what a service account signs is exchanged for a token, which carries calls of Gemini
//! and of Claude until shortly before its end.

use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};
use tollgate_simulator::{CallRecord, Replay, Script};
use tollgate_testkit::clock_file::ClockFile;
use tollgate_testkit::config_text::{ConfigText, DeploymentText};
use tollgate_testkit::patience::until;

use super::platform::{Authority, Form, Granted, answer, models};
use super::{ask, calls_after, must_answer, stage};
use crate::stage::Stage;

/// The account's key; nobody trusts it.
const KEY: &str = include_str!("../../../../upstream/tests/fixtures/service_account.key");
const EMAIL: &str = "gateway@project-1.iam.gserviceaccount.com";
const START: &str = "2026-03-01T12:00:00Z";
const START_S: i64 = 1_772_366_400;

const GEMINI: (&str, &str, &str) = ("gemini", "gemini", "gemini");
const CLAUDE: (&str, &str, &str) = ("anthropic_messages", "claude", "anthropic_messages");

#[tokio::test]
async fn one_token_carries_gemini_and_claude_whole_and_streamed() {
    let (authority, clock) = (Authority::start(granted).await, ClockFile::at(START));
    let stage = vertex(&authority, &clock).await;
    let key = stage.plain_key().await.text;
    must_answer(&stage, &key, GEMINI).await;
    must_answer(&stage, &key, ("openai_chat", "gemini", "gemini")).await;
    must_answer(&stage, &key, CLAUDE).await;
    must_answer(&stage, &key, ("openai_chat", "claude", "anthropic_messages")).await;

    let place = "/v1/projects/project-1/locations/europe-west4/publishers";
    let gemini = format!("{place}/google/models/gemini-3-pro");
    let claude = format!("{place}/anthropic/models/claude-opus-4-6");
    let gemini =
        ["generateContent", "streamGenerateContent?alt=sse"].map(|op| format!("{gemini}:{op}"));
    let claude = ["rawPredict", "streamRawPredict"].map(|op| format!("{claude}:{op}"));
    let calls = calls_after(&stage.simulator, 0);
    let paths: Vec<&str> = calls.iter().map(|call| &*call.path).collect();
    assert_eq!(paths, [&gemini[..], &gemini, &claude, &claude].concat());
    for call in &calls {
        assert_eq!(call.header("authorization"), Some("Bearer google-1"), "{}", call.path);
        assert_eq!(call.header("x-goog-api-key"), None, "{}", call.path);
    }
    for call in &calls[4..] {
        let body: Value = serde_json::from_slice(&call.body).expect("JSON");
        assert_eq!(body["anthropic_version"], "vertex-2023-10-16", "{body}");
        assert_eq!(body.get("model"), None, "{body}");
    }
    let asked = authority.asked();
    assert_eq!(asked.len(), 1);
    let claims = claims(Form::read(&asked[0].body).field("assertion")).expect("it was verified");
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(START_S), &json!(START_S + 3_600)));
    let (books, _) = stage.close().await;
    assert_eq!(books.outcomes(), ["completed"; 8]);
}

#[tokio::test]
async fn calls_that_come_together_share_one_token() {
    let (authority, clock) = (Authority::start(granted).await, ClockFile::at(START));
    let stage = vertex(&authority, &clock).await;
    let key = stage.plain_key().await.text;
    let of = |index: usize| if index.is_multiple_of(2) { GEMINI } else { CLAUDE };
    join_all((0..12).map(|index| ask(&stage, &key, of(index), index % 3 == 0))).await;
    assert_eq!(authority.asked().len(), 1);
    assert_eq!(tokens(&stage, 0), ["google-1"; 12]);
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_while_calls_go_on_with_it() {
    let (authority, clock) = (Authority::start(granted).await, ClockFile::at(START));
    let stage = vertex(&authority, &clock).await;
    let key = stage.plain_key().await.text;
    for at in [START, "2026-03-01T12:47:59Z", "2026-03-01T12:48:01Z"] {
        clock.set(at);
        ask(&stage, &key, GEMINI, false).await;
    }
    assert_eq!(tokens(&stage, 0), ["google-1"; 3], "nobody waits for the second token");
    authority.simulator.calls().await_count(2).await;
    let renewed = || async {
        let seen = stage.simulator.calls().count();
        ask(&stage, &key, GEMINI, false).await;
        (tokens(&stage, seen) == ["google-2"]).then_some(())
    };
    until("a call with the second token", renewed).await;
    clock.set("2026-03-01T15:00:00Z");
    let seen = stage.simulator.calls().count();
    ask(&stage, &key, CLAUDE, false).await;
    assert_eq!(tokens(&stage, seen), ["google-3"], "one that has ended is not sent");
    assert_eq!(authority.asked().len(), 3);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let (authority, clock) = (Authority::start(granted).await, ClockFile::at(START));
    let stage = vertex(&authority, &clock).await;
    let key = stage.plain_key().await.text;
    ask(&stage, &key, GEMINI, false).await;
    clock.set("2026-03-01T12:05:00Z");
    stage.simulator.follow(Script::default().answering(answer).replaying(refused()));
    ask(&stage, &key, GEMINI, true).await;
    assert_eq!(tokens(&stage, 1), ["google-1", "google-2"]);

    // The new one is as young as a token can be: it is not the token that is wrong.
    stage.simulator.follow(Script::default().answering(answer).replaying(refused()));
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}).to_string();
    let path = "/v1beta/models/gemini:generateContent";
    let answer = stage.gateway.client(&key).post(path, body).await;
    assert!(answer.status >= 400, "{}", answer.text());
    assert_eq!(tokens(&stage, 3), ["google-2"]);
    assert_eq!(authority.asked().len(), 2);
}

/// A gateway with a group for Gemini and one for Claude, both with the account in the entry; the
/// project stands only there.
async fn vertex(authority: &Authority, clock: &ClockFile) -> Stage {
    let models = models().await;
    let account = json!({
        "type": "service_account", "project_id": "project-1", "private_key_id": "key-1",
        "private_key": KEY, "client_email": EMAIL,
        "token_uri": format!("{}/token", authority.url()),
    });
    let deployment = |model: &str| {
        DeploymentText::named(model)
            .with(&format!("api_base: http://{}", models.addr()))
            .with("vertex_location: europe-west4")
            .with(&format!("vertex_credentials: '{account}'"))
    };
    let config = ConfigText::new()
        .group("gemini", &deployment("vertex_ai/gemini-3-pro"))
        .group("claude", &deployment("vertex_ai/claude-opus-4-6"));
    stage(models, config, |home| home.with_clock(clock)).await
}

/// The tokens of the calls after the first so many.
fn tokens(stage: &Stage, seen: u64) -> Vec<String> {
    let token = |call: &CallRecord| {
        let header = call.header("authorization").unwrap_or_default();
        header.strip_prefix("Bearer ").unwrap_or_default().to_owned()
    };
    calls_after(&stage.simulator, seen).iter().map(token).collect()
}

/// What Google answers where a token is not taken (gemini.md §4).
fn refused() -> Replay {
    let error = json!({"code": 401, "message": "Request had invalid authentication credentials.",
        "status": "UNAUTHENTICATED"});
    let body = json!({ "error": error }).to_string();
    Replay::new("application/json", [body.into()]).with_status(StatusCode::UNAUTHORIZED)
}

/// The token service: a token of one hour for whoever the account's key vouches for, to itself.
fn granted(own: &str, path: &str, form: &Form) -> Result<Granted, &'static str> {
    if path != "/token" || form.field("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer"
    {
        return Err("unsupported_grant_type");
    }
    let claims = claims(form.field("assertion")).ok_or("invalid_grant")?;
    let life_s = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(end, start)| end - start);
    let told = (claims["iss"].as_str(), claims["aud"].as_str(), claims["scope"].as_str());
    let audience = format!("{own}/token");
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    if told != (Some(EMAIL), Some(&*audience), Some(scope)) || life_s != Some(3_600) {
        return Err("invalid_grant");
    }
    let token = json!({"access_token": "google-{n}", "expires_in": 3_600, "token_type": "Bearer"});
    Ok(("application/json", token.to_string()))
}

/// The claims of a JSON Web Token that the account's key has signed.
fn claims(token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    let header: Value = serde_json::from_slice(&part(header)?).ok()?;
    if (header["alg"].as_str(), header["kid"].as_str()) != (Some("RS256"), Some("key-1")) {
        return None;
    }
    let pem: String = KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    let pair = KeyPair::from_pkcs8(&BASE64_STANDARD.decode(pem).ok()?).ok()?;
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key());
    public.verify(signed.as_bytes(), &part(signature)?).ok()?;
    serde_json::from_slice(&part(claims)?).ok()
}
