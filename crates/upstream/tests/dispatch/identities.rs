//! Each flow that fetches a credential, against a scripted service on the loopback.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::{HeaderName, HeaderValue};
use tollgate_domain::{
    Assertion, AssumeRole, AwsIdentity, AwsLink, EntraIdentity, EntraLink, GoogleIdentity,
    GoogleLink, Identity, Secret,
};
use tollgate_upstream::{Credential, DispatchError, Dispatcher, UpstreamRequest};

use crate::authority::{Authority, Route};
use crate::rig::{BUFFERED, PATIENT, dispatcher_at, request, soon};

const TOKEN: &str = r#"{"access_token":"tok-1","expires_in":1000,"token_type":"Bearer"}"#;
const KEYS: &str = r#"{"AccessKeyId":"AKID","SecretAccessKey":"hush","Token":"sess","Expiration":"2026-01-01T00:00:00Z"}"#;
const ROLE: &str = "<R><Credentials><AccessKeyId>ROLEKEY</AccessKeyId>\
    <SecretAccessKey>hush</SecretAccessKey><SessionToken>sess+/=</SessionToken>\
    <Expiration>2026-01-01T00:00:00Z</Expiration></Credentials></R>";

async fn call(
    dispatcher: &Dispatcher,
    to: &Authority,
    auth: Credential,
) -> Result<u16, DispatchError> {
    let mut request = UpstreamRequest { auth, ..request(&format!("{}/up", to.url), BUFFERED) };
    request.headers.push((HeaderName::from_static("api-key"), HeaderValue::from_static("stale")));
    let answer = soon(dispatcher.send(request, PATIENT)).await?;
    let status = answer.status;
    answer.body.collect(1_024).await?;
    Ok(status)
}

fn azure(to: &Authority, links: Vec<EntraLink>) -> Arc<Identity> {
    let scope = "https://cognitiveservices.azure.com/.default".to_owned();
    Arc::new(Identity::Entra(EntraIdentity { authority_host: to.url.clone(), scope, links }))
}

fn client_secret() -> EntraLink {
    EntraLink::ClientSecret {
        tenant_id: "t1".to_owned(),
        client_id: "c1".to_owned(),
        client_secret: Secret::new("hunter2"),
    }
}

fn google(link: GoogleLink) -> Credential {
    let scope = "https://www.googleapis.com/auth/cloud-platform".to_owned();
    Credential::Identity(Arc::new(Identity::Google(GoogleIdentity { scope, links: vec![link] })))
}

fn aws(to: &Authority, link: AwsLink, role: Option<AssumeRole>) -> Credential {
    let (region, sts_endpoint) = ("us-east-1".to_owned(), Some(to.url.clone()));
    let identity =
        Arc::new(Identity::Aws(AwsIdentity { region, sts_endpoint, links: vec![link], role }));
    let (service, region) = ("bedrock".to_owned(), "eu-west-1".to_owned());
    Credential::SigV4 { identity, service, region }
}

fn role() -> AssumeRole {
    let (role_arn, session_name) = ("arn:aws:iam::1:role/r".to_owned(), "tollgate".to_owned());
    AssumeRole { role_arn, session_name, external_id: Some("x1".to_owned()) }
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("it is written");
    file
}

fn has_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_for_all_calls_and_is_the_only_credential() {
    const ROUTES: &[Route] = &[("/up", 200, "ok"), ("/t1/oauth2/v2.0/token", 200, TOKEN)];
    let service = Authority::start(ROUTES).await;
    let (dispatcher, _) = dispatcher_at(1_000);
    let auth = Credential::Identity(azure(&service, vec![client_secret()]));
    let calls = (0..8).map(|_| call(&dispatcher, &service, auth.clone()));
    for outcome in futures_util::future::join_all(calls).await {
        assert_eq!(outcome, Ok(200));
    }
    assert_eq!((service.count("/t1/"), service.count("/up")), (1, 8));
    has_all(&service.last("/t1/"), &["grant_type=client_credentials", "client_secret=hunter2"]);
    let sent = service.last("/up");
    has_all(&sent, &["authorization: Bearer tok-1"]);
    assert!(!sent.contains("api-key"), "{sent}");
}

#[tokio::test]
async fn a_token_is_renewed_beside_the_call_near_its_end_and_awaited_after_it() {
    const ROUTES: &[Route] = &[("/up", 200, "ok"), ("/t1/", 200, TOKEN)];
    let service = Authority::start(ROUTES).await;
    let (dispatcher, hand) = dispatcher_at(1_000);
    let auth = Credential::Identity(azure(&service, vec![client_secret()]));
    for (at, fetches) in [(1_000, 1), (1_799, 1), (3_000, 2)] {
        hand.store(at, Ordering::SeqCst);
        assert_eq!(call(&dispatcher, &service, auth.clone()).await, Ok(200));
        assert_eq!(service.count("/t1/"), fetches, "at {at}");
    }
    hand.store(3_801, Ordering::SeqCst);
    assert_eq!(call(&dispatcher, &service, auth.clone()).await, Ok(200));
    soon(async {
        while service.count("/t1/") < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_refused_token_is_forgotten_once_it_is_not_fresh() {
    const ROUTES: &[Route] = &[("/up", 401, "no"), ("/t1/", 200, TOKEN)];
    let service = Authority::start(ROUTES).await;
    let (dispatcher, hand) = dispatcher_at(1_000);
    let identity = azure(&service, vec![client_secret()]);
    let auth = Credential::Identity(Arc::clone(&identity));
    assert_eq!(call(&dispatcher, &service, auth.clone()).await, Ok(401));
    assert!(!dispatcher.identities().forget(&identity), "it is fresh");
    hand.store(1_100, Ordering::SeqCst);
    assert!(dispatcher.identities().forget(&identity));
    assert_eq!(call(&dispatcher, &service, auth).await, Ok(401));
    assert_eq!(service.count("/t1/"), 2);
}

#[tokio::test]
async fn without_a_credential_every_link_says_why_and_nothing_is_sent() {
    const REFUSED: &str =
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: hunter2"}"#;
    const ROUTES: &[Route] = &[("/up", 200, "ok"), ("/t1/", 401, REFUSED)];
    let service = Authority::start(ROUTES).await;
    let absent = EntraLink::Absent {
        link: "environment",
        reason: "`AZURE_CLIENT_SECRET` is not set".to_owned(),
    };
    let cli = EntraLink::Cli { program: "/nowhere/az".into(), tenant_id: None };
    let auth = Credential::Identity(azure(&service, vec![absent, client_secret(), cli]));
    let (dispatcher, _) = dispatcher_at(1_000);
    let Err(DispatchError::Credentials { detail }) = call(&dispatcher, &service, auth).await else {
        panic!("a credential");
    };
    has_all(
        &detail,
        &[
            "environment: `AZURE_CLIENT_SECRET` is not set; ",
            "client secret: the service answered 401 `AADSTS7000215`; ",
            "Azure CLI: it cannot be run",
        ],
    );
    assert!(!detail.contains("hunter2"), "{detail}");
    assert_eq!(service.count("/up"), 0);
}

#[tokio::test]
async fn every_other_way_to_a_token_of_azure_works() {
    const MACHINE: &str = "/metadata/identity/oauth2/token";
    const ROUTES: &[Route] =
        &[("/up", 200, "ok"), ("/t1/", 200, TOKEN), (MACHINE, 200, TOKEN), ("/app", 200, TOKEN)];
    let service = Authority::start(ROUTES).await;
    let text = |text: &str| text.to_owned();
    let vouching = file("platform-token\n");
    let assertion = Assertion::File(vouching.path().into());
    for (link, path, parts) in [
        (
            EntraLink::Password {
                tenant_id: text("t1"),
                client_id: text("c1"),
                username: text("u"),
                password: Secret::new("p&w"),
            },
            "/t1/",
            ["grant_type=password", "password=p%26w"],
        ),
        (
            EntraLink::Federated { tenant_id: text("t1"), client_id: text("c1"), assertion },
            "/t1/",
            ["client_assertion=platform-token&", "client_assertion_type=urn%3Aietf"],
        ),
        (
            EntraLink::Machine { endpoint: service.url.clone(), client_id: Some(text("c1")) },
            MACHINE,
            ["metadata: true", "resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=c1"],
        ),
        (
            EntraLink::AppService {
                endpoint: format!("{}/app", service.url),
                header: Secret::new("h1"),
                client_id: None,
            },
            "/app",
            ["x-identity-header: h1", "api-version=2019-08-01"],
        ),
    ] {
        let (dispatcher, _) = dispatcher_at(1_000);
        let auth = Credential::Identity(azure(&service, vec![link]));
        assert_eq!(call(&dispatcher, &service, auth).await, Ok(200), "{path}");
        has_all(&service.last(path), &parts);
        has_all(&service.last("/up"), &["authorization: Bearer tok-1"]);
    }
}

#[tokio::test]
async fn every_way_to_a_token_of_google_works() {
    const META: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
    const OWN: &str = r#"{"accessToken":"tok-1","expireTime":"2026-01-01T00:00:00Z"}"#;
    const ROUTES: &[Route] = &[
        ("/", 200, ""),
        ("/up", 200, "ok"),
        ("/token", 200, TOKEN),
        (META, 200, TOKEN),
        ("/subject", 200, r#"{"id":"sub-1"}"#),
        ("/impersonate", 200, OWN),
    ];
    let service = Authority::start(ROUTES).await;
    let url = &service.url;
    let key = serde_json::Value::from(include_str!("../fixtures/service_account.key"));
    let account = format!(
        r#"{{"type":"service_account","client_email":"a@b","private_key_id":"k1","private_key":{key},"token_uri":"{url}/token"}}"#
    );
    let user = format!(
        r#"{{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r1","token_uri":"{url}/token"}}"#
    );
    let external = format!(
        r#"{{"type":"external_account","audience":"//iam/x","subject_token_type":"urn:jwt","token_url":"{url}/token","service_account_impersonation_url":"{url}/impersonate","credential_source":{{"url":"{url}/subject","headers":{{"x-a":"b"}},"format":{{"type":"json","subject_token_field_name":"id"}}}}}}"#
    );
    let user = file(&user);
    let json = |text: String| GoogleLink::Json(Secret::new(text));
    for (link, path, parts) in [
        (json(account), "/token", ["grant-type%3Ajwt-bearer&assertion=eyJ", "."]),
        (GoogleLink::File(user.path().into()), "/token", ["refresh_token=r1", "client_id=c"]),
        (json(external), "/token", ["subject_token=sub-1", "audience=%2F%2Fiam%2Fx"]),
        (
            GoogleLink::Metadata { endpoint: url.clone() },
            META,
            ["metadata-flavor: Google", "scopes=https"],
        ),
    ] {
        let (dispatcher, _) = dispatcher_at(1_000);
        assert_eq!(call(&dispatcher, &service, google(link)).await, Ok(200), "{path}");
        has_all(&service.last(path), &parts);
        has_all(&service.last("/up"), &["authorization: Bearer tok-1"]);
    }
    has_all(&service.last("/impersonate"), &["authorization: Bearer tok-1", "\"lifetime\""]);
}

#[tokio::test]
async fn every_way_to_a_key_pair_of_aws_signs_the_call() {
    const LIST: &str = "/latest/meta-data/iam/security-credentials/";
    const ROUTES: &[Route] = &[
        ("/", 200, ROLE),
        ("/up", 200, "ok"),
        ("/latest/api/token", 200, "session-1"),
        (LIST, 200, "r1\n"),
        ("/latest/meta-data/iam/security-credentials/r1", 200, KEYS),
        ("/container", 200, KEYS),
    ];
    let service = Authority::start(ROUTES).await;
    let (none, text) = (std::path::PathBuf::from("/nowhere"), |text: &str| text.to_owned());
    let files = file(
        "[base]\naws_access_key_id = AKID\naws_secret_access_key = hush\n[p]\nrole_arn = \
         arn:r\nsource_profile = base\n",
    );
    let keys = AwsLink::Keys {
        access_key_id: text("AKID"),
        secret_access_key: Secret::new("hush"),
        session_token: None,
    };
    let profile = AwsLink::Profile {
        name: text("p"),
        credentials_file: files.path().into(),
        config_file: none,
    };
    let token = Assertion::Given(Secret::new("platform-token"));
    let container = AwsLink::Container {
        url: format!("{}/container", service.url),
        authorization: Some(Assertion::Given(Secret::new("auth-1"))),
    };
    for (link, role, path, part, key) in [
        (keys.clone(), None, "/up", "content-type;host;x-amz-date,", "AKID"),
        (keys, Some(role()), "/", "&ExternalId=x1", "ROLEKEY"),
        (profile, None, "/", "RoleArn=arn%3Ar&", "ROLEKEY"),
        (AwsLink::WebIdentity { role: role(), token }, None, "/", "WebIdentityToken", "ROLEKEY"),
        (container, None, "/container", "authorization: auth-1", "AKID"),
        (
            AwsLink::Instance { endpoint: service.url.clone() },
            None,
            "/latest/meta-data/iam/security-credentials/r1",
            "x-aws-ec2-metadata-token: session-1",
            "AKID",
        ),
    ] {
        let (dispatcher, _) = dispatcher_at(1_000);
        let outcome = call(&dispatcher, &service, aws(&service, link, role)).await;
        assert_eq!(outcome, Ok(200), "{path}");
        let asked = service.asked();
        assert!(asked.iter().rev().take(3).any(|text| text.contains(part)), "{part}: {asked:?}");
        let signed = format!("Credential={key}/19700101/eu-west-1/bedrock/aws4_request");
        has_all(&service.last("/up"), &[&signed, "x-amz-date: 19700101T001640Z"]);
    }
}
