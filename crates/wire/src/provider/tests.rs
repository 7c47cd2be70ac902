//! The catalog as it is embedded, and the URLs it gives.

use std::fs;
use std::path::Path;

use super::{
    Address, AuthScheme, Calling, Catalog, CatalogError, Endpoint, OutputLimit, Provider, Quirks,
    Range, StreamUsage, ToolChoice, WireFormat,
};

fn catalog() -> Catalog {
    Catalog::embedded().expect("every provider file is right")
}

fn find(catalog: &Catalog, name: &str) -> Provider {
    catalog.find(name).map(|provider| (**provider).clone()).expect("in the catalog")
}

#[test]
fn the_catalog_is_every_provider_file_sorted_by_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("providers");
    let mut wanted: Vec<String> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("UTF-8"))
        .collect();
    wanted.sort();
    let catalog = catalog();
    let names: Vec<String> =
        catalog.iter().map(|provider| format!("{}.toml", provider.name)).collect();
    assert_eq!(names, wanted);
    assert!(names.len() >= 100, "{} providers", names.len());
}

#[test]
fn every_provider_can_be_configured() {
    for provider in catalog().iter() {
        let name = &provider.name;
        assert!(!provider.endpoints.is_empty(), "{name}");
        for endpoint in &provider.endpoints {
            let paths = [Some(&endpoint.path), endpoint.stream_path.as_ref()];
            assert!(paths.into_iter().flatten().all(|path| path.starts_with('/')), "{name}");
            check_braces(provider, endpoint);
        }
        let keyed = provider.auth != AuthScheme::None;
        assert!(keyed || provider.key_env.is_empty(), "{name}: no key has a name");
        assert!(keyed || !provider.key_required, "{name}: no key can be required");
        assert!(!provider.key_required || !provider.key_env.is_empty(), "{name}: a key has a name");
        if let Some(base) = &provider.base_url {
            let own = ["http://localhost:", "http://127.0.0.1:"];
            let local = own.iter().any(|start| base.starts_with(start));
            assert!(base.starts_with("https://") || local, "{name}");
            assert!(!(local && provider.key_required), "{name}: a server of one's own is open");
            assert!(!base.ends_with('/'), "{name}");
        }
        let named = [&provider.client_headers, &provider.client_lists, &provider.client_accounts];
        for header in named.into_iter().flatten() {
            assert!(!header.is_empty() && *header == header.to_ascii_lowercase(), "{name}");
        }
        for token in &provider.client_tokens {
            assert!(
                token.len() > "sk-".len(),
                "{name}: `{token}` is the beginning of our own keys"
            );
        }
        let variables = provider.key_env.iter().chain(&provider.base_url_env);
        for variable in variables {
            let letters = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            assert!(variable.bytes().all(|byte| letters(byte) || byte == b'_'), "{variable}");
        }
    }
}

/// Everything in braces in a path has a value.
fn check_braces(provider: &Provider, endpoint: &Endpoint) {
    let paths = [Some(&endpoint.path), endpoint.stream_path.as_ref()];
    for part in paths.into_iter().flatten().flat_map(|path| path.split('{').skip(1)) {
        let name = part.split('}').next().expect("the brace ends");
        let known = provider.variables.iter().any(|variable| variable.name == name);
        assert!(name == "model" || known, "{}: {name}", provider.name);
    }
}

/// The URL of chat completions.
fn chat_url(provider: &Provider, base: &str, model: &str, api_version: Option<&str>) -> String {
    let endpoint =
        provider.endpoint(model, WireFormat::OpenAiChat, Calling::default()).expect("an endpoint");
    provider.url(endpoint, &Address { base, model, api_version, stream: false, variables: &[] })
}

#[test]
fn every_quirk_does_something() {
    for provider in catalog().iter() {
        let (name, quirks) = (&provider.name, &provider.quirks);
        let renamed = |field: &str| quirks.rename_fields.iter().any(|(from, _)| **from == *field);
        assert!(!quirks.drop_fields.iter().any(|field| renamed(field)), "{name}");
        assert!(quirks.drop_fields.is_sorted_by(|a, b| a < b), "{name}: sorted, each once");
        let limits = ["max_tokens", "max_completion_tokens"];
        let dropped = |field: &&str| quirks.drop_fields.iter().any(|drop| **drop == **field);
        assert!(!limits.iter().any(dropped), "{name}: a limit bounds what a call costs");
        assert!(quirks.drop_beside.iter().all(|rule| !rule.fields.is_empty()), "{name}");
        for (field, range) in &quirks.clamp_fields {
            assert!(range.min < range.max, "{name}: {field}");
        }
        for (field, raw) in &quirks.set_fields {
            serde_json::from_str::<serde_json::Value>(raw).unwrap_or_else(|e| {
                panic!("{name}: {field} is not JSON: {e}");
            });
        }
        let choice = &quirks.tool_choice;
        let drops_choice = dropped(&"tool_choice");
        assert!(!drops_choice || *choice == ToolChoice::default(), "{name}");
        let asks = quirks.usage_in_stream == StreamUsage::OnRequest;
        assert!(!(asks && dropped(&"stream_options")), "{name}: cannot be asked for usage");
    }
}

#[test]
fn the_guide_lists_the_fields_that_are_left_out_without_being_asked() {
    let guide = include_str!("../../../../docs/guide/parameters.md");
    let (_, hints) = guide.split_once("They are `").expect("the list");
    let (hints, _) = hints.split_once("`.").expect("its end");
    let listed: Vec<&str> = hints.split('`').step_by(2).collect();
    assert_eq!(listed, crate::formats::openai_chat::HINTS);
}

#[test]
fn a_base_url_takes_its_variables_from_the_environment() {
    let catalog = catalog();
    let variable = |name: &str| (name == "CLOUDFLARE_ACCOUNT_ID").then(|| "a1".to_owned());
    let own = |name: &str| find(&catalog, name).own_base_url(variable);
    let cloudflare = "https://api.cloudflare.com/client/v4/accounts/a1/ai/v1";
    assert_eq!(own("cloudflare"), Ok(Some(cloudflare.to_owned())));
    assert_eq!(own("openai"), Ok(Some("https://api.openai.com/v1".to_owned())));
    assert_eq!(own("azure"), Ok(None));
    let unset = own("bedrock_mantle").expect_err("no region");
    assert_eq!(unset.to_string(), "the variable `AWS_REGION` is not set");
}

#[test]
fn a_base_url_in_the_usual_place_gives_the_usual_url() {
    let cases = [
        ("heroku", "https://us.inference.heroku.com/v1/chat/completions"),
        ("writer", "https://api.writer.com/v1/chat"),
        ("perplexity", "https://api.perplexity.ai/chat/completions"),
    ];
    for (name, wanted) in cases {
        let provider = find(&catalog(), name);
        let base = provider.own_base_url(|_| None).expect("no variable").expect("a base URL");
        assert_eq!(chat_url(&provider, &base, "m", None), wanted);
    }
    let predibase = find(&catalog(), "predibase");
    let base = predibase.own_base_url(|_| Some("t".to_owned())).expect("set").expect("a URL");
    let wanted =
        "https://serving.app.predibase.com/t/deployments/v2/llms/m%2F1/v1/chat/completions";
    assert_eq!(chat_url(&predibase, &base, "m/1", None), wanted);
}

#[test]
fn a_provider_is_found_by_its_aliases_too() {
    let catalog = catalog();
    assert_eq!(find(&catalog, "custom_openai").name.as_str(), "openai_like");
    assert_eq!(find(&catalog, "aimlapi").name.as_str(), "aiml");
    assert!(catalog.find("nobody").is_none());
}

#[test]
fn quirks_are_read_as_written() {
    let catalog = catalog();
    let mistral = find(&catalog, "mistral").quirks;
    assert_eq!(mistral.usage_in_stream, StreamUsage::Always);
    assert_eq!(mistral.output_limit, OutputLimit::MaxTokens);
    assert!(mistral.drop_fields.contains(&"stream_options".into()));
    assert_eq!(mistral.rename_fields, [("seed".into(), "random_seed".into())]);
    assert_eq!(mistral.tool_choice.rename, [("required".into(), "any".into())]);
    let zai = find(&catalog, "zai").quirks;
    assert_eq!(zai.tool_choice.only, ["auto".into()]);
    assert_eq!(zai.clamp_fields[1], ("top_p".into(), Range { min: 0.01, max: 1.0 }));
    assert_eq!(&*find(&catalog, "xai").quirks.drop_beside[0].beside, "reasoning_effort");
    assert_eq!(find(&catalog, "parasail").quirks.set_fields, [("store".into(), "false".into())]);
    assert_eq!(find(&catalog, "openai").quirks, Quirks::default());
    let entra = |scope: &str| AuthScheme::Entra { scope: scope.to_owned() };
    let scope = "https://cognitiveservices.azure.com/.default";
    assert_eq!(find(&catalog, "azure").auth, entra(scope));
    assert_eq!(find(&catalog, "azure_ai").auth, entra("https://ai.azure.com/.default"));
    assert_eq!(find(&catalog, "simulated").auth, AuthScheme::None);
}

#[test]
fn a_file_with_a_fault_is_refused_with_its_name() {
    let good = "name = \"a\"\nformats = [\"openai_chat\"]\n";
    let unreadable = [
        "name = \"a\"\nformats = [\"openai_chatt\"]\n",
        "name = \"a\"\n",
        "name = \"\"\nformats = [\"openai_chat\"]\n",
        "name = \"a\"\nformats = [\"openai_chat\"]\nbase_ulr = \"x\"\n",
        "name = \"a\"\nformats = [\"openai_chat\"]\n[quirks]\ndrop_feilds = []\n",
        "name = \"a\"\nformats = [\"openai_chat\"]\n[quirks]\noutput_limit = \"tokens\"\n",
        "name = \"a\"\nformats = [\"openai_chat\"]\n[quirks]\nclamp_fields = { n = [1] }\n",
        "name = \"a\"\nformats = [\"openai_chat\"]\nauth = { scheme = \"header\" }\n",
        "name = \"a\"\nformats = [\"openai_chat\"]\nauth = { scheme = \"bearer\", env = \"A\" }\n",
    ];
    for text in unreadable {
        let error = Catalog::read([("a.toml", text)]).expect_err(text);
        assert!(matches!(error, CatalogError::Unreadable { ref file, .. } if file == "a.toml"));
    }
    let other = Catalog::read([("b.toml", good)]).expect_err("another name");
    assert_eq!(other.to_string(), "the provider file `b.toml` holds the provider `a`");
    let aliased = "name = \"b\"\naliases = [\"a\"]\nformats = [\"openai_chat\"]\n";
    let taken = Catalog::read([("a.toml", good), ("b.toml", aliased)]).expect_err("taken");
    assert_eq!(taken, CatalogError::Taken { name: "a".to_owned() });
}

fn check_urls(provider: &str, cases: &[(&str, Option<&str>, &str)]) {
    let provider = find(&catalog(), provider);
    for (base, version, wanted) in cases {
        let url = chat_url(&provider, base, "gpt 4/ü", *version);
        assert_eq!(url, *wanted, "{base} {version:?}");
    }
}

#[test]
fn a_base_url_may_be_written_in_every_usual_way() {
    let cases = [
        ("https://h/v1", "https://h/v1/chat/completions"),
        ("https://h/v1/", "https://h/v1/chat/completions"),
        ("https://h/v1//", "https://h/v1/chat/completions"),
        ("https://h", "https://h/chat/completions"),
        ("https://h/v1/chat/completions", "https://h/v1/chat/completions"),
        ("https://h/v1/chat/completions/", "https://h/v1/chat/completions"),
        ("https://h/chat", "https://h/chat/chat/completions"),
        ("https://chat/completions", "https://chat/completions/chat/completions"),
        ("https://h/v1?team=a", "https://h/v1/chat/completions?team=a"),
        ("https://h/v1?", "https://h/v1/chat/completions"),
        ("h:8000/v1", "h:8000/v1/chat/completions"),
    ];
    let cases = cases.map(|(base, url)| (base, None, url));
    check_urls("openai", &cases);
    let versions = cases.map(|(base, _, url)| (base, Some("2024-10-21"), url));
    check_urls("openai", &versions);
}

#[test]
fn a_path_that_the_base_lacks_is_added_once() {
    check_urls(
        "ollama",
        &[
            ("http://localhost:11434", None, "http://localhost:11434/v1/chat/completions"),
            ("http://localhost:11434/", None, "http://localhost:11434/v1/chat/completions"),
            ("http://localhost:11434/v1", None, "http://localhost:11434/v1/chat/completions"),
            ("http://h/a/v1/", None, "http://h/a/v1/chat/completions"),
            ("http://h/v1/chat/completions", None, "http://h/v1/chat/completions"),
            ("http://v1", None, "http://v1/v1/chat/completions"),
        ],
    );
}

#[test]
fn a_versioned_url_names_the_deployment_and_the_version() {
    let classic = "https://r.test/openai/deployments/gpt%204%2F%C3%BC/chat/completions";
    let dated = format!("{classic}?api-version=2024-10-21");
    let default = format!("{classic}?api-version=2025-02-01-preview");
    let kept = format!("{classic}?api-version=2023-05-15");
    let named = "https://r.test/openai/deployments/own/chat/completions?api-version=2024-10-21";
    let given = "https://r.test/openai/deployments/own/chat/completions?api-version=2023-05-15";
    check_urls(
        "azure",
        &[
            ("https://r.test", Some("2024-10-21"), &dated),
            ("https://r.test/", Some("2024-10-21"), &dated),
            ("https://r.test/openai", Some("2024-10-21"), &dated),
            ("https://r.test/openai/deployments", Some("2024-10-21"), &dated),
            ("https://r.test", None, &default),
            ("https://r.test?api-version=2023-05-15", Some("2024-10-21"), &kept),
            ("https://r.test/openai/deployments/own", Some("2024-10-21"), named),
            (given, Some("2024-10-21"), given),
        ],
    );
}

#[test]
fn the_surface_without_versions_is_meant_by_its_version_or_by_its_path() {
    let plain = "https://r.test/openai/v1/chat/completions";
    let preview = "https://r.test/openai/v1/chat/completions?api-version=preview";
    check_urls(
        "azure",
        &[
            ("https://r.test", Some("v1"), plain),
            ("https://r.test/", Some("latest"), plain),
            ("https://r.test/openai", Some("v1"), plain),
            ("https://r.test", Some("preview"), preview),
            ("https://r.test/openai/v1", None, plain),
            ("https://r.test/openai/v1/", Some("2024-10-21"), plain),
            ("https://r.test/openai/v1/chat/completions", None, plain),
        ],
    );
}

#[test]
fn a_model_name_stays_one_segment_of_the_path() {
    let azure = find(&catalog(), "azure");
    for (model, segment) in [("..", "%2E%2E"), ("../x", "..%2Fx"), ("a?b#c", "a%3Fb%23c"), ("", "")]
    {
        let url = chat_url(&azure, "https://r.test", model, Some("1"));
        let path = format!("https://r.test/openai/deployments/{segment}/chat/completions");
        assert_eq!(url, format!("{path}?api-version=1"), "{model}");
    }
}
