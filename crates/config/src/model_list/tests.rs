//! Entries of the model list, and what becomes of each.

mod entries;
mod info;

use std::collections::BTreeSet;
use std::time::Duration;

use tollgate_domain::{Money, Price, Quantity, UsageKind};
use tollgate_wire::Catalog;
use tollgate_wire::json::JsonPath;

use crate::diagnostic::code;
use crate::{Compiled, Deployment, PriceList, Snapshot, Source, compile};

/// The environment of these tests: every key is `sk-env`.
fn variable(name: &str) -> Option<String> {
    let value = match name {
        "OPENAI_API_KEY" | "GROQ_API_KEY" | "OWN_KEY" => "sk-env",
        "HOSTED_VLLM_API_BASE" => "http://vllm.test/v1/",
        "AZURE_API_VERSION" => "2024-01-01",
        "SEVEN" => "7",
        _ => return None,
    };
    Some(value.to_owned())
}

fn compiled(text: &str) -> Result<Compiled, crate::Findings> {
    let catalog = Catalog::embedded().expect("the catalog");
    compile(Source { name: "config.yaml", text }, &variable, &catalog, &PriceList::embedded())
}

/// A file of one entry with these `litellm_params` and more of the entry after them.
fn one(params: &str, more: &str) -> String {
    format!("model_list:\n  - model_name: m\n    litellm_params: {{{params}}}\n    {more}\n")
}

fn snapshot(text: &str) -> Snapshot {
    compiled(text).unwrap_or_else(|findings| panic!("{text}\n{findings:?}")).snapshot
}

fn deployment(params: &str, more: &str) -> Deployment {
    let resolved = snapshot(&one(params, more)).resolve("m").expect("the model");
    Deployment::clone(&resolved.deployments[0])
}

/// The codes of every finding, errors or not.
fn codes(text: &str) -> BTreeSet<&'static str> {
    match compiled(text) {
        Ok(compiled) => compiled.warnings.iter().map(|finding| finding.code).collect(),
        Err(findings) => findings.iter().map(|finding| finding.code).collect(),
    }
}

#[test]
fn the_provider_is_the_explicit_one_or_the_first_segment_or_the_one_of_the_price_list() {
    let cases = [
        ("model: openai/gpt-4o", "openai", "gpt-4o"),
        ("model: gpt-4o", "openai", "gpt-4o"),
        ("model: 'ft:gpt-4o-2024-08-06:org::id'", "openai", "ft:gpt-4o-2024-08-06:org::id"),
        ("model: groq/openai/gpt-oss-120b", "groq", "openai/gpt-oss-120b"),
        ("model: openai/gpt-oss-120b, custom_llm_provider: groq", "groq", "openai/gpt-oss-120b"),
        ("model: groq/x, custom_llm_provider: groq", "groq", "x"),
        ("model: x, custom_llm_provider: groq", "groq", "x"),
        ("model: ollama_chat/llama3", "ollama_chat", "llama3"),
    ];
    for (params, provider, model) in cases {
        let deployment = deployment(params, "");
        assert_eq!(deployment.provider.name.as_str(), provider, "{params}");
        assert_eq!(&*deployment.upstream_model, model, "{params}");
    }
}

#[test]
fn a_provider_nobody_knows_is_an_error_and_one_that_is_not_there_yet_is_left_out() {
    assert_eq!(codes(&one("model: opnai/gpt-4o", "")), [code::PROVIDER_UNKNOWN].into());
    assert_eq!(codes(&one("model: my-model", "")), [code::PROVIDER_UNKNOWN].into());
    let text = one("model: replicate/x", "");
    assert!(codes(&text).contains(code::PROVIDER_UNSUPPORTED));
    assert!(snapshot(&text).groups.is_empty());
}

#[test]
fn a_credential_comes_from_the_entry_or_the_providers_own_variables() {
    let key = |params: &str| deployment(params, "").key.map(|key| key.expose().to_owned());
    assert_eq!(key("model: openai/x, api_key: sk-file").as_deref(), Some("sk-file"));
    assert_eq!(key("model: openai/x, api_key: os.environ/OWN_KEY").as_deref(), Some("sk-env"));
    assert_eq!(key("model: openai/x").as_deref(), Some("sk-env"));
    assert_eq!(key("model: hosted_vllm/x"), None);
}

#[test]
fn an_entry_without_its_credential_is_left_out_with_a_note() {
    for params in [
        "model: openai/x, api_key: os.environ/NOT_SET",
        "model: deepseek/x",
        "model: openai/x, api_base: os.environ/NOT_SET",
        "model: ollama/x, api_base: os.environ/NOT_SET",
    ] {
        let compiled = compiled(&one(params, "")).expect(params);
        let found: Vec<&str> = compiled.warnings.iter().map(|finding| finding.code).collect();
        // One note for the entry, and a warning that nothing else is there.
        assert_eq!(found, [code::NOTHING_TO_CALL, code::CREDENTIAL_MISSING], "{params}");
        assert!(compiled.snapshot.groups.is_empty(), "{params}");
        assert_eq!(compiled.snapshot.names().count(), 0, "{params}");
    }
}

#[test]
fn a_base_url_is_the_entrys_or_the_environments_or_the_providers() {
    let cases = [
        ("model: openai/x", "https://api.openai.com/v1"),
        ("model: hosted_vllm/x", "http://vllm.test/v1"),
        ("model: openai/x, api_base: 'http://a.test/v1/'", "http://a.test/v1"),
        ("model: openai/x, base_url: http://b.test", "http://b.test"),
        ("model: openai/x, api_base: http://a.test, base_url: http://b.test", "http://a.test"),
    ];
    for (params, url) in cases {
        assert_eq!(&*deployment(params, "").base_url, url, "{params}");
    }
    assert_eq!(codes(&one("model: azure/x, api_key: k", "")), [code::BASE_URL_MISSING].into());
    for url in ["ftp://x", "x.test", "http://", "'http://a b'", "http://:80"] {
        let params = format!("model: openai/x, api_base: {url}");
        assert_eq!(codes(&one(&params, "")), [code::MALFORMED].into(), "{url}");
    }
}

#[test]
fn a_base_url_made_of_an_unset_variable_leaves_the_entry_out() {
    let text = one("model: cloudflare/x, api_key: k", "");
    assert_eq!(codes(&text), [code::NOTHING_TO_CALL, code::CREDENTIAL_MISSING].into());
    let own = format!("environment_variables: {{CLOUDFLARE_ACCOUNT_ID: a1}}\n{text}");
    let resolved = snapshot(&own).resolve("m").expect("the model");
    let wanted = "https://api.cloudflare.com/client/v4/accounts/a1/ai/v1";
    assert_eq!(&*resolved.deployments[0].base_url, wanted);
    let written = deployment("model: cloudflare/x, api_key: k, api_base: http://a.test", "");
    assert_eq!(&*written.base_url, "http://a.test");
}

#[test]
fn everything_of_an_entry_arrives() {
    let params = "model: openai/x, organization: org-1, rpm: '5', tpm: os.environ/SEVEN, \
        weight: 0.5, order: 2, \
        timeout: 30, stream_timeout: '10', idle_timeout: 1.5, max_retries: 4, \
        additional_drop_params: [seed, os.environ/OWN_KEY, 'tools[*].x', seed], extra_headers: {X-Team: a}, \
        extra_body: {guided: [1, null, {a: os.environ/SEVEN}]}, max_tokens: 50, temperature: 0.30, \
        stop: ['a\"b'], response_format: {type: json_object}, top_p: null";
    let deployment =
        deployment(params, "model_info: {id: mine, mode: chat, max_output_tokens: 900}");
    assert_eq!(deployment.id.as_str(), "mine");
    let headers: Vec<(&str, &str)> =
        deployment.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(headers, [("X-Team", "a"), ("OpenAI-Organization", "org-1")]);
    let candidate = &deployment.candidate;
    assert_eq!((candidate.rpm, candidate.tpm, candidate.order), (Some(5), Some(7), 2));
    assert_eq!((candidate.weight, candidate.available), (Some(500), true));
    assert_eq!(deployment.timeouts.first_byte, Duration::from_secs(30));
    assert_eq!(deployment.timeouts.stream_first_byte, Duration::from_secs(10));
    assert_eq!(deployment.timeouts.idle, Duration::from_millis(1500));
    assert_eq!(deployment.num_retries, Some(4));
    let paths: Vec<&str> = deployment.drop_paths.iter().map(JsonPath::as_written).collect();
    assert_eq!(paths, ["seed", "sk-env", "tools[*].x"]);
    let fields = |fields: &[(Box<str>, Box<str>)]| -> Vec<String> {
        fields.iter().map(|(name, json)| format!("{name}={json}")).collect()
    };
    assert_eq!(fields(&deployment.extra_body), [r#"guided=[1,null,{"a":"7"}]"#]);
    assert_eq!(
        fields(&deployment.defaults),
        [
            "max_tokens=50",
            "temperature=0.30",
            r#"stop=["a\"b"]"#,
            r#"response_format={"type":"json_object"}"#
        ]
    );
    assert_eq!(
        (deployment.limits.max_output, deployment.limits.reserve_output),
        (Some(900), Some(50))
    );
    assert_eq!(deployment.mode.as_deref(), Some("chat"));
}

#[test]
fn whether_parameters_are_dropped_is_said_by_the_entry_then_by_the_file_then_by_nobody() {
    let drops = |text: &str| {
        let resolved = snapshot(text).resolve("m").expect("the model");
        resolved.deployments[0].drop_params
    };
    assert_eq!(drops(&one("model: groq/x", "")), None);
    assert_eq!(drops(&one("model: groq/x, drop_params: false", "")), Some(false));
    let global = "litellm_settings: {drop_params: false}\n";
    assert_eq!(drops(&format!("{global}{}", one("model: groq/x", ""))), Some(false));
    let own = one("model: groq/x, drop_params: true", "");
    assert_eq!(drops(&format!("{global}{own}")), Some(true));
}

#[test]
fn a_path_that_cannot_be_read_is_a_finding_at_its_place() {
    let text = one("model: groq/x, additional_drop_params: [seed, 'tools[x].y']", "");
    let findings = compiled(&text).expect_err("a finding");
    let shown = findings.render(&Source { name: "config.yaml", text: &text });
    for part in ["error[malformed]", "config.yaml:3:68", "no path within a body", "character 7"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn a_version_is_the_entrys_or_the_environments() {
    let azure = "model: azure/x, api_key: k, api_base: https://a.test";
    assert_eq!(deployment(azure, "").api_version.as_deref(), Some("2024-01-01"));
    let own = format!("{azure}, api_version: 2024-10-21");
    assert_eq!(deployment(&own, "").api_version.as_deref(), Some("2024-10-21"));
    assert_eq!(deployment("model: openai/x", "").api_version, None);
}

#[test]
fn a_price_is_the_entrys_own_or_the_base_models_or_the_lists() {
    let sheet = |params: &str, more: &str| deployment(params, more).prices.expect("prices");
    assert!(sheet("model: openai/gpt-4o", "").id.as_str().starts_with("gpt-4o@2"));
    let azure = "model: azure/mine, api_key: k, api_base: https://a.test";
    let base = sheet(azure, "model_info: {base_model: azure/gpt-4o}");
    assert!(base.id.as_str().starts_with("azure/gpt-4o@2"));
    assert!(deployment(azure, "").prices.is_none());
    let misspelt = one(azure, "model_info: {base_model: azure/gpt-4oo}");
    assert_eq!(codes(&misspelt), [code::PRICE_UNKNOWN].into());
    // Another provider's model of the same name is another price.
    assert!(deployment("model: hosted_vllm/gpt-4o", "").prices.is_none());

    let own = sheet(
        "model: openai/gpt-4o, input_cost_per_token: '1e-6', \
         output_cost_per_token_above_128k_tokens: 3e-6",
        "model_info: {id: mine, input_cost_per_token: 9, output_cost_per_token: 0.000002}",
    );
    assert_eq!(own.rates.get(UsageKind::Input), Some(Price::from_picos(1_000_000)));
    assert_eq!(own.rates.get(UsageKind::Output), Some(Price::from_picos(2_000_000)));
    assert_eq!(own.tiers[0].above_prompt_tokens, 128_000);
    let (id, hash) = own.id.as_str().split_once('@').expect("an id and a hash");
    assert_eq!((id, hash.len()), ("custom:mine", 12));
}

#[test]
fn own_prices_that_change_are_another_sheet() {
    let id = |price: &str| {
        let prices = format!("input_cost_per_token: {price}, output_cost_per_token: 0");
        let more = format!("model_info: {{id: mine, {prices}}}");
        deployment("model: openai/x", &more).prices.expect("prices").id.clone()
    };
    assert_eq!(id("1e-6"), id("0.000001"));
    assert_ne!(id("1e-6"), id("2e-6"));
    let long = "x".repeat(256);
    let more =
        format!("model_info: {{id: {long}, input_cost_per_token: 0, output_cost_per_token: 0}}");
    assert!(deployment("model: openai/x", &more).prices.is_some());
}

#[test]
fn a_search_has_one_price_or_one_by_size_of_which_the_highest_counts() {
    let tokens = "input_cost_per_token: 0, output_cost_per_token: 0";
    let with = |more: &str| format!("model: openai/gpt-4o, {tokens}, {more}");
    let prices = |more: &str| {
        let sheet = deployment(&with(more), "").prices.expect("prices");
        (sheet.rates.get(UsageKind::Searches), sheet.per_searching_call)
    };
    let price = |picos| Some(Price::from_picos(picos));
    let sizes = "search_context_cost_per_query: \
        {search_context_size_low: 0.01, search_context_size_high: 0.03}";
    assert_eq!(prices(sizes), (price(30_000_000_000), None));
    assert_eq!(prices("search_context_cost_per_query: 0.01"), (price(10_000_000_000), None));
    let once = format!("{sizes}, web_search_billing_unit: per_prompt");
    assert_eq!(prices(&once), (None, price(30_000_000_000)));
    for wrong in [
        "search_context_cost_per_query: -1",
        "search_context_cost_per_query: {huge: 1}",
        "web_search_billing_unit: per_day",
    ] {
        assert_eq!(codes(&one(&with(wrong), "")), [code::OUT_OF_RANGE].into(), "{wrong}");
    }
    let alone = one("model: openai/gpt-4o, search_context_cost_per_query: 0.01", "");
    assert_eq!(codes(&alone), [code::PRICE_PARTIAL].into());
}

#[test]
fn an_assumed_price_is_for_models_without_one() {
    let with = |params: &str| {
        let text =
            format!("general_settings: {{unpriced_models: 'assume:0.001'}}\n{}", one(params, ""));
        snapshot(&text).resolve("m").expect("the model").deployments[0].prices.clone()
    };
    let assumed = with("model: hosted_vllm/x").expect("prices");
    assert_eq!(assumed.id.as_str(), "assumed@1000000000");
    let cost = assumed.upper_bound(
        &tollgate_policy::Bound { prompt: Quantity::whole(1), completion: Quantity::whole(2) },
        &tollgate_policy::Extras::NONE,
    );
    assert_eq!(cost, Ok(Money::parse_dollars("0.003").expect("an amount")));
    assert_ne!(with("model: openai/gpt-4o").expect("prices").id, assumed.id);
}

#[test]
fn an_id_of_our_own_is_stable_and_knows_no_credential() {
    let id = |params: &str| deployment(params, "").id.to_string();
    let plain = id("model: openai/x, timeout: 3");
    assert_eq!(plain.len(), 64);
    assert_eq!(plain, id("model: openai/x, api_key: sk-1, timeout: 3, extra_headers: {a: b}"));
    assert_eq!(plain, id("api_key: os.environ/OWN_KEY, model: 'openai/x', timeout: 3"));
    assert_ne!(plain, id("model: openai/x, timeout: 4"));
    assert_ne!(plain, id("timeout: 3, model: openai/x"));
    assert_ne!(id("model: openai/x, max_tokens: 3"), id("model: openai/x, max_tokens: 4"));
}

#[test]
fn entries_that_are_the_same_have_ids_of_their_own_also_when_one_is_left_out() {
    let entry = |key: &str| {
        format!("  - model_name: m\n    litellm_params: {{model: openai/x, api_key: {key}}}\n")
    };
    let ids = |keys: &[&str]| -> Vec<String> {
        let entries: String = keys.iter().map(|key| entry(key)).collect();
        let resolved =
            snapshot(&format!("model_list:\n{entries}")).resolve("m").expect("the model");
        resolved.deployments.iter().map(|deployment| deployment.id.to_string()).collect()
    };
    let two = ids(&["a", "b"]);
    assert_eq!(two[1], format!("{}-2", two[0]));
    assert_eq!(ids(&["os.environ/NOT_SET", "b"]), two[1..]);
}

#[test]
fn a_wrong_entry_is_a_finding() {
    let cases = [
        ("model_list: []", code::FIELD_MISSING),
        ("model_list: {}", code::WRONG_TYPE),
        ("model_list: [x]", code::WRONG_TYPE),
        ("model_list: [{model_name: m}]", code::FIELD_MISSING),
        ("model_list: [{litellm_params: {model: gpt-4o}}]", code::FIELD_MISSING),
        ("model_list: [{model_name: '', litellm_params: {model: gpt-4o}}]", code::FIELD_MISSING),
        ("model_list: [{model_name: m, litellm_params: {timeout: 1}}]", code::FIELD_MISSING),
        ("model_list: [{model_name: m, litellm_params: [gpt-4o]}]", code::WRONG_TYPE),
        ("model_list: [{model_name: [m], litellm_params: {model: gpt-4o}}]", code::WRONG_TYPE),
        (
            "model_list: [{model_name: m, litellm_params: {model: gpt-4o}, modelinfo: {id: x}}]",
            code::KEY_UNKNOWN,
        ),
    ];
    for (text, code) in cases {
        assert_eq!(codes(text), [code].into(), "{text}");
    }
}

#[test]
fn a_deployment_takes_as_many_calls_at_once_as_it_says_or_as_its_rate_stands_for() {
    let shared = "router_settings: {default_max_parallel_requests: 40}";
    let cases = [
        ("max_parallel_requests: 3, rpm: 5, tpm: 7", shared, Some(3)),
        ("rpm: 5, tpm: 7000", shared, Some(5)),
        ("tpm: 7000", shared, Some(42)),
        ("tpm: 100", shared, Some(1)),
        ("rpm: 0", shared, Some(40)),
        ("weight: 1", shared, Some(40)),
        ("weight: 1", "", None),
    ];
    for (params, more, expected) in cases {
        let text = format!("{}\n{more}\n", one(&format!("model: openai/x, {params}"), ""));
        let resolved = snapshot(&text).resolve("m").expect("the model");
        let calls = resolved.deployments[0].calls_at_once_max;
        assert_eq!(calls.map(std::num::NonZeroU32::get), expected, "{params} {more}");
    }
}
