//! Where a deployment is and how it proves on whose behalf it calls, which depend on each other.

use tollgate_domain::{Identity, Secret};
use tollgate_wire::Provider;

use super::credential::{self, BaseUrl, Call, Needed, Proof, Subject, Variable};
use super::{aws, google};
use crate::diagnostic::{Finding, code};
use crate::schema::{Reader, Section};
use crate::yaml::Entry;

/// What a deployment is called with.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) base_url: BaseUrl,
    /// The values of the provider's variables.
    pub(super) variables: Vec<Variable>,
    pub(super) key: Option<Secret>,
    pub(super) identity: Option<Identity>,
}

/// Reads it. A region in the model's name is taken off where it is a segment. `brought` says that
/// clients may bring credentials of their own, so that the deployment can do without.
pub(super) fn read(
    reader: &mut Reader<'_>,
    params: &mut Section<'_>,
    (provider, model): (&Provider, &mut String),
    (subject, brought): (Subject<'_>, bool),
) -> Needed<Access> {
    let api_base = one_of_two(reader, params.take("api_base"), params.take("base_url"));
    let api_base = [api_base, aws::endpoint(params, provider)].into_iter().flatten().next();
    let mut variables = credential::variables(reader, params, provider);
    if let Some(region) = aws::region_of_model(provider, model) {
        aws::set_region(reader, params, &mut variables, &region);
    }
    let base_url = credential::base_url(reader, api_base, (provider, &variables), subject);
    let mock = match &base_url {
        Needed::Found(base) => {
            aws::assume_region(provider, base, &mut variables);
            base.own && is_on_loopback(&base.url)
        }
        Needed::Lacking | Needed::Wrong => false,
    };
    let call = Call { provider, subject, variables: &variables, mock, brought };
    let proof = credential::proof(reader, params, call);
    let (Proof { key, identity }, base_url) = match (proof, base_url) {
        (Needed::Found(proof), Needed::Found(base_url)) => (proof, base_url),
        (Needed::Wrong, _) | (_, Needed::Wrong) => return Needed::Wrong,
        (Needed::Lacking, _) | (_, Needed::Lacking) => return Needed::Lacking,
    };
    google::complete(reader, call, identity.as_ref()).map(|project| {
        variables.extend(project.map(|project| (google::PROJECT.into(), project.into())));
        Access { base_url, variables, key, identity }
    })
}

/// The first of two names for one thing; two different values contradict each other.
fn one_of_two<'e>(
    reader: &mut Reader<'_>,
    first: Option<&'e Entry>,
    second: Option<&'e Entry>,
) -> Option<&'e Entry> {
    if let (Some(first), Some(second)) = (first, second)
        && first.node != second.node
    {
        let message = format!("`{}` is used, not `{}`", first.name, second.name);
        let span = second.name_span.clone();
        reader.findings.push(Finding::warning(code::CONFLICT, span, message));
    }
    first.or(second)
}

/// Whether a URL leads to this machine.
fn is_on_loopback(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    if let Some(v6) = authority.strip_prefix('[') {
        return v6.starts_with("::1]");
    }
    let host = authority.split(':').next().unwrap_or_default();
    let loopback = host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback());
    loopback || host.eq_ignore_ascii_case("localhost")
}
