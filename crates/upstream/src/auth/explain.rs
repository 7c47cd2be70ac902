//! Why an upstream refused a token of Entra ID, read from the token itself (S11, S19).

use std::fmt;

use serde_json::Value;
use tollgate_domain::Timestamp;

use super::jwt::claims;

/// What is wrong, and with whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFault {
    /// The token is for another service: `azure_token_wrong_audience`.
    WrongAudience {
        /// Its `aud`.
        audience: String,
    },
    /// The token had ended before it arrived.
    Expired {
        /// Its `exp`.
        at: Timestamp,
    },
    /// The token is of another directory than the resource.
    WrongTenant {
        /// Its `tid`.
        tenant: String,
    },
    /// The principal has no role on the resource: `azure_role_missing`.
    RoleMissing {
        /// Its `oid`, where the token says.
        principal: Option<String>,
    },
    /// The resource takes no keys: `azure_key_auth_disabled`.
    KeyAuthDisabled,
}

impl TokenFault {
    /// The name of the reason, as the fault catalogue has it, where it has one.
    #[must_use]
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::WrongAudience { .. } => Some("azure_token_wrong_audience"),
            Self::RoleMissing { .. } => Some("azure_role_missing"),
            Self::KeyAuthDisabled => Some("azure_key_auth_disabled"),
            Self::Expired { .. } | Self::WrongTenant { .. } => None,
        }
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongAudience { audience } => write!(f, "its token is for `{audience}`"),
            Self::Expired { at } => write!(f, "its token ended at {at}"),
            Self::WrongTenant { tenant } => {
                write!(f, "its token is of the directory `{tenant}`, which is not the resource's")
            }
            Self::RoleMissing { principal } => {
                let principal = principal.as_deref().unwrap_or("of the gateway");
                write!(f, "the principal `{principal}` lacks `{ROLE}` on the resource")
            }
            Self::KeyAuthDisabled => f.write_str("the resource takes no keys"),
        }
    }
}

/// Explains a 401 or 403 by the token that was sent (`None` for a key), as of `now`. `None` when
/// neither says why. The token is read, not verified.
#[must_use]
pub fn explain(token: Option<&str>, status: u16, body: &str, now: Timestamp) -> Option<TokenFault> {
    if !matches!(status, 401 | 403) {
        return None;
    }
    let body = body.to_ascii_lowercase();
    let Some(token) = token else {
        return body.contains("key based authentication is disabled").then_some(KEY_DISABLED);
    };
    let claims = claims(token).unwrap_or(Value::Null);
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let says_role = ROLE_WORDS.iter().any(|words| body.contains(words));
    let role_missing = || says_role.then(|| TokenFault::RoleMissing { principal: text("oid") });
    if status == 403 {
        // A firewall and a private network answer with 403 too.
        return role_missing();
    }
    if let Some(seconds) = claims.get("exp").and_then(Value::as_i64)
        && seconds <= now.seconds()
    {
        let at = Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        return Some(TokenFault::Expired { at });
    }
    if let Some(audience) = text("aud").filter(|audience| !is_accepted(audience)) {
        return Some(TokenFault::WrongAudience { audience });
    }
    if body.contains("tenant") {
        return text("tid").map(|tenant| TokenFault::WrongTenant { tenant });
    }
    role_missing()
}

fn is_accepted(audience: &str) -> bool {
    let host = audience.trim_start_matches("https://").trim_end_matches('/');
    AUDIENCES.contains(&host)
}

/// The role that calls need.
const ROLE: &str = "Cognitive Services OpenAI User";

/// How a resource says, in lower case, that a principal has no role on it.
const ROLE_WORDS: [&str; 3] =
    ["lacks the required data action", "permissiondenied", "authorizationfailed"];

const KEY_DISABLED: TokenFault = TokenFault::KeyAuthDisabled;

/// The audiences of Azure OpenAI and Foundry (S11), with those of the sovereign clouds.
const AUDIENCES: [&str; 4] = [
    "cognitiveservices.azure.com",
    "ai.azure.com",
    "cognitiveservices.azure.us",
    "cognitiveservices.azure.cn",
];

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_refusal_is_explained_by_the_token_that_was_sent() {
        let now = Timestamp::from_micros(1_000_000_000);
        let good =
            r#"{"aud":"https://cognitiveservices.azure.com","tid":"t","oid":"o","exp":2000}"#;
        let wrong = r#"{"aud":"https://management.azure.com/","exp":2000}"#;
        let audience = "https://management.azure.com/".to_owned();
        let principal = Some("o".to_owned());
        let ended = TokenFault::Expired { at: now };
        let tenant = TokenFault::WrongTenant { tenant: "t".to_owned() };
        let disabled = "Key based authentication is disabled for this resource.";
        for (claims, status, body, expected) in [
            (Some(wrong), 401, "", Some(TokenFault::WrongAudience { audience })),
            (Some(r#"{"exp":1000}"#), 401, "", Some(ended)),
            (
                Some(good),
                403,
                "The principal `o` lacks the required data action `chat`",
                Some(TokenFault::RoleMissing { principal: principal.clone() }),
            ),
            (Some(good), 403, "Public access is disabled. Use a private endpoint.", None),
            (Some(good), 403, "", None),
            (Some(good), 401, "PermissionDenied", Some(TokenFault::RoleMissing { principal })),
            (Some(good), 401, "Token tenant does not match", Some(tenant)),
            (Some(good), 401, "", None),
            (Some(good), 500, "tenant", None),
            (None, 403, disabled, Some(TokenFault::KeyAuthDisabled)),
            (None, 401, "invalid subscription key", None),
        ] {
            let token = claims.map(token);
            assert_eq!(explain(token.as_deref(), status, body, now), expected, "{claims:?} {body}");
        }
        assert_eq!(explain(Some("no token"), 401, "", now), None);
    }
}
