//! How a deployment's requests say on whose behalf they come.

use std::sync::Arc;

use http::HeaderName;
use tollgate_config::Deployment;
use tollgate_domain::{Identity, Secret};
use tollgate_faults::{Reason, Refusal};
use tollgate_upstream::Credential;
use tollgate_wire::AuthScheme;

use crate::attempt::failed::Failed;

/// The provider's variable that a signature names.
const REGION: &str = "region";
/// The header in which Entra's resources take a key.
const KEY_HEADER: HeaderName = HeaderName::from_static("api-key");

/// The credential of a deployment: its identity where it has one, else its key.
pub(super) fn credential(deployment: &Deployment) -> Result<Credential, Failed> {
    match &deployment.identity {
        Some(identity) => of_identity(deployment, identity),
        None => of_key(&deployment.provider.auth, deployment.key.as_ref()),
    }
}

fn of_identity(deployment: &Deployment, identity: &Arc<Identity>) -> Result<Credential, Failed> {
    let identity = Arc::clone(identity);
    let AuthScheme::SigV4 { service } = &deployment.provider.auth else {
        return Ok(Credential::Identity(identity));
    };
    let region = deployment.variables.iter().find(|(name, _)| **name == *REGION);
    let Some((_, region)) = region else {
        return Err(unavailable("no region is configured, which a signature names"));
    };
    let (service, region) = (service.clone(), region.to_string());
    Ok(Credential::SigV4 { identity, service, region })
}

fn of_key(scheme: &AuthScheme, key: Option<&Secret>) -> Result<Credential, Failed> {
    let Some(key) = key.cloned() else { return Ok(Credential::None) };
    Ok(match scheme {
        AuthScheme::None => Credential::None,
        AuthScheme::Bearer | AuthScheme::Google | AuthScheme::SigV4 { .. } => {
            Credential::Bearer(key)
        }
        AuthScheme::Entra { .. } => Credential::Header { name: KEY_HEADER, value: key },
        AuthScheme::Header(name) => {
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                unavailable(&format!("the provider's key header `{name}` is not a header name"))
            })?;
            Credential::Header { name: header, value: key }
        }
    })
}

fn unavailable(message: &str) -> Failed {
    Failed::of_client(Refusal::new(Reason::UpstreamCredentialsUnavailable, message))
}
