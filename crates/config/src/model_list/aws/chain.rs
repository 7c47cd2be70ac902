//! The default chain of AWS, as the environment describes it (bedrock.md §1).

use std::path::{Path, PathBuf};

use tollgate_domain::{Assertion, AssumeRole, AwsLink, Secret};

use super::SESSION_NAME;
use crate::environment::Environment;

/// Keys, web identity, the shared files, the container, the instance.
pub(super) fn links(env: &Environment<'_>) -> Vec<AwsLink> {
    let name = env.variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
    vec![keys(env), web_identity(env), profile(env, name), container(env), instance(env)]
}

/// Whether a variable says that the environment has a credential.
pub(super) fn is_configured(env: &Environment<'_>) -> bool {
    const NAMES: [&str; 5] = [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_PROFILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    NAMES.iter().any(|name| env.variable(name).is_some())
}

fn keys(env: &Environment<'_>) -> AwsLink {
    let id = env.variable("AWS_ACCESS_KEY_ID");
    match id.zip(env.variable("AWS_SECRET_ACCESS_KEY")) {
        Some((access_key_id, secret)) => AwsLink::Keys {
            access_key_id,
            secret_access_key: Secret::new(secret),
            session_token: env.variable("AWS_SESSION_TOKEN").map(Secret::new),
        },
        None => absent("environment", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"),
    }
}

fn web_identity(env: &Environment<'_>) -> AwsLink {
    let role_arn = env.variable("AWS_ROLE_ARN");
    match role_arn.zip(env.variable("AWS_WEB_IDENTITY_TOKEN_FILE")) {
        Some((role_arn, file)) => {
            let session_name = env.variable("AWS_ROLE_SESSION_NAME");
            let session_name = session_name.unwrap_or_else(|| SESSION_NAME.to_owned());
            let role = AssumeRole { role_arn, session_name, external_id: None };
            AwsLink::WebIdentity { role, token: Assertion::File(PathBuf::from(file)) }
        }
        None => absent("web identity", "AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are not set"),
    }
}

/// A profile of the shared files, which may be elsewhere than at home.
pub(super) fn profile(env: &Environment<'_>, name: String) -> AwsLink {
    let home = env.variable("HOME").or_else(|| env.variable("USERPROFILE"));
    let file = |variable: &str, usual: &str| {
        let there = env.variable(variable).map(PathBuf::from);
        there.or_else(|| Some(Path::new(home.as_ref()?).join(".aws").join(usual)))
    };
    let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    match credentials.zip(file("AWS_CONFIG_FILE", "config")) {
        Some((credentials_file, config_file)) => {
            AwsLink::Profile { name, credentials_file, config_file }
        }
        None => absent("profile", "HOME is not set, nor where the shared files are"),
    }
}

fn container(env: &Environment<'_>) -> AwsLink {
    let relative = env.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let url = relative.map(|path| format!("{CONTAINER}{path}"));
    let Some(url) = url.or_else(|| env.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")) else {
        let reason = "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor …_FULL_URI is set";
        return absent("container", reason);
    };
    let file = env.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    let token = || env.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    let authorization = match file {
        Some(file) => Some(Assertion::File(PathBuf::from(file))),
        None => token().map(|token| Assertion::Given(Secret::new(token))),
    };
    AwsLink::Container { url, authorization }
}

fn instance(env: &Environment<'_>) -> AwsLink {
    let disabled = env.variable("AWS_EC2_METADATA_DISABLED");
    if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return absent("instance", "AWS_EC2_METADATA_DISABLED says so");
    }
    let endpoint = env.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    AwsLink::Instance { endpoint: endpoint.unwrap_or_else(|| INSTANCE.to_owned()) }
}

fn absent(link: &'static str, reason: &str) -> AwsLink {
    AwsLink::Absent { link, reason: reason.to_owned() }
}

const CONTAINER: &str = "http://169.254.170.2";
const INSTANCE: &str = "http://169.254.169.254";
