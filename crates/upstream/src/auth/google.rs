//! Tokens of Google's OAuth (gemini.md §1).

use http::header::AUTHORIZATION;
use http::{HeaderName, Method};
use serde_json::{Value, json};
use tollgate_domain::{GoogleIdentity, GoogleLink, Secret, Timestamp};

use super::errand::{Courier, Errand, PROBE_LIMIT, form};
use super::grant::{Grant, instant, json as parse, read, text};
use super::jwt;

/// The token of the first link that has one.
pub(super) async fn fetch(
    courier: &Courier,
    identity: &GoogleIdentity,
    now: Timestamp,
) -> Result<Grant, String> {
    let mut failures = Vec::new();
    for link in &identity.links {
        let (name, outcome) = match link {
            GoogleLink::Json(text) => {
                let of_json = of_json(courier, text.expose(), &identity.scope, now);
                ("vertex_credentials", of_json.await)
            }
            GoogleLink::File(path) => {
                let outcome = match read(path).await {
                    Ok(text) => of_json(courier, &text, &identity.scope, now).await,
                    Err(why) => Err(why),
                };
                ("credentials file", outcome)
            }
            GoogleLink::Metadata { endpoint } => {
                ("metadata server", of_metadata(courier, endpoint, &identity.scope, now).await)
            }
            GoogleLink::Absent { link, reason } => (*link, Err(reason.clone())),
        };
        match outcome {
            Ok(grant) => return Ok(grant),
            Err(why) => failures.push(format!("{name}: {why}")),
        }
    }
    Err(failures.join("; "))
}

async fn of_json(
    courier: &Courier,
    written: &str,
    scope: &str,
    now: Timestamp,
) -> Result<Grant, String> {
    let file = parse(written.as_bytes())?;
    match text(&file, "type")? {
        "service_account" => service_account(courier, &file, scope, now).await,
        "authorized_user" => authorized_user(courier, &file, now).await,
        "external_account" => external_account(courier, &file, scope, now).await,
        _ => Err("its `type` is none of `service_account`, `authorized_user` and \
                  `external_account`"
            .to_owned()),
    }
}

async fn service_account(
    courier: &Courier,
    file: &Value,
    scope: &str,
    now: Timestamp,
) -> Result<Grant, String> {
    let token_uri = text(file, "token_uri").unwrap_or(TOKEN_URI);
    let claims = json!({
        "iss": text(file, "client_email")?,
        "scope": scope,
        "aud": token_uri,
        "iat": now.seconds(),
        "exp": now.seconds() + ASSERTION_LIFE_S,
    });
    let key_id = file.get("private_key_id").and_then(Value::as_str);
    let assertion = jwt::sign(&claims, key_id, text(file, "private_key")?)?;
    let fields = [("grant_type", JWT_BEARER), ("assertion", &*assertion)];
    Grant::of_oauth(&courier.fetch(Errand::form(token_uri, &fields)).await?, now)
}

async fn authorized_user(courier: &Courier, file: &Value, now: Timestamp) -> Result<Grant, String> {
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", text(file, "client_id")?),
        ("client_secret", text(file, "client_secret")?),
        ("refresh_token", text(file, "refresh_token")?),
    ];
    let url = text(file, "token_uri").unwrap_or(TOKEN_URI);
    Grant::of_oauth(&courier.fetch(Errand::form(url, &fields)).await?, now)
}

/// Workload identity federation: the platform's token for one of Google's, and that, where the file
/// says so, for one of a service account.
async fn external_account(
    courier: &Courier,
    file: &Value,
    scope: &str,
    now: Timestamp,
) -> Result<Grant, String> {
    let subject = subject_token(courier, file).await?;
    let impersonated = text(file, "service_account_impersonation_url").ok();
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("audience", text(file, "audience")?),
        ("scope", if impersonated.is_some() { CLOUD_PLATFORM } else { scope }),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token", subject.expose()),
        ("subject_token_type", text(file, "subject_token_type")?),
    ];
    let url = text(file, "token_url").unwrap_or(STS_URL);
    let answer = courier.fetch(Errand::form(url, &fields)).await?;
    let Some(url) = impersonated else { return Grant::of_oauth(&answer, now) };
    let bearer = Secret::new(format!("Bearer {}", text(&answer, "access_token")?));
    let mut errand = Errand::get(url).with(AUTHORIZATION, &bearer)?;
    errand.method = Method::POST;
    errand.headers.insert(http::header::CONTENT_TYPE, JSON);
    errand.body = json!({"scope": [scope], "lifetime": "3600s"}).to_string().into();
    let answer = courier.fetch(errand).await.map_err(|why| format!("impersonation: {why}"))?;
    let end = instant(text(&answer, "expireTime")?)?;
    Ok(Grant::bearer(text(&answer, "accessToken")?, Some(end)))
}

async fn subject_token(courier: &Courier, file: &Value) -> Result<Secret, String> {
    let source = file.get("credential_source").ok_or("`credential_source` is missing")?;
    let given = if let Ok(path) = text(source, "file") {
        read(path.as_ref()).await?
    } else if let Ok(url) = text(source, "url") {
        let mut errand = Errand::get(url);
        for (name, value) in source.get("headers").and_then(Value::as_object).into_iter().flatten()
        {
            let name = name.parse().map_err(|_| "`credential_source.headers` is malformed")?;
            let value = value.as_str().ok_or("`credential_source.headers` is malformed")?;
            errand = errand.with(name, &Secret::new(value))?;
        }
        let body = courier.ask(errand).await?.success()?;
        String::from_utf8(body.into()).map_err(|_| "the subject token is not text")?
    } else {
        return Err("`credential_source` has neither a `file` nor a `url`".to_owned());
    };
    let format = source.get("format");
    if format.and_then(|format| text(format, "type").ok()) != Some("json") {
        return Ok(Secret::new(given));
    }
    let field = text(format.unwrap_or(&Value::Null), "subject_token_field_name")?;
    Ok(Secret::new(text(&parse(given.as_bytes())?, field)?))
}

async fn of_metadata(
    courier: &Courier,
    endpoint: &str,
    scope: &str,
    now: Timestamp,
) -> Result<Grant, String> {
    let (base, flavor) = (endpoint.trim_end_matches('/'), Secret::new("Google"));
    let probe = Errand::get(format!("{base}/")).within(PROBE_LIMIT);
    courier.ask(probe.with(FLAVOR, &flavor)?).await?;
    let path = "/computeMetadata/v1/instance/service-accounts/default/token";
    let errand = Errand::get(format!("{base}{path}?{}", form(&[("scopes", scope)])));
    Grant::of_oauth(&courier.fetch(errand.with(FLAVOR, &flavor)?).await?, now)
}

const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const STS_URL: &str = "https://sts.googleapis.com/v1/token";
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const JSON: http::HeaderValue = http::HeaderValue::from_static("application/json");

/// The life of what a service account signs, the longest that Google takes: 1 h.
const ASSERTION_LIFE_S: i64 = 3_600;
