//! AWS's token service: a role in exchange for a key pair or for a platform's token.

use tollgate_domain::{AssumeRole, AwsIdentity, Secret, Timestamp};

use super::errand::{Courier, Errand};
use super::grant::{Grant, instant};
use super::sigv4::{self, Scope};
use super::{AwsKeys, Proof};

/// `AssumeRole` with a key pair.
pub(super) async fn assume(
    courier: &Courier,
    identity: &AwsIdentity,
    (role, keys): (&AssumeRole, &AwsKeys),
    now: Timestamp,
) -> Result<Grant, String> {
    let mut fields = fields("AssumeRole", role);
    fields.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
    let errand = Errand::form(url(identity), &fields);
    let (limit, body) = (errand.limit, errand.body.clone());
    let mut request = errand.request()?;
    let scope = Scope { region: &identity.region, service: "sts" };
    sigv4::sign(&mut request, &body, keys, scope, now)?;
    granted(&courier.send(request, limit).await?.success()?)
}

/// `AssumeRoleWithWebIdentity`.
pub(super) async fn assume_with_token(
    courier: &Courier,
    identity: &AwsIdentity,
    (role, token): (&AssumeRole, &Secret),
) -> Result<Grant, String> {
    let mut fields = fields("AssumeRoleWithWebIdentity", role);
    fields.push(("WebIdentityToken", token.expose()));
    let errand = Errand::form(url(identity), &fields);
    granted(&courier.ask(errand).await?.success()?)
}

fn fields<'a>(action: &'a str, role: &'a AssumeRole) -> Vec<(&'a str, &'a str)> {
    let session = ("RoleSessionName", &*role.session_name);
    vec![("Action", action), ("Version", "2011-06-15"), ("RoleArn", &role.role_arn), session]
}

fn url(identity: &AwsIdentity) -> String {
    let region = &identity.region;
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let own = identity.sts_endpoint.as_deref().map(|url| url.trim_end_matches('/'));
    own.map_or_else(|| format!("https://sts.{region}.{suffix}/"), |url| format!("{url}/"))
}

fn granted(body: &[u8]) -> Result<Grant, String> {
    let body = std::str::from_utf8(body).map_err(|_| "the answer is not text")?;
    let part = |name: &str| element(body, name).ok_or_else(|| format!("`{name}` is missing"));
    let keys = AwsKeys {
        access_key_id: part("AccessKeyId")?.to_owned(),
        secret_access_key: Secret::new(part("SecretAccessKey")?),
        session_token: Some(Secret::new(part("SessionToken")?)),
    };
    let expires_at = Some(instant(part("Expiration")?)?);
    Ok(Grant { proof: Proof::Keys(keys), expires_at })
}

/// The text of the first XML element of this name. What is read so has no entities in it: keys,
/// times and codes.
pub(super) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once('<')?.0.trim()).filter(|text| !text.is_empty())
}
