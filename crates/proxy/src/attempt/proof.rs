//! How a deployment's requests say on whose behalf they come.

use std::sync::Arc;

use http::HeaderName;
use http::header::AUTHORIZATION;
use tollgate_config::Deployment;
use tollgate_domain::{Identity, Secret};
use tollgate_faults::{Reason, Refusal};
use tollgate_upstream::Credential;
use tollgate_wire::AuthScheme;

use crate::attempt::failed::Failed;
use crate::credential::Brought;
use crate::ingress::Call;

/// The provider's variable that a signature names.
const REGION: &str = "region";
/// The header in which Entra's resources take a key.
const KEY_HEADER: &str = "api-key";

/// The credential of a deployment: its identity where it has one, else its key.
pub(super) fn credential(deployment: &Deployment) -> Result<Credential, Failed> {
    let brings = deployment.forwards.keys || deployment.forwards.tokens;
    match (&deployment.identity, &deployment.key) {
        (Some(identity), _) => of_identity(deployment, identity),
        (None, None) if brings && deployment.provider.key_required => Err(not_brought(deployment)),
        (None, key) => of_key(&deployment.provider.auth, key.as_ref()),
    }
}

/// The client's own credential, where the deployment lets it through: one in the header in which
/// the provider takes keys, else a token that can be told to be the provider's.
pub(super) fn brought(call: &Call, deployment: &Deployment) -> Option<Credential> {
    let Deployment { forwards, provider, .. } = deployment;
    let find = |name: &str| call.brought.iter().find(|brought| brought.header == *name);
    let header = match &provider.auth {
        AuthScheme::Header(name) => Some(name.as_str()),
        AuthScheme::Entra { .. } => Some(KEY_HEADER),
        AuthScheme::Bearer | AuthScheme::None | AuthScheme::Google | AuthScheme::SigV4 { .. } => {
            None
        }
    };
    let key = header.filter(|_| forwards.keys).and_then(find);
    if let Some(Brought { header, value }) = key {
        return Some(Credential::Header { name: header.clone(), value: value.clone() });
    }
    let token = find(AUTHORIZATION.as_str()).filter(|_| forwards.tokens)?;
    let is_theirs = |start: &String| token.value.expose().starts_with(start);
    provider.client_tokens.iter().any(is_theirs).then(|| Credential::Bearer(token.value.clone()))
}

fn not_brought(deployment: &Deployment) -> Failed {
    let message = format!("{} is called with its users' own credentials", deployment.provider.name);
    let refusal = Refusal::new(Reason::OwnCredentialMissing, message);
    // Another deployment of the model may have a credential.
    Failed::of_client(refusal)
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
        AuthScheme::Entra { .. } => {
            Credential::Header { name: HeaderName::from_static(KEY_HEADER), value: key }
        }
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
