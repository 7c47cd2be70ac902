//! Bedrock: requests signed with key pairs that the configuration holds or that a role is exchanged
//! for, and requests with an API key. What arrives is signed anew by botocore and compared.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tollgate_simulator::CallRecord;
use tollgate_testkit::config_text::{ConfigText, DeploymentText};

use super::platform::{Authority, Form, Granted, models};
use super::{calls_after, must_answer, stage};
use crate::clients::python;
use crate::stage::Stage;

/// How a deployment proves who it is, as its entry says.
struct Case {
    group: &'static str,
    model: &'static str,
    lines: &'static [&'static str],
    /// The paths' beginning.
    path: &'static str,
    signed: Signed,
}

/// What signs a request.
#[derive(Clone, Copy)]
struct Signed {
    region: &'static str,
    access_key: &'static str,
    secret: &'static str,
    session: Option<&'static str>,
}

const CLAUDE: &str = "bedrock/us.anthropic.claude-opus-4-6-v1:0";
const CLAUDE_PATH: &str = "/model/us.anthropic.claude-opus-4-6-v1%3A0/";
const KEYS: [&str; 2] =
    ["aws_access_key_id: AKIDEXAMPLE", "aws_secret_access_key: wJalrXUtnFEMI/K7MDENG+bPxRfiCY"];
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY";
const ROLE: &str = "arn:aws:iam::123456789012:role/caller";

const PLATFORM_TOKEN: &str = "header.claims+/=.signature";

/// Each way to sign. The secret has characters that a URL would have to escape.
const CASES: [Case; 4] = [
    Case {
        group: "static",
        model: CLAUDE,
        lines: &[KEYS[0], KEYS[1], "aws_region_name: eu-central-1"],
        path: CLAUDE_PATH,
        signed: Signed {
            region: "eu-central-1",
            access_key: "AKIDEXAMPLE",
            secret: SECRET,
            session: None,
        },
    },
    Case {
        group: "session",
        model: CLAUDE,
        lines: &[KEYS[0], KEYS[1], "aws_session_token: FwoG/Zd+aw==", "aws_region_name: us-east-1"],
        path: CLAUDE_PATH,
        signed: Signed {
            region: "us-east-1",
            access_key: "AKIDEXAMPLE",
            secret: SECRET,
            session: Some("FwoG/Zd+aw=="),
        },
    },
    Case {
        group: "profile",
        model: "bedrock/arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/a1b2",
        lines: &[KEYS[0], KEYS[1]],
        path: "/model/arn%3Aaws%3Abedrock%3Aus-west-2%3A123456789012%3A\
               application-inference-profile%2Fa1b2/",
        signed: Signed {
            region: "us-west-2",
            access_key: "AKIDEXAMPLE",
            secret: SECRET,
            session: None,
        },
    },
    Case {
        group: "role",
        model: CLAUDE,
        lines: &[
            KEYS[0],
            KEYS[1],
            "aws_region_name: eu-west-1",
            "aws_role_name: arn:aws:iam::123456789012:role/caller",
            "aws_session_name: nightly",
            "aws_external_id: x/1 2",
        ],
        path: CLAUDE_PATH,
        signed: Signed {
            region: "eu-west-1",
            access_key: "ASIAROLE",
            secret: "role/secret+1",
            session: Some("role-session-1=="),
        },
    },
];

#[tokio::test]
async fn every_request_to_bedrock_is_signed_as_botocore_signs_it() {
    let authority = Authority::start(assumed).await;
    let stage = bedrock(&authority).await;
    let (key, models) = (stage.plain_key().await.text, &stage.simulator);
    let at = models.addr();
    let mut arrived = Vec::new();
    for case in &CASES {
        let seen = models.calls().count();
        must_answer(&stage, &key, ("openai_chat", case.group, "bedrock_converse")).await;
        // The name of a profile does not say that Claude is behind it.
        let messages =
            if case.group == "profile" { "bedrock_converse" } else { "anthropic_messages" };
        must_answer(&stage, &key, ("anthropic_messages", case.group, messages)).await;
        let calls = calls_after(models, seen);
        let operations = match messages {
            "bedrock_converse" => ["converse", "converse-stream"].repeat(2),
            _ => vec!["converse", "converse-stream", "invoke", "invoke-with-response-stream"],
        };
        let paths: Vec<String> = operations.iter().map(|op| format!("{}{op}", case.path)).collect();
        assert_eq!(calls.iter().map(|call| &*call.path).collect::<Vec<_>>(), paths);
        arrived.push(Arrived { calls, at, service: "bedrock", by: case.signed });
    }
    // The role's key pair is asked for once, with the entry's own.
    let calls = authority.asked();
    assert_eq!(calls.len(), 1, "{calls:?}");
    let [of_entry, ..] = &CASES;
    let by = Signed { region: "eu-west-1", ..of_entry.signed };
    arrived.push(Arrived { calls, at: authority.simulator.addr(), service: "sts", by });
    must_be_signed(&arrived).await;
    let (books, _) = stage.close().await;
    assert_eq!(books.outcomes(), ["completed"; 4 * CASES.len()]);
}

#[tokio::test]
async fn a_bedrock_api_key_goes_as_a_bearer_token_and_signs_nothing() {
    let authority = Authority::start(assumed).await;
    let stage = bedrock(&authority).await;
    let (key, models) = (stage.plain_key().await.text, &stage.simulator);
    for (group, token) in [("api-key", "Bearer ABSK-own"), ("environment", "Bearer ABSK-env")] {
        let seen = models.calls().count();
        must_answer(&stage, &key, ("openai_chat", group, "bedrock_converse")).await;
        must_answer(&stage, &key, ("anthropic_messages", group, "anthropic_messages")).await;
        let calls = calls_after(models, seen);
        assert_eq!(calls.len(), 4);
        for call in calls {
            assert_eq!(call.header("authorization"), Some(token), "{}", call.path);
            assert_eq!(call.header("x-amz-date"), None, "{}", call.path);
        }
    }
}

#[tokio::test]
async fn a_platforms_token_becomes_a_key_pair_that_signs() {
    let authority = Authority::start(assumed).await;
    let models = models().await;
    let deployment = DeploymentText::named(CLAUDE)
        .with(&format!("aws_sts_endpoint: {}", authority.url()))
        .with("aws_web_identity_token: oidc/env/PLATFORM_TOKEN")
        .with(&format!("aws_role_name: {ROLE}"))
        .with("aws_session_name: nightly");
    // Where models are and in which region says the environment here, as on Kubernetes.
    let endpoint = format!("http://{}", models.addr());
    let config = ConfigText::new().group("platform", &deployment);
    let stage = stage(models, config, |home| {
        home.with_env("PLATFORM_TOKEN", PLATFORM_TOKEN)
            .with_env("AWS_BEDROCK_RUNTIME_ENDPOINT", &endpoint)
            .with_env("AWS_REGION", "eu-north-1")
    })
    .await;
    let key = stage.plain_key().await.text;
    must_answer(&stage, &key, ("openai_chat", "platform", "bedrock_converse")).await;
    must_answer(&stage, &key, ("anthropic_messages", "platform", "anthropic_messages")).await;
    let [.., role] = &CASES;
    let by = Signed { region: "eu-north-1", ..role.signed };
    let (calls, at) = (calls_after(&stage.simulator, 0), stage.simulator.addr());
    assert_eq!(calls.len(), 4);
    must_be_signed(&[Arrived { calls, at, service: "bedrock", by }]).await;
    let asked = authority.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].header("authorization"), None, "the token alone vouches");
}

/// A gateway with a group for each case, and a key in its environment that only an entry without
/// fields of its own uses.
async fn bedrock(authority: &Authority) -> Stage {
    let models = models().await;
    let endpoint = format!("aws_bedrock_runtime_endpoint: http://{}", models.addr());
    let sts = format!("aws_sts_endpoint: {}", authority.url());
    let deployment = |model: &str, lines: &[&str]| {
        let bare = DeploymentText::named(model).with(&endpoint);
        lines.iter().fold(bare, |deployment, line| deployment.with(line))
    };
    let config = CASES.iter().fold(ConfigText::new(), |config, case| {
        config.group(case.group, &deployment(case.model, case.lines).with(&sts))
    });
    let config = config
        .group("api-key", &deployment(CLAUDE, &["api_key: ABSK-own"]))
        .group("environment", &deployment(CLAUDE, &["aws_region_name: us-east-1"]));
    stage(models, config, |home| home.with_env("AWS_BEARER_TOKEN_BEDROCK", "ABSK-env")).await
}

/// What arrived at a service, and what it must have been signed with.
struct Arrived {
    calls: Vec<CallRecord>,
    at: SocketAddr,
    service: &'static str,
    by: Signed,
}

impl Arrived {
    fn tasks(&self) -> impl Iterator<Item = Value> {
        let by = self.by;
        self.calls.iter().map(move |call| {
            let headers: BTreeMap<_, _> = call.headers.iter().cloned().collect();
            json!({
                "method": call.method, "url": format!("http://{}{}", self.at, call.path),
                "headers": headers, "body": std::str::from_utf8(&call.body).expect("text"),
                "service": self.service, "region": by.region, "access_key": by.access_key,
                "secret": by.secret, "session": by.session,
            })
        })
    }
}

/// Has botocore sign what arrived, and fails unless it makes the same of it.
async fn must_be_signed(arrived: &[Arrived]) {
    let tasks: Value = arrived.iter().flat_map(Arrived::tasks).collect();
    let signed = python("aws_signatures.py", &tasks).await;
    let calls = arrived.iter().flat_map(|at| at.calls.iter().map(|call| (call, at.by.session)));
    assert_eq!(signed.as_array().map(Vec::len), Some(calls.clone().count()));
    for ((call, session), signed) in calls.zip(signed.as_array().into_iter().flatten()) {
        let sent = call.header("authorization").unwrap_or_default();
        assert_eq!(sent, signed.as_str().unwrap_or_default(), "{}", call.path);
        let names = match session {
            Some(_) => "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,",
            None => "SignedHeaders=content-type;host;x-amz-date,",
        };
        assert!(sent.contains(names), "{sent}");
        assert_eq!(call.header("x-amz-security-token"), session, "{}", call.path);
    }
}

/// The token service: the role's key pair for whoever asks for that role.
fn assumed(_own: &str, path: &str, form: &Form) -> Result<Granted, &'static str> {
    let role = [("Version", "2011-06-15"), ("RoleArn", ROLE), ("RoleSessionName", "nightly")];
    let by_key = [("Action", "AssumeRole"), ("ExternalId", "x/1 2")];
    let by_token = [("Action", "AssumeRoleWithWebIdentity"), ("WebIdentityToken", PLATFORM_TOKEN)];
    if path != "/" || !form.says(&role) || !(form.says(&by_key) || form.says(&by_token)) {
        return Err("ValidationError");
    }
    let keys = "<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role/secret+1</SecretAccessKey>\
                <SessionToken>role-session-{n}==</SessionToken>\
                <Expiration>2099-01-01T00:00:00Z</Expiration>";
    let answer = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleResult><Credentials>{keys}</Credentials></AssumeRoleResult>\
         </AssumeRoleResponse>"
    );
    Ok(("text/xml", answer))
}
