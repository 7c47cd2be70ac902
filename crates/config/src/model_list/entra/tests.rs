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
        ("tenant_id: t1, client_id: c, azure_username: u, azure_password: p", "u", true),
        ("azure_credential: managed_identity", "machine", true),
        ("azure_credential: default", "4", true),
        ("enable_azure_ad_token_refresh: true", "4", true),
        ("enable_azure_ad_token_refresh: false", "sk-env", false),
    ] {
        assert_eq!(mode(params), (expected.to_owned(), noted), "{params}");
    }
}
