//! How a deployment signs: the entry's own fields, else a key, else the environment's default chain
//! (bedrock.md §1 and §2).

mod chain;

use std::sync::Arc;

use tollgate_domain::{AssumeRole, AwsIdentity, AwsLink, Identity, Secret};
use tollgate_wire::{AuthScheme, Provider};

use super::credential::{BaseUrl, Call, Mode, Needed, Subject, Variable};
use super::own::{Own, assertion, note_ignored};
use crate::deployment::Deployment;
use crate::diagnostic::{Finding, code};
use crate::schema::{Given, Reader, Section};
use crate::yaml::Entry;

/// The mode: the entry's `api_key`, its own fields, a key of the environment, the default chain.
pub(super) fn mode(
    reader: &mut Reader<'_>,
    params: &mut Section<'_>,
    own_key: Option<&Entry>,
    call: Call<'_>,
) -> Needed<Mode> {
    let own = Own::take(reader, params, &FIELDS);
    let sts_endpoint = params.take("aws_sts_endpoint").and_then(|entry| reader.text(entry));
    if own_key.is_some() {
        if let Some(entry) = own.first() {
            let message = format!("`{}` is ignored: this deployment has an `api_key`", entry.name);
            reader.findings.push(Finding::note(code::CONFLICT, entry.name_span.clone(), message));
        }
        return Needed::Found(Mode::Key);
    }
    if own.lacks(reader, call.subject) {
        return Needed::Lacking;
    }
    let found = match own.first() {
        Some(entry) => {
            note_ignored(reader, entry, (&call.provider.key_env, "a signature"));
            of_entry(reader, &own, call.subject)
        }
        None if reader.env.first(&call.provider.key_env).is_some() => {
            return Needed::Found(Mode::Key);
        }
        None if call.mock && !chain::is_configured(&reader.env) => {
            return Needed::Found(Mode::Open);
        }
        None => Needed::Found((chain::links(&reader.env), None)),
    };
    found.map(|(links, role)| {
        let region = call.variable(REGION).unwrap_or(REGION_ASSUMED).to_owned();
        Mode::Identity(Identity::Aws(AwsIdentity { region, sts_endpoint, links, role }))
    })
}

/// What the entry's own fields say: where the key pair comes from, and the role on top.
fn of_entry(
    reader: &mut Reader<'_>,
    own: &Own<'_>,
    subject: Subject<'_>,
) -> Needed<(Vec<AwsLink>, Option<AssumeRole>)> {
    if !own.is_complete(reader, &NEEDS) {
        return Needed::Wrong;
    }
    let role = own.text("aws_role_name").map(|role_arn| AssumeRole {
        role_arn,
        session_name: own.text("aws_session_name").unwrap_or_else(|| SESSION_NAME.to_owned()),
        external_id: own.text("aws_external_id"),
    });
    let token = own.entry("aws_web_identity_token").zip(own.text("aws_web_identity_token"));
    let pair = own.text("aws_access_key_id").zip(own.text("aws_secret_access_key"));
    Needed::Found(match (role, token, pair, own.text("aws_profile_name")) {
        (Some(role), Some((entry, written)), _, _) => {
            return assertion(reader, entry, &written, subject)
                .map(|token| (vec![AwsLink::WebIdentity { role, token }], None));
        }
        (role, _, Some((access_key_id, secret)), _) => {
            let secret_access_key = Secret::new(secret);
            let session_token = own.text("aws_session_token").map(Secret::new);
            (vec![AwsLink::Keys { access_key_id, secret_access_key, session_token }], role)
        }
        (role, _, None, Some(name)) => (vec![chain::profile(&reader.env, name)], role),
        (role, _, None, None) => (chain::links(&reader.env), role),
    })
}

/// The region that the model's name says: that of an ARN, else a first segment, which is taken off.
pub(super) fn region_of_model(provider: &Provider, model: &mut String) -> Option<String> {
    let AuthScheme::SigV4 { .. } = provider.auth else { return None };
    let before = model.split_once('/').filter(|(first, rest)| is_region(first) && !rest.is_empty());
    let before = before.map(|(first, rest)| (first.to_owned(), rest.to_owned()));
    let segment = before.map(|(region, rest)| {
        *model = rest;
        region
    });
    // `arn:partition:service:region:account:resource`
    let of_arn = model.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
    of_arn.filter(|region| is_region(region)).map(str::to_owned).or(segment)
}

/// Puts the region of the model's name over the configured one; a different one of the entry's is
/// worth a warning.
pub(super) fn set_region(
    reader: &mut Reader<'_>,
    params: &mut Section<'_>,
    variables: &mut Vec<Variable>,
    region: &str,
) {
    if let Some(entry) = params.take("aws_region_name").or(params.take("region_name"))
        && let Some(Given::Text(other)) = reader.given(entry)
        && other != region
    {
        let message = format!("`{region}` is used, which the model's name says, not `{other}`");
        let span = entry.name_span.clone();
        reader.findings.push(Finding::warning(code::CONFLICT, span, message));
    }
    put_region(variables, region);
}

fn put_region(variables: &mut Vec<Variable>, region: &str) {
    variables.retain(|(name, _)| **name != *REGION);
    variables.push((REGION.into(), region.into()));
}

/// Puts a deployment whose model is known only with the call into the region that the model's name
/// says, if it says one.
pub(crate) fn go_to_region_of_model(deployment: &mut Deployment) {
    let provider = Arc::clone(&deployment.provider);
    let mut model = deployment.upstream_model.to_string();
    let Some(region) = region_of_model(&provider, &mut model) else { return };
    let mut variables = deployment.variables.to_vec();
    put_region(&mut variables, &region);
    let value = |wanted: &str| {
        let found = variables.iter().find(|(name, _)| **name == *wanted);
        found.map(|(_, value)| value.to_string())
    };
    if !deployment.calling.own_base_url
        && let Ok(Some(url)) = provider.own_base_url(value)
    {
        deployment.base_url = url.trim_end_matches('/').into();
    }
    deployment.variables = variables.into();
    deployment.upstream_model = model.into();
}

/// A signature names a region even where the operator's own base URL does not need one.
pub(super) fn assume_region(provider: &Provider, base: &BaseUrl, variables: &mut Vec<Variable>) {
    let lacks = !variables.iter().any(|(name, _)| **name == *REGION);
    if base.own && lacks && matches!(provider.auth, AuthScheme::SigV4 { .. }) {
        variables.push((REGION.into(), REGION_ASSUMED.into()));
    }
}

/// The entry's own name of the base URL.
pub(super) fn endpoint<'e>(params: &mut Section<'e>, provider: &Provider) -> Option<&'e Entry> {
    let signs = matches!(provider.auth, AuthScheme::SigV4 { .. });
    if signs { params.take("aws_bedrock_runtime_endpoint") } else { None }
}

/// Such as `us-east-1` or `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    match &*parts {
        [area, middle @ .., number] => {
            area.len() == 2
                && is_word(area)
                && !middle.is_empty()
                && middle.iter().all(is_word)
                && (1..=2).contains(&number.len())
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        [] | [_] => false,
    }
}

/// The entry's own fields that say who it is.
const FIELDS: [&str; 8] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_role_name",
    "aws_session_name",
    "aws_external_id",
    "aws_web_identity_token",
    "aws_profile_name",
];

/// Fields that mean nothing without another one.
const NEEDS: [(&str, &str); 6] = [
    ("aws_access_key_id", "aws_secret_access_key"),
    ("aws_secret_access_key", "aws_access_key_id"),
    ("aws_session_token", "aws_access_key_id"),
    ("aws_session_name", "aws_role_name"),
    ("aws_external_id", "aws_role_name"),
    ("aws_web_identity_token", "aws_role_name"),
];

const REGION: &str = "region";
const REGION_ASSUMED: &str = "us-east-1";
const SESSION_NAME: &str = "tollgate";

#[cfg(test)]
mod tests;
