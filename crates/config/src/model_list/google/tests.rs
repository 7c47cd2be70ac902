//! Which credentials win, and where the project comes from.

use tollgate_domain::{GoogleLink, Identity};
use tollgate_wire::Catalog;

use crate::{Compiled, PriceList, Source, compile};

type Env<'a> = &'a [(&'a str, &'a str)];

const JSON: &str = r#"{"type":"service_account","project_id":"p-json"}"#;

fn compiled(params: &str, env: Env<'_>) -> Result<Compiled, String> {
    let text = format!(
        "model_list:\n  - model_name: m\n    litellm_params: {{model: vertex_ai/gemini-x, {params}}}\n"
    );
    let lookup = |name: &str| {
        env.iter().find(|(there, _)| *there == name).map(|(_, value)| (*value).to_owned())
    };
    let catalog = Catalog::embedded().expect("the catalog");
    let source = Source { name: "config.yaml", text: &text };
    compile(source, &lookup, &catalog, &PriceList::embedded()).map_err(|findings| {
        findings.into_inner().iter().map(|f| format!("{}\n", f.message)).collect()
    })
}

fn link(link: &GoogleLink) -> String {
    match link {
        GoogleLink::Json(_) => "json".to_owned(),
        GoogleLink::File(path) => path.display().to_string(),
        GoogleLink::Metadata { endpoint } => endpoint.clone(),
        GoogleLink::Absent { link, .. } => format!("no {link}"),
    }
}

/// The credentials and the project.
fn mode(params: &str, env: Env<'_>) -> String {
    let Compiled { snapshot, warnings, .. } = compiled(params, env).expect(params);
    let Some(resolved) = snapshot.resolve("m") else {
        let messages: String = warnings.iter().map(|f| format!("{}\n", f.message)).collect();
        return format!("left out: {messages}");
    };
    let deployment = &resolved.deployments[0];
    let project = deployment.variables.iter().find(|(name, _)| &**name == "project");
    let project = project.map_or("none", |(_, value)| value);
    let mode = match (&deployment.key, deployment.identity.as_deref()) {
        (Some(key), None) => key.expose().to_owned(),
        (None, None) => "open".to_owned(),
        (None, Some(Identity::Google(identity))) => {
            assert_eq!(identity.scope, "https://www.googleapis.com/auth/cloud-platform");
            identity.links.iter().map(link).collect::<Vec<_>>().join(", ")
        }
        other => panic!("{other:?}"),
    };
    format!("{mode} of {project}")
}

#[test]
fn the_entrys_credentials_win_over_the_environments_and_those_over_the_default_ones() {
    let project = "vertex_project: p";
    let inline = format!("vertex_credentials: '{JSON}'");
    let mapping = "vertex_credentials: {type: authorized_user, project_id: p-map}";
    let file = ("GOOGLE_APPLICATION_CREDENTIALS", "/env.json");
    let of_env = [file, ("VERTEXAI_PROJECT", "p-env")];
    let home = [("HOME", "/home/u"), ("GCE_METADATA_HOST", "169.254.0.1")];
    let login = "/home/u/.config/gcloud/application_default_credentials.json";
    for (params, env, expected) in [
        ("vertex_credentials: /own.json", &of_env[..], "/own.json of p-env"),
        (&inline, &[file], "json of p-json"),
        (&format!("{inline}, {project}"), &of_env, "json of p"),
        (mapping, &[], "json of p-map"),
        ("vertex_credentials: os.environ/J", &[("J", JSON)], "json of p-json"),
        ("", &[file, ("VERTEXAI_CREDENTIALS", JSON)], "json of p-json"),
        (project, &of_env, "/env.json of p"),
        (project, &home, &format!("{login}, http://169.254.0.1 of p")),
        (
            project,
            &[("CLOUDSDK_CONFIG", "/g"), home[1]],
            "/g/application_default_credentials.json, http://169.254.0.1 of p",
        ),
        (project, &[], "no application default credentials, http://metadata.google.internal of p"),
    ] {
        assert_eq!(mode(params, env), expected, "{params} {env:?}");
    }
}

#[test]
fn a_mock_on_this_machine_needs_no_credential() {
    let mock = "vertex_project: p, api_base: 'http://127.0.0.1:9'";
    assert_eq!(mode(mock, &[]), "open of p");
    assert_eq!(mode(mock, &[("GOOGLE_APPLICATION_CREDENTIALS", "/f")]), "/f of p");
    let elsewhere = "vertex_project: p, api_base: 'https://proxy.test'";
    assert!(mode(elsewhere, &[]).ends_with("http://metadata.google.internal of p"));
}

#[test]
fn without_a_project_or_with_an_unset_variable_the_entry_is_left_out() {
    let none = mode("vertex_credentials: /own.json", &[]);
    for name in ["vertex_project", "VERTEXAI_PROJECT", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT"] {
        assert!(none.starts_with("left out") && none.contains(&format!("`{name}`")), "{none}");
    }
    let file = [("GOOGLE_APPLICATION_CREDENTIALS", "/env.json")];
    let unset = mode("vertex_project: p, vertex_credentials: os.environ/NONE", &file);
    assert!(unset.starts_with("left out") && unset.contains("`NONE`"), "{unset}");
}

#[test]
fn json_that_is_no_credential_is_an_error_that_does_not_repeat_it() {
    for written in ["{hunter2", r#"{"private_key":"hunter2"}"#, r#"{"type":"hunter2"}"#] {
        let params = format!("vertex_project: p, vertex_credentials: '{written}'");
        let messages = compiled(&params, &[]).expect_err(written);
        assert!(messages.contains("is not the JSON of a credential"), "{messages}");
        assert!(!messages.contains("hunter2"), "{messages}");
    }
}
