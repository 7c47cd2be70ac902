//! Which source of a signature wins, and where the region comes from.

use std::sync::Arc;

use tollgate_domain::{Assertion, AwsIdentity, AwsLink, Identity};
use tollgate_wire::Catalog;

use crate::{Compiled, Deployment, PriceList, Source, compile};

type Env<'a> = &'a [(&'a str, &'a str)];

const REGION: (&str, &str) = ("AWS_REGION", "eu-west-1");
const BEARER: (&str, &str) = ("AWS_BEARER_TOKEN_BEDROCK", "b-env");
const KEYS: Env<'static> =
    &[REGION, ("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "hush")];

/// The configuration of one deployment, or the messages of all findings.
fn compiled(model: &str, params: &str, env: Env<'_>) -> Result<Compiled, String> {
    let text = format!(
        "model_list:\n  - model_name: m\n    litellm_params: {{model: '{model}', {params}}}\n"
    );
    let lookup = |name: &str| {
        env.iter().find(|(there, _)| *there == name).map(|(_, value)| (*value).to_owned())
    };
    let catalog = Catalog::embedded().expect("the catalog");
    let source = Source { name: "config.yaml", text: &text };
    compile(source, &lookup, &catalog, &PriceList::embedded()).map_err(|findings| {
        findings.into_inner().iter().map(|f| format!("{}\n", f.message)).collect()
    })
}

/// The deployment, or `None` where it is left out, with the messages about it.
fn deployment(model: &str, params: &str, env: Env<'_>) -> (Option<Arc<Deployment>>, String) {
    let Compiled { snapshot, warnings, .. } = compiled(model, params, env).expect(params);
    let messages = warnings.iter().map(|f| format!("{}\n", f.message)).collect();
    let resolved = snapshot.resolve("m");
    (resolved.and_then(|found| found.deployments.first().cloned()), messages)
}

fn is_signed(deployment: &Deployment) -> &AwsIdentity {
    match deployment.identity.as_deref() {
        Some(Identity::Aws(identity)) => identity,
        other => panic!("{other:?}"),
    }
}

fn link(link: &AwsLink) -> String {
    match link {
        AwsLink::Keys { access_key_id, session_token, .. } => {
            format!("{access_key_id}{}", if session_token.is_some() { "+" } else { "" })
        }
        AwsLink::Profile { name, credentials_file, .. } => {
            format!("profile {name} {}", credentials_file.display())
        }
        AwsLink::WebIdentity { role, token } => match token {
            Assertion::File(path) => format!("{} by {}", role.role_arn, path.display()),
            Assertion::Given(token) => format!("{} by `{}`", role.role_arn, token.expose()),
        },
        AwsLink::Container { url, .. } => url.clone(),
        AwsLink::Instance { endpoint } => endpoint.clone(),
        AwsLink::Absent { link, .. } => format!("no {link}"),
    }
}

/// How a deployment with these parameters proves who it is.
fn mode(params: &str, env: Env<'_>) -> String {
    let (deployment, messages) = deployment("bedrock/converse/a.b", params, env);
    let Some(deployment) = deployment else { return format!("left out: {messages}") };
    match (&deployment.key, &deployment.identity) {
        (Some(key), None) => key.expose().to_owned(),
        (None, None) => "open".to_owned(),
        _ => {
            let identity = is_signed(&deployment);
            let links: Vec<String> = identity.links.iter().map(link).collect();
            let role = identity.role.as_ref();
            let role = role.map(|role| format!(" as {} {}", role.role_arn, role.session_name));
            format!("{}{}", links.join(", "), role.unwrap_or_default())
        }
    }
}

#[test]
fn the_entrys_own_fields_win_over_a_key_of_the_environment_and_that_over_the_chain() {
    let own = "aws_access_key_id: AK, aws_secret_access_key: s";
    let chain = "AKENV, no web identity, no profile, no container, http://169.254.169.254";
    let both: Vec<(&str, &str)> = KEYS.iter().copied().chain([BEARER]).collect();
    for (params, env, expected) in [
        ("api_key: k1, aws_profile_name: p", &*both, "k1"),
        (own, &*both, "AK"),
        ("", &*both, "b-env"),
        ("", KEYS, chain),
        (&format!("{own}, aws_session_token: t"), KEYS, "AK+"),
        (&format!("{own}, aws_role_name: r"), KEYS, "AK as r tollgate"),
        (&format!("{own}, aws_role_name: r, aws_session_name: n"), KEYS, "AK as r n"),
        ("aws_role_name: r", KEYS, &format!("{chain} as r tollgate")),
    ] {
        assert_eq!(mode(params, env), expected, "{params}");
    }
}

#[test]
fn a_web_identity_token_is_a_path_a_variable_or_the_token_itself() {
    let env = [REGION, ("TOKEN", "t-env"), ("TOKEN_FILE", "/env/token")];
    for (token, expected) in [
        ("/run/token", "r by /run/token"),
        ("oidc/file//run/token", "r by /run/token"),
        ("oidc/env/TOKEN", "r by `t-env`"),
        ("oidc/env_path/TOKEN_FILE", "r by /env/token"),
        ("h.p.s", "r by `h.p.s`"),
    ] {
        let params = format!("aws_role_name: r, aws_web_identity_token: {token}");
        assert_eq!(mode(&params, &env), expected, "{token}");
    }
}

#[test]
fn the_chain_is_what_the_environment_describes() {
    let env = [
        REGION,
        ("AWS_ROLE_ARN", "r"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"),
        ("AWS_PROFILE", "p"),
        ("HOME", "/home/u"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let files = "/home/u/.aws/credentials";
    let expected = format!(
        "no environment, r by /t, profile p {files}, http://169.254.170.2/v2/x, no instance"
    );
    assert_eq!(mode("", &env), expected);
    assert_eq!(mode("aws_profile_name: q", &env), format!("profile q {files}"));
}

#[test]
fn a_mock_on_this_machine_needs_no_credential() {
    let mock = "api_base: 'http://127.0.0.1:9'";
    assert_eq!(mode(mock, &[]), "open");
    assert_eq!(mode("aws_bedrock_runtime_endpoint: 'http://localhost:9'", &[]), "open");
    assert!(mode(mock, KEYS).starts_with("AKENV"), "{}", mode(mock, KEYS));
    let elsewhere = "api_base: 'https://vpce.test'";
    assert!(mode(elsewhere, &[]).starts_with("no environment"), "{}", mode(elsewhere, &[]));
}

#[test]
fn what_the_entry_names_and_the_environment_lacks_is_not_replaced() {
    for params in [
        "api_key: os.environ/NONE",
        "aws_access_key_id: os.environ/NONE, aws_secret_access_key: s",
        "aws_profile_name: os.environ/NONE",
        "aws_role_name: r, aws_web_identity_token: oidc/env/NONE",
    ] {
        let mode = mode(params, KEYS);
        assert!(mode.starts_with("left out") && mode.contains("`NONE`"), "{params}: {mode}");
    }
}

#[test]
fn half_a_set_is_an_error() {
    for (params, message) in [
        ("aws_access_key_id: a", "`aws_access_key_id` is without `aws_secret_access_key`"),
        ("aws_secret_access_key: a", "`aws_secret_access_key` is without `aws_access_key_id`"),
        ("aws_session_token: a", "`aws_session_token` is without `aws_access_key_id`"),
        ("aws_session_name: a", "`aws_session_name` is without `aws_role_name`"),
        ("aws_external_id: a", "`aws_external_id` is without `aws_role_name`"),
        ("aws_web_identity_token: /a", "`aws_web_identity_token` is without `aws_role_name`"),
        ("aws_role_name: r, aws_web_identity_token: oidc/github/x", "neither a token nor a source"),
    ] {
        let messages = compiled("bedrock/a.b", params, KEYS).expect_err(params);
        assert!(messages.contains(message), "{params}: {messages}");
    }
}

#[test]
fn the_models_region_wins_over_the_entrys_and_that_over_the_environments() {
    let arn = "arn:aws:bedrock:ap-south-1:1:inference-profile/x";
    for (model, params, region, upstream) in [
        ("bedrock/a.b", "", "eu-west-1", "a.b"),
        ("bedrock/a.b", "aws_region_name: us-west-2", "us-west-2", "a.b"),
        ("bedrock/a.b", "region_name: us-west-2", "us-west-2", "a.b"),
        ("bedrock/a.b", "region_name: x, aws_region_name: us-west-2", "us-west-2", "a.b"),
        ("bedrock/us-gov-west-1/a.b", "", "us-gov-west-1", "a.b"),
        ("bedrock/converse/us-east-2/a.b", "aws_region_name: us-west-2", "us-east-2", "a.b"),
        (&format!("bedrock/{arn}"), "", "ap-south-1", arn),
    ] {
        let (deployment, messages) = deployment(model, params, KEYS);
        let deployment = deployment.expect(model);
        assert_eq!(&*deployment.upstream_model, upstream, "{model}");
        assert_eq!(
            &*deployment.base_url,
            format!("https://bedrock-runtime.{region}.amazonaws.com")
        );
        assert_eq!(is_signed(&deployment).region, region);
        let differs = model.contains("us-east-2");
        assert_eq!(messages.contains("not `us-west-2`"), differs, "{messages}");
    }
}

#[test]
fn a_region_is_needed_and_assumed_only_at_an_own_base_url() {
    let (none, messages) = deployment("bedrock/a.b", "", &KEYS[1..]);
    assert!(none.is_none());
    for name in ["aws_region_name", "AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"] {
        assert!(messages.contains(&format!("`{name}`")), "{messages}");
    }
    let own = "api_base: 'https://vpce.test', aws_sts_endpoint: 'https://sts.test'";
    let (found, _) = deployment("bedrock/a.b", own, &KEYS[1..]);
    let found = found.expect("a region is assumed");
    assert_eq!(&*found.variables, [("region".into(), "us-east-1".into())]);
    let identity = is_signed(&found);
    assert_eq!(
        (&*identity.region, identity.sts_endpoint.as_deref()),
        ("us-east-1", Some("https://sts.test"))
    );
}

#[test]
fn a_key_of_the_environment_that_is_not_used_is_noted() {
    let (_, messages) = deployment("bedrock/a.b", "aws_profile_name: p", &[REGION, BEARER]);
    assert!(messages.contains("`AWS_BEARER_TOKEN_BEDROCK` is ignored"), "{messages}");
}

#[test]
fn a_wildcards_model_may_name_the_region_that_its_call_goes_to() {
    let text = "model_list:\n  - {model_name: 'bedrock/*', litellm_params: {model: 'bedrock/*'}}\n  \
        - {model_name: 'own/*', litellm_params: {model: 'bedrock/*', api_base: 'https://h.test'}}\n";
    let lookup = |name: &str| {
        KEYS.iter().find(|(there, _)| *there == name).map(|(_, value)| (*value).to_owned())
    };
    let catalog = Catalog::embedded().expect("the catalog");
    let source = Source { name: "config.yaml", text };
    let snapshot = compile(source, &lookup, &catalog, &PriceList::embedded());
    let snapshot = snapshot.expect("no errors").snapshot;
    let aws = |region: &str| format!("https://bedrock-runtime.{region}.amazonaws.com");
    for (name, region, base_url, model) in [
        (
            "bedrock/us-west-2/anthropic.claude-x",
            "us-west-2",
            aws("us-west-2"),
            "anthropic.claude-x",
        ),
        ("bedrock/anthropic.claude-x", "eu-west-1", aws("eu-west-1"), "anthropic.claude-x"),
        ("bedrock/west/a.b", "eu-west-1", aws("eu-west-1"), "west/a.b"),
        ("own/us-west-2/a.b", "us-west-2", "https://h.test".to_owned(), "a.b"),
    ] {
        let resolved = snapshot.resolve(name).expect(name);
        let deployment = &resolved.deployments[0];
        let found = deployment.variables.iter().find(|(name, _)| &**name == "region");
        assert_eq!(found.map(|(_, value)| &**value), Some(region), "{name}");
        assert_eq!((&*deployment.base_url, &*deployment.upstream_model), (&*base_url, model));
    }
}
