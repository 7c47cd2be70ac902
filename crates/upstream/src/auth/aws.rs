//! Key pairs of AWS: the first link of the chain that has one, and the role it is exchanged for.

use std::path::Path;

use http::header::AUTHORIZATION;
use http::{HeaderName, Method};
use serde_json::Value;
use tollgate_domain::{Assertion, AssumeRole, AwsIdentity, AwsLink, Secret, Timestamp};

use super::errand::{Courier, Errand, PROBE_LIMIT};
use super::grant::{Grant, instant, text, vouched};
use super::profile::Profile;
use super::{AwsKeys, Proof, sts};

/// The key pair of the first link that has one, or of the role.
pub(super) async fn fetch(
    courier: &Courier,
    identity: &AwsIdentity,
    now: Timestamp,
) -> Result<Grant, String> {
    let grant = first(courier, identity, now).await?;
    let Some(role) = &identity.role else { return Ok(grant) };
    assume(courier, identity, (role, grant), now).await
}

async fn first(courier: &Courier, identity: &AwsIdentity, now: Timestamp) -> Result<Grant, String> {
    let mut failures = Vec::new();
    for link in &identity.links {
        let (name, outcome) = match link {
            AwsLink::Keys { access_key_id, secret_access_key, session_token } => {
                let (id, key) = (access_key_id.clone(), secret_access_key.clone());
                ("access key", Ok(fixed(id, key, session_token.clone())))
            }
            AwsLink::Profile { name, credentials_file, config_file } => {
                let files = (credentials_file.as_path(), config_file.as_path());
                ("profile", of_profile((courier, identity, now), name, files).await)
            }
            AwsLink::WebIdentity { role, token } => {
                ("web identity", of_web_identity(courier, identity, role, token).await)
            }
            AwsLink::Container { url, authorization } => {
                ("container", of_container(courier, url, authorization.as_ref()).await)
            }
            AwsLink::Instance { endpoint } => ("instance", of_instance(courier, endpoint).await),
            AwsLink::Absent { link, reason } => (*link, Err(reason.clone())),
        };
        match outcome {
            Ok(grant) => return Ok(grant),
            Err(why) => failures.push(format!("{name}: {why}")),
        }
    }
    Err(failures.join("; "))
}

fn fixed(id: String, key: Secret, session_token: Option<Secret>) -> Grant {
    let keys = AwsKeys { access_key_id: id, secret_access_key: key, session_token };
    Grant { proof: Proof::Keys(keys), expires_at: None }
}

async fn assume(
    courier: &Courier,
    identity: &AwsIdentity,
    (role, grant): (&AssumeRole, Grant),
    now: Timestamp,
) -> Result<Grant, String> {
    let Proof::Keys(keys) = &grant.proof else { return Err("there is no key pair".to_owned()) };
    let outcome = sts::assume(courier, identity, (role, keys), now).await;
    outcome.map_err(|why| format!("role `{}`: {why}", role.role_arn))
}

async fn of_web_identity(
    courier: &Courier,
    identity: &AwsIdentity,
    role: &AssumeRole,
    token: &Assertion,
) -> Result<Grant, String> {
    sts::assume_with_token(courier, identity, (role, &vouched(token).await?)).await
}

/// A profile's keys, or the roles that lead from its source to it.
async fn of_profile(
    (courier, identity, now): (&Courier, &AwsIdentity, Timestamp),
    name: &str,
    (credentials, config): (&Path, &Path),
) -> Result<Grant, String> {
    let mut roles = Vec::new();
    let mut name = name.to_owned();
    let mut grant = loop {
        let profile = Profile::load(&name, credentials, config).await?;
        let id = profile.setting("aws_access_key_id");
        let key = profile.setting("aws_secret_access_key");
        let source = profile.setting("source_profile").filter(|source| *source != name);
        let role = profile.setting("role_arn").map(|arn| role_of(&profile, arn));
        match (role, profile.setting("web_identity_token_file"), source, id.zip(key)) {
            (Some(role), Some(file), _, _) => {
                let token = Assertion::File(file.into());
                break of_web_identity(courier, identity, &role, &token).await?;
            }
            (Some(role), None, Some(source), _) if roles.len() < PROFILES_MAX => {
                roles.push(role);
                source.clone_into(&mut name);
            }
            (Some(_), None, Some(_), _) => {
                return Err(format!("more than {PROFILES_MAX} profiles refer to each other"));
            }
            (role, None, None, Some((id, key))) | (role @ None, _, _, Some((id, key))) => {
                roles.extend(role);
                let token = profile.setting("aws_session_token").map(Secret::new);
                break fixed(id.to_owned(), Secret::new(key), token);
            }
            (_, _, _, None) => {
                return Err(format!("profile `{name}` has no key pair that is read"));
            }
        }
    };
    for role in roles.iter().rev() {
        grant = assume(courier, identity, (role, grant), now).await?;
    }
    Ok(grant)
}

fn role_of(profile: &Profile, arn: &str) -> AssumeRole {
    AssumeRole {
        role_arn: arn.to_owned(),
        session_name: profile.setting("role_session_name").unwrap_or("tollgate").to_owned(),
        external_id: profile.setting("external_id").map(str::to_owned),
    }
}

async fn of_container(
    courier: &Courier,
    url: &str,
    authorization: Option<&Assertion>,
) -> Result<Grant, String> {
    let mut errand = Errand::get(url);
    if let Some(authorization) = authorization {
        errand = errand.with(AUTHORIZATION, &vouched(authorization).await?)?;
    }
    granted(&courier.fetch(errand).await?)
}

async fn of_instance(courier: &Courier, endpoint: &str) -> Result<Grant, String> {
    let base = format!("{}/latest", endpoint.trim_end_matches('/'));
    let mut errand = Errand::get(format!("{base}/api/token")).within(PROBE_LIMIT);
    errand.method = Method::PUT;
    let session = courier.ask(errand.with(SESSION_TTL, &Secret::new(SESSION_LIFE_S))?).await?;
    let session = String::from_utf8(session.success()?.into());
    let session = Secret::new(session.map_err(|_| "the session token is not text")?);
    let url = format!("{base}/meta-data/iam/security-credentials/");
    let roles = courier.ask(Errand::get(&*url).with(SESSION, &session)?).await?.success()?;
    let roles = String::from_utf8_lossy(&roles).into_owned();
    let role = roles.lines().next().map(str::trim).filter(|role| !role.is_empty());
    let role = role.ok_or("the instance has no role")?;
    granted(&courier.fetch(Errand::get(format!("{url}{role}")).with(SESSION, &session)?).await?)
}

fn granted(body: &Value) -> Result<Grant, String> {
    let keys = AwsKeys {
        access_key_id: text(body, "AccessKeyId")?.to_owned(),
        secret_access_key: Secret::new(text(body, "SecretAccessKey")?),
        session_token: text(body, "Token").ok().map(Secret::new),
    };
    let expires_at = text(body, "Expiration").ok().map(instant).transpose()?;
    Ok(Grant { proof: Proof::Keys(keys), expires_at })
}

const SESSION_TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const SESSION: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");

/// The life of a metadata session, in seconds: 5 min, as it is used at once.
const SESSION_LIFE_S: &str = "300";

/// The most profiles that one goes through.
const PROFILES_MAX: usize = 4;
