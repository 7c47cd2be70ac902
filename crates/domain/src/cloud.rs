//! Identities at a cloud: where a short-lived credential comes from, when it is not a fixed key.
//!
//! Each is a chain of links that are tried in order. The configuration resolves every variable of
//! the environment into it, so whoever fetches tokens reads files and calls services only. Two
//! deployments with equal identities share one token.

use std::path::PathBuf;

use crate::Secret;

/// An identity whose credentials are fetched and renewed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// An access key pair that signs requests.
    Aws(AwsIdentity),
    /// A bearer token of Entra ID.
    Entra(EntraIdentity),
    /// A bearer token of Google's OAuth.
    Google(GoogleIdentity),
}

/// Something that vouches for a workload to a token service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Assertion {
    /// A file that the platform keeps current; read at each exchange.
    File(PathBuf),
    /// The text itself.
    Given(Secret),
}

/// Who we are at AWS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AwsIdentity {
    /// The region of the token service, such as `us-east-1`.
    pub region: String,
    /// The URL of the token service (STS) where it is not the region's own.
    pub sts_endpoint: Option<String>,
    /// Where the key pair comes from, the first that has one.
    pub links: Vec<AwsLink>,
    /// A role to take on with that key pair.
    pub role: Option<AssumeRole>,
}

/// A role at AWS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AssumeRole {
    /// Its ARN.
    pub role_arn: String,
    /// The name of the session in AWS's records.
    pub session_name: String,
    /// What the role's owner agreed upon with us.
    pub external_id: Option<String>,
}

/// One source of an AWS key pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AwsLink {
    /// A key pair that is known.
    Keys {
        /// Its public part.
        access_key_id: String,
        /// Its secret part.
        secret_access_key: Secret,
        /// The token that goes with a temporary pair.
        session_token: Option<Secret>,
    },
    /// A profile of the shared files.
    Profile {
        /// Its name.
        name: String,
        /// Usually `~/.aws/credentials`.
        credentials_file: PathBuf,
        /// Usually `~/.aws/config`.
        config_file: PathBuf,
    },
    /// `AssumeRoleWithWebIdentity`.
    WebIdentity {
        /// The role.
        role: AssumeRole,
        /// The token of the platform.
        token: Assertion,
    },
    /// The endpoint of ECS or EKS Pod Identity.
    Container {
        /// Its URL.
        url: String,
        /// What to send as `authorization`.
        authorization: Option<Assertion>,
    },
    /// The metadata service of an instance (IMDSv2).
    Instance {
        /// Its base URL, usually `http://169.254.169.254`.
        endpoint: String,
    },
    /// A source that is not configured.
    Absent {
        /// Its name.
        link: &'static str,
        /// What is missing.
        reason: String,
    },
}

/// Who we are at Entra ID, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntraIdentity {
    /// Such as `https://login.microsoftonline.com`.
    pub authority_host: String,
    /// Such as `https://cognitiveservices.azure.com/.default`.
    pub scope: String,
    /// Where the token comes from, the first that has one.
    pub links: Vec<EntraLink>,
}

/// One source of an Entra ID token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EntraLink {
    /// A token that is known; it is not renewed.
    Token(Secret),
    /// An application with a secret.
    ClientSecret {
        /// The directory.
        tenant_id: String,
        /// The application.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
    },
    /// A user with a password.
    Password {
        /// The directory.
        tenant_id: String,
        /// The application.
        client_id: String,
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A workload whose platform vouches for it.
    Federated {
        /// The directory.
        tenant_id: String,
        /// The application.
        client_id: String,
        /// The platform's token.
        assertion: Assertion,
    },
    /// The managed identity of a machine (IMDS), which is probed first.
    Machine {
        /// The base URL, usually `http://169.254.169.254`.
        endpoint: String,
        /// A user-assigned identity.
        client_id: Option<String>,
    },
    /// The managed identity of an App Service.
    AppService {
        /// `IDENTITY_ENDPOINT`.
        endpoint: String,
        /// `IDENTITY_HEADER`.
        header: Secret,
        /// A user-assigned identity.
        client_id: Option<String>,
    },
    /// The login of the command line tool `az`.
    Cli {
        /// The program, usually `az`.
        program: PathBuf,
        /// The directory, where it is not the tool's own.
        tenant_id: Option<String>,
    },
    /// A source that is not configured.
    Absent {
        /// Its name.
        link: &'static str,
        /// What is missing.
        reason: String,
    },
}

/// Who we are at Google, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GoogleIdentity {
    /// Such as `https://www.googleapis.com/auth/cloud-platform`.
    pub scope: String,
    /// Where the token comes from, the first that has one.
    pub links: Vec<GoogleLink>,
}

/// One source of a Google token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GoogleLink {
    /// The JSON of a service account, an authorized user or an external account.
    Json(Secret),
    /// A file with such JSON.
    File(PathBuf),
    /// The metadata server.
    Metadata {
        /// Its base URL, usually `http://metadata.google.internal`.
        endpoint: String,
    },
    /// A source that is not configured.
    Absent {
        /// Its name.
        link: &'static str,
        /// What is missing.
        reason: String,
    },
}
