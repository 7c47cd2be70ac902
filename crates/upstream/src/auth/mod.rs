//! Credentials that are fetched: tokens of Azure and Google, key pairs of AWS, and signatures.
//!
//! [`Identities`] keeps what was fetched and renews it in time. Everything a link needs stands in
//! its [`Identity`](tollgate_domain::Identity); files are read when a token is fetched, because
//! platforms replace them.

mod authenticate;
mod aws;
mod cache;
mod entra;
mod errand;
mod explain;
mod google;
mod grant;
mod jwt;
mod profile;
pub(crate) mod sigv4;
mod sts;

pub use cache::{IDENTITIES_MAX, Identities};
pub(crate) use errand::Courier;
pub use errand::encode;
pub use explain::{TokenFault, explain};
pub(crate) use grant::{AwsKeys, Proof};
