//! Bedrock: requests signed with key pairs that the configuration holds or that a role is exchanged
//! for, and requests with an API key. What arrives is signed anew by botocore and compared.

use serde_json::{Value, json};
use tollgate_simulator::{CallRecord, Simulator};
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
        must_be_signed(&calls, models, "bedrock", &case.signed).await;
    }
    // The role's key pair is asked for once, with the entry's own.
    let asked = authority.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let [of_entry, ..] = &CASES;
    let by = Signed { region: "eu-west-1", ..of_entry.signed };
    must_be_signed(&asked, &authority.simulator, "sts", &by).await;
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

/// Has botocore sign what arrived, and fails unless it makes the same of it.
async fn must_be_signed(calls: &[CallRecord], at: &Simulator, service: &str, by: &Signed) {
    let body = |call: &CallRecord| String::from_utf8(call.body.to_vec()).expect("text");
    let tasks = calls.iter().map(|call| {
        json!({
            "method": call.method, "url": format!("http://{}{}", at.addr(), call.path),
            "headers": call.headers.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "body": body(call), "service": service, "region": by.region,
            "access_key": by.access_key, "secret": by.secret, "session": by.session,
        })
    });
    let signed = python("aws_signatures.py", &tasks.collect::<Value>()).await;
    let names = match by.session {
        Some(_) => "content-type;host;x-amz-date;x-amz-security-token",
        None => "content-type;host;x-amz-date",
    };
    assert_eq!(signed.as_array().map(Vec::len), Some(calls.len()));
    for (call, signed) in calls.iter().zip(signed.as_array().into_iter().flatten()) {
        let sent = call.header("authorization").unwrap_or_default();
        assert_eq!(sent, signed.as_str().unwrap_or_default(), "{}", call.path);
        assert!(sent.contains(&format!("SignedHeaders={names},")), "{sent}");
        assert_eq!(call.header("x-amz-security-token"), by.session, "{}", call.path);
    }
}

/// The token service: the role's key pair for whoever asks for that role.
fn assumed(_own: &str, path: &str, form: &Form) -> Result<Granted, &'static str> {
    let wanted = [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "nightly"),
        ("ExternalId", "x/1 2"),
    ];
    if path != "/" || !form.says(&wanted) {
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
