//! The catalog as it is embedded, and the URLs it gives.

use super::{AuthScheme, Catalog, CatalogError, Provider, StreamUsage, WireFormat};

fn catalog() -> Catalog {
    Catalog::embedded().expect("every provider file is right")
}

fn find(catalog: &Catalog, name: &str) -> Provider {
    catalog.find(name).map(|provider| (**provider).clone()).expect("in the catalog")
}

#[test]
fn the_catalog_is_every_provider_file_sorted_by_name() {
    let catalog = catalog();
    let names: Vec<&str> = catalog.iter().map(|provider| provider.name.as_str()).collect();
    let wanted = [
        "azure",
        "deepseek",
        "groq",
        "hosted_vllm",
        "mistral",
        "ollama",
        "openai",
        "openai_like",
        "openrouter",
        "simulated",
        "together_ai",
    ];
    assert_eq!(names, wanted);
}

#[test]
fn every_provider_can_be_configured() {
    for provider in catalog().iter() {
        let name = &provider.name;
        assert!(provider.formats.contains(&WireFormat::OpenAiChat), "{name}");
        assert!(provider.chat_path.starts_with('/'), "{name}");
        let keyed = provider.auth != AuthScheme::None;
        assert_eq!(keyed, !provider.key_env.is_empty(), "{name}: a key needs a name");
        assert!(keyed || !provider.key_required, "{name}: no key can be required");
        if let Some(base) = &provider.base_url {
            assert!(base.starts_with("https://") || base.starts_with("http://localhost"), "{name}");
            assert!(!base.ends_with('/'), "{name}");
        }
        let names_model = provider.chat_path.contains("{model}");
        assert_eq!(provider.quirks.body_model, !names_model, "{name}: the model stands somewhere");
        let quirks = &provider.quirks;
        let renamed = |field: &str| quirks.rename_fields.iter().any(|(from, _)| **from == *field);
        assert!(!quirks.drop_fields.iter().any(|field| renamed(field)), "{name}");
    }
}

#[test]
fn a_provider_is_found_by_its_aliases_too() {
    let catalog = catalog();
    assert_eq!(find(&catalog, "ollama_chat").name.as_str(), "ollama");
    assert_eq!(find(&catalog, "custom_openai").name.as_str(), "openai_like");
    assert!(catalog.find("nobody").is_none());
}

#[test]
fn quirks_are_read_as_written() {
    let catalog = catalog();
    let mistral = find(&catalog, "mistral").quirks;
    assert_eq!(mistral.usage_in_stream, StreamUsage::Always);
    assert!(mistral.drop_fields.contains(&"stream_options".into()));
    let renames: Vec<(&str, &str)> =
        mistral.rename_fields.iter().map(|(from, to)| (&**from, &**to)).collect();
    assert_eq!(renames, [("max_completion_tokens", "max_tokens"), ("seed", "random_seed")]);
    assert_eq!(find(&catalog, "azure").auth, AuthScheme::Header("api-key".to_owned()));
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
        let url = provider.chat_url(base, "gpt 4/ü", *version);
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
        let url = azure.chat_url("https://r.test", model, Some("1"));
        let path = format!("https://r.test/openai/deployments/{segment}/chat/completions");
        assert_eq!(url, format!("{path}?api-version=1"), "{model}");
    }
}
