//! Which mode wins, and what is said about a key that loses.

use tollgate_domain::{EntraLink, Identity};
use tollgate_wire::Catalog;

use crate::{PriceList, Source, compile};

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "AZURE_API_KEY" => "sk-env",
        "AZURE_TENANT_ID" => "t-env",
        _ => return None,
    };
    Some(value.to_owned())
}

/// The mode, and whether a note says that the environment's key is ignored.
fn mode(params: &str) -> (String, bool) {
    let text = format!(
        "model_list:\n  - model_name: m\n    litellm_params: {{model: azure/d, api_base: \
         'https://a.test', {params}}}\n"
    );
    let catalog = Catalog::embedded().expect("the catalog");
    let source = Source { name: "config.yaml", text: &text };
    let compiled = compile(source, &variable, &catalog, &PriceList::embedded()).expect(&text);
    let noted = compiled.warnings.iter().any(|f| f.message.contains("`AZURE_API_KEY` is ignored"));
    let resolved = compiled.snapshot.resolve("m").expect("the model");
    let deployment = &resolved.deployments[0];
    let mode = match (&deployment.key, deployment.identity.as_deref()) {
        (Some(key), None) => key.expose().to_owned(),
        (None, Some(Identity::Entra(azure))) => match &*azure.links {
            [EntraLink::Token(_)] => "token".to_owned(),
            [EntraLink::ClientSecret { tenant_id, .. }] => tenant_id.clone(),
            [EntraLink::Password { username, .. }] => username.clone(),
            [EntraLink::Machine { .. }] => "machine".to_owned(),
            [EntraLink::Federated { client_id, .. }] => client_id.clone(),
            links => links.len().to_string(),
        },
        other => panic!("{other:?}"),
    };
    (mode, noted)
}

#[test]
fn exactly_one_mode_is_used_and_a_key_of_the_environment_is_the_last() {
    for (params, expected, noted) in [
        ("", "sk-env", false),
        ("api_key: k1, azure_ad_token: t", "k1", false),
        ("azure_ad_token: t", "token", true),
        ("tenant_id: t1, client_id: c, client_secret: s", "t1", true),
        ("tenant_id: t1, client_id: c, azure_ad_token: oidc/file//t", "c", true),
        ("tenant_id: t1, client_id: c, azure_username: u, azure_password: p", "u", true),
        ("azure_credential: managed_identity", "machine", true),
        ("azure_credential: default", "4", true),
        ("enable_azure_ad_token_refresh: true", "4", true),
        ("enable_azure_ad_token_refresh: false", "sk-env", false),
    ] {
        assert_eq!(mode(params), (expected.to_owned(), noted), "{params}");
    }
}

#[test]
fn a_scope_is_the_providers_unless_the_entry_says_otherwise() {
    let scope = |model: &str, params: &str| {
        let text = format!(
            "model_list:\n  - model_name: m\n    litellm_params: {{model: {model}, api_base: \
             'https://a.test', azure_ad_token: t, {params}}}\n"
        );
        let catalog = Catalog::embedded().expect("the catalog");
        let source = Source { name: "config.yaml", text: &text };
        let compiled = compile(source, &variable, &catalog, &PriceList::embedded()).expect(&text);
        let resolved = compiled.snapshot.resolve("m").expect("the model");
        match resolved.deployments[0].identity.as_deref() {
            Some(Identity::Entra(entra)) => entra.scope.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(scope("azure/d", ""), "https://cognitiveservices.azure.com/.default");
    assert_eq!(scope("azure_ai/d", ""), "https://ai.azure.com/.default");
    assert_eq!(scope("azure_ai/d", "azure_scope: s"), "s");
}

/// Whether the configuration is refused, and all messages.
fn problems(params: &str) -> (bool, String) {
    let text = format!(
        "model_list:\n  - model_name: m\n    litellm_params: {{model: azure/d, api_base: \
         'https://a.test', {params}}}\n"
    );
    let catalog = Catalog::embedded().expect("the catalog");
    let source = Source { name: "config.yaml", text: &text };
    match compile(source, &variable, &catalog, &PriceList::embedded()) {
        Ok(compiled) => {
            assert!(compiled.snapshot.resolve("m").is_none(), "{params}: it is not left out");
            (false, compiled.warnings.iter().map(|f| format!("{}\n", f.message)).collect())
        }
        Err(findings) => {
            (true, findings.into_inner().iter().map(|f| format!("{}\n", f.message)).collect())
        }
    }
}

#[test]
fn what_is_incomplete_or_unknown_does_not_fall_back_to_a_key() {
    for (params, refused, message) in [
        ("tenant_id: t", true, "`tenant_id` is part of a set"),
        ("tenant_id: t, client_id: c", true, "`tenant_id` is part of a set"),
        ("client_secret: s", true, "`client_secret` is part of a set"),
        ("azure_username: u, azure_password: p", true, "`azure_username` is part of a set"),
        ("azure_ad_token: oidc/file//t", true, "`azure_ad_token` is part of a set"),
        ("azure_credential: manged_identity", true, "has no mode `manged_identity`"),
        ("azure_credential: os.environ/NONE", false, "`NONE` is not set"),
        ("tenant_id: t, client_id: c, client_secret: os.environ/NONE", false, "`NONE` is not set"),
    ] {
        let (error, messages) = problems(params);
        assert!(error == refused && messages.contains(message), "{params}: {error} {messages}");
    }
}
