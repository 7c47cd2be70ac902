//! How a deployment gets a token of Google's OAuth: the entry's credentials, else the
//! environment's, else the application default ones (gemini.md §1).

use std::path::{Path, PathBuf};

use tollgate_domain::{GoogleIdentity, GoogleLink, Identity, Secret};

use super::credential::{Call, Mode, Needed, leave_out, unset_variable};
use crate::diagnostic::{Finding, code};
use crate::environment::Environment;
use crate::schema::{Given, Reader, Section};
use crate::yaml::{Entry, Value};

/// The mode: the entry's `api_key`, its own credentials, those of the environment.
pub(super) fn mode(
    reader: &mut Reader<'_>,
    params: &mut Section<'_>,
    own_key: Option<&Entry>,
    call: Call<'_>,
) -> Needed<Mode> {
    let entry = params.take(FIELD).filter(|entry| !entry.node.value.is_empty());
    if own_key.is_some() {
        return Needed::Found(Mode::Key);
    }
    let links = match entry {
        Some(entry) => own(reader, entry, call).map(|link| vec![link]),
        None => match of_environment(&reader.env) {
            Some(link) => Needed::Found(vec![link]),
            None if call.mock => return Needed::Found(Mode::Open),
            None => Needed::Found(application_default(&reader.env)),
        },
    };
    let scope = SCOPE.to_owned();
    links.map(|links| Mode::Identity(Identity::Google(GoogleIdentity { scope, links })))
}

/// What the entry holds: a path, JSON in a text, or the same as a mapping.
fn own(reader: &mut Reader<'_>, entry: &Entry, call: Call<'_>) -> Needed<GoogleLink> {
    let text = match &entry.node.value {
        Value::Map(_) => reader.json(&entry.node),
        _ => match reader.given(entry) {
            Some(Given::Text(text)) => text,
            Some(Given::Unset(variable)) => {
                let missing = format!("the variable `{variable}` is not set");
                let help = format!("set it, or leave `{FIELD}` out");
                leave_out(reader, &entry.node.span, (call.subject.model_name, &missing), &help);
                return Needed::Lacking;
            }
            None => return Needed::Wrong,
        },
    };
    let link = link(text);
    let GoogleLink::Json(json) = &link else { return Needed::Found(link) };
    let kind = member(json, "type");
    if kind.as_deref().is_some_and(|kind| KINDS.contains(&kind)) {
        return Needed::Found(link);
    }
    // The text is a credential, so nothing of it is repeated.
    let message = format!("`{FIELD}` is not the JSON of a credential");
    let finding = Finding::error(code::MALFORMED, entry.node.span.clone(), message);
    let help = format!("a path, or JSON whose `type` is one of {}", KINDS.join(", "));
    reader.findings.push(finding.with_help(help));
    Needed::Wrong
}

fn of_environment(env: &Environment<'_>) -> Option<GoogleLink> {
    let written = env.variable("VERTEXAI_CREDENTIALS").map(link);
    let file = || env.variable("GOOGLE_APPLICATION_CREDENTIALS");
    written.or_else(|| Some(GoogleLink::File(PathBuf::from(file()?))))
}

/// The login of the command line tool `gcloud`, then the metadata server.
fn application_default(env: &Environment<'_>) -> Vec<GoogleLink> {
    let home = || Some(Path::new(&env.variable("HOME")?).join(".config/gcloud"));
    let folder = env.variable("CLOUDSDK_CONFIG").map(PathBuf::from).or_else(home);
    let login = match folder {
        Some(folder) => GoogleLink::File(folder.join("application_default_credentials.json")),
        None => {
            let reason = "neither HOME nor CLOUDSDK_CONFIG is set".to_owned();
            GoogleLink::Absent { link: "application default credentials", reason }
        }
    };
    let host = env.variable("GCE_METADATA_HOST");
    let endpoint = host.map_or_else(|| METADATA.to_owned(), |host| format!("http://{host}"));
    vec![login, GoogleLink::Metadata { endpoint }]
}

/// Fills in the project that the credentials name where nothing else does. Where they do not name
/// one either, a note says so and the deployment is left out.
pub(super) fn complete(
    reader: &mut Reader<'_>,
    call: Call<'_>,
    identity: Option<&Identity>,
) -> Needed<Option<String>> {
    let wanted = call.provider.variables.iter().any(|variable| variable.name == PROJECT);
    if !wanted || call.variable(PROJECT).is_some() {
        return Needed::Found(None);
    }
    let links = match identity {
        Some(Identity::Google(google)) => &*google.links,
        _ => &[],
    };
    let named = links.iter().find_map(|link| match link {
        GoogleLink::Json(json) => member(json, "project_id"),
        _ => None,
    });
    if named.is_some() {
        return Needed::Found(named);
    }
    let (missing, help) = unset_variable(call.provider, PROJECT);
    leave_out(reader, call.subject.model, (call.subject.model_name, &missing), &help);
    Needed::Lacking
}

fn link(text: String) -> GoogleLink {
    if text.trim_start().starts_with('{') {
        return GoogleLink::Json(Secret::new(text));
    }
    GoogleLink::File(PathBuf::from(text))
}

fn member(json: &Secret, name: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(json.expose()).ok()?;
    value.get(name)?.as_str().map(str::to_owned)
}

/// The name of a provider's variable that the credentials may hold.
pub(super) const PROJECT: &str = "project";

const FIELD: &str = "vertex_credentials";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const METADATA: &str = "http://metadata.google.internal";

/// What the JSON of a credential may be.
const KINDS: [&str; 3] = ["service_account", "authorized_user", "external_account"];

#[cfg(test)]
mod tests;
