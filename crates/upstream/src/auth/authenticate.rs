//! A request with the credential that it asks for.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, Request};
use http_body_util::Full;
use tollgate_domain::Identity;

use super::sigv4::{self, Scope};
use super::{Identities, Proof};
use crate::error::DispatchError;
use crate::request::{Credential, UpstreamRequest};

impl Identities {
    /// The request as it is sent. A signature is made for this moment, so a request that is sent
    /// again is signed again.
    pub(crate) async fn authenticate(
        &self,
        mut request: UpstreamRequest,
    ) -> Result<Request<Full<Bytes>>, DispatchError> {
        match std::mem::replace(&mut request.auth, Credential::None) {
            Credential::Identity(identity) => {
                let Proof::Bearer(token) = self.proven(&identity).await? else {
                    return Err(without("a key pair of AWS is no bearer token"));
                };
                request.headers.retain(|(name, _)| *name != API_KEY);
                request.auth = Credential::Bearer(token);
                request.into_http()
            }
            Credential::SigV4 { identity, service, region } => {
                let Proof::Keys(keys) = self.proven(&identity).await? else {
                    return Err(without("a bearer token cannot sign"));
                };
                let body = request.body.clone();
                let mut request = request.into_http()?;
                let scope = Scope { region: &region, service: &service };
                let signed = sigv4::sign(&mut request, &body, &keys, scope, self.clock().now());
                signed.map_err(without)?;
                Ok(request)
            }
            fixed => {
                request.auth = fixed;
                request.into_http()
            }
        }
    }

    async fn proven(&self, identity: &Arc<Identity>) -> Result<Proof, DispatchError> {
        self.proof(identity).await.map_err(|detail| without(&detail))
    }
}

fn without(detail: &str) -> DispatchError {
    DispatchError::Credentials { detail: detail.to_owned() }
}

const API_KEY: HeaderName = HeaderName::from_static("api-key");
