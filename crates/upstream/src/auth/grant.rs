//! What a token service gave, and until when it is good.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tollgate_domain::{Assertion, Secret, Timestamp};

/// What proves who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Goes into `authorization`.
    Bearer(Secret),
    /// Signs the request.
    Keys(AwsKeys),
}

/// A key pair of AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwsKeys {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret,
    pub(crate) session_token: Option<Secret>,
}

/// A proof and its end; one without an end is never renewed.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) proof: Proof,
    pub(crate) expires_at: Option<Timestamp>,
}

impl Grant {
    pub(crate) fn bearer(token: impl Into<String>, expires_at: Option<Timestamp>) -> Self {
        Self { proof: Proof::Bearer(Secret::new(token)), expires_at }
    }

    /// The `access_token` of an OAuth answer. `expires_on` counts from the epoch, `expires_in` from
    /// now; Azure writes either as a text or a number. Without both the usual hour is not believed.
    pub(crate) fn of_oauth(body: &Value, now: Timestamp) -> Result<Self, String> {
        let token = text(body, "access_token")?;
        let seconds = |name| body.get(name).and_then(whole);
        let on = seconds("expires_on").map(|at| Timestamp::EPOCH.plus(Duration::from_secs(at)));
        let within = Duration::from_secs(seconds("expires_in").unwrap_or(LIFE_ASSUMED_S));
        Ok(Self::bearer(token, Some(on.unwrap_or_else(|| now.plus(within)))))
    }
}

/// The text of a member that must be there.
pub(crate) fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, String> {
    let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| format!("`{name}` is missing"))
}

/// JSON whose text is not repeated in the error: it may hold a credential.
pub(crate) fn json(text: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(text).map_err(|error| {
        format!("it is not JSON at line {}, column {}", error.line(), error.column())
    })
}

/// An instant in RFC 3339.
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|_| "the time of expiry cannot be read".to_owned())
}

/// The text of a credential file, without the line break at its end.
pub(crate) async fn read(path: &Path) -> Result<String, String> {
    let cannot =
        |why: &dyn std::fmt::Display| format!("`{}` cannot be read: {why}", path.display());
    let size = tokio::fs::metadata(path).await.map_err(|error| cannot(&error))?.len();
    if size > FILE_BYTES_MAX {
        return Err(cannot(&format_args!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    let text = tokio::fs::read_to_string(path).await.map_err(|error| cannot(&error))?;
    Ok(text.trim_end().to_owned())
}

/// What vouches for us.
pub(crate) async fn vouched(assertion: &Assertion) -> Result<Secret, String> {
    match assertion {
        Assertion::File(path) => Ok(Secret::new(read(path).await?)),
        Assertion::Given(text) => Ok(text.clone()),
    }
}

fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The life of a token whose service does not say: 5 min.
const LIFE_ASSUMED_S: u64 = 300;

/// The largest credential file: 1 MiB.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
