//! What a name stands for.

use super::*;
use tollgate_wire::Catalog;

use crate::diagnostic::code;
use crate::{Source, compile};

const CONFIG: &str = r"
model_list:
  - {model_name: fast, litellm_params: {model: openai/gpt-4o-mini}}
  - {model_name: fast, litellm_params: {model: groq/fast}}
  - {model_name: openai/*, litellm_params: {model: openai/*}}
  - {model_name: openai/gpt-*, litellm_params: {model: openai/gpt-*, api_base: http://gpt.test}}
  - {model_name: 'my-*', litellm_params: {model: openai/gpt-4o}}
  - {model_name: '*-at-*', litellm_params: {model: groq/*}}
  - {model_name: gone, litellm_params: {model: deepseek/x}}
  - {model_name: 'gone-*', litellm_params: {model: deepseek/*}}
router_settings:
  model_group_alias:
    quick: fast
    secret: {model: fast, hidden: true}
    fourth: openai/gpt-4o
    was: gone
    was-too: gone-1
";

fn compiled(text: &str, variables: &[&str]) -> Result<crate::Compiled, crate::Findings> {
    let catalog = Catalog::embedded().expect("the catalog");
    let find = |name: &str| variables.contains(&name).then(|| "http://env.test".to_owned());
    compile(Source { name: "config.yaml", text }, &find, &catalog, &PriceList::embedded())
}

fn snapshot() -> Snapshot {
    compiled(CONFIG, &["OPENAI_API_KEY", "GROQ_API_KEY"]).expect("a snapshot").snapshot
}

/// The group and the deployments of a name, each as `provider model`.
fn resolved(snapshot: &Snapshot, name: &str) -> Option<(String, Vec<String>)> {
    let resolved = snapshot.resolve(name)?;
    let of = |d: &Arc<Deployment>| format!("{} {}", d.provider.name, d.upstream_model);
    Some((resolved.group.to_string(), resolved.deployments.iter().map(of).collect()))
}

#[test]
fn a_name_finds_its_group_or_its_alias_or_a_pattern() {
    let snapshot = snapshot();
    let fast = ["openai gpt-4o-mini", "groq fast"].as_slice();
    let cases: [(&str, &str, &[&str]); 9] = [
        ("fast", "fast", fast),
        ("quick", "fast", fast),
        ("secret", "fast", fast),
        ("fourth", "openai/gpt-*", &["openai gpt-4o"]),
        ("openai/o3", "openai/*", &["openai o3"]),
        ("openai/gpt-4o", "openai/gpt-*", &["openai gpt-4o"]),
        // A bare name that the price list knows, as if its provider stood before it.
        ("o3", "openai/*", &["openai o3"]),
        ("my-own", "my-*", &["openai gpt-4o"]),
        // More wildcards than the target has: the whole name.
        ("a-at-b", "*-at-*", &["groq a-at-b"]),
    ];
    for (name, group, deployments) in cases {
        let expected = deployments.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(resolved(&snapshot, name), Some((group.to_owned(), expected)), "{name}");
    }
    for name in ["gone", "gone-1", "was", "was-too", "nobody", "", "deepseek/x"] {
        assert_eq!(resolved(&snapshot, name), None, "{name}");
    }
}

#[test]
fn an_alias_redirects_a_name_that_is_there() {
    let text = "model_list:\n  - {model_name: a, litellm_params: {model: openai/x}}\n  \
        - {model_name: b, litellm_params: {model: openai/y}}\n\
        router_settings: {model_group_alias: {a: b}}\n";
    let snapshot = compiled(text, &["OPENAI_API_KEY"]).expect("a snapshot").snapshot;
    assert_eq!(resolved(&snapshot, "a").map(|(group, _)| group).as_deref(), Some("b"));
}

#[test]
fn each_model_behind_a_pattern_has_its_own_price_and_limits() {
    let snapshot = snapshot();
    let sheet = |name: &str| {
        let resolved = snapshot.resolve(name).expect(name);
        let deployment = &resolved.deployments[0];
        let sheet = deployment.prices.as_ref().map(|sheet| sheet.id.to_string());
        (sheet.unwrap_or_default(), deployment.limits.max_output)
    };
    let (id, limit) = sheet("openai/gpt-4o");
    assert!(id.starts_with("gpt-4o@") && limit == Some(16_384), "{id} {limit:?}");
    assert!(sheet("openai/o3").0.starts_with("o3@"));
    assert_eq!(sheet("openai/gpt-of-mine"), (String::new(), None));
}

#[test]
fn lists_show_what_can_be_called() {
    let snapshot = snapshot();
    let names: Vec<&str> = snapshot.names().map(ModelName::as_str).collect();
    for there in ["fast", "quick", "fourth", "openai/gpt-4o", "openai/o3"] {
        assert!(names.contains(&there), "{there}");
    }
    for absent in ["secret", "gone", "was", "openai/*", "my-*", "openai/text-embedding-3-small"] {
        assert!(!names.contains(&absent), "{absent}");
    }
    assert!(names.is_sorted());
    for name in names {
        assert!(snapshot.resolve(name).is_some(), "{name}");
    }
}

#[test]
fn a_name_is_in_the_access_groups_of_what_it_stands_for() {
    let entry = |name: &str, model: &str, groups: &str| {
        format!(
            "  - model_name: {name}\n    litellm_params: {{model: {model}}}\n    \
             model_info: {{access_groups: [{groups}]}}\n"
        )
    };
    let text = [
        "model_list:\n",
        &entry("a", "openai/x", "beta"),
        &entry("a", "openai/y", "all, beta"),
        &entry("b", "openai/z", ""),
        &entry("openai/*", "openai/*", "wild"),
        "router_settings: {model_group_alias: {short: a, plain: b}}\n",
    ];
    let text = &text.concat();
    let compiled = compiled(text, &["OPENAI_API_KEY"]).expect("a snapshot");
    assert!(compiled.warnings.is_empty(), "{:?}", compiled.warnings);
    let groups = |name: &str| -> Vec<String> {
        let groups = compiled.snapshot.access_groups(name).into_iter().flatten();
        groups.map(|group| group.to_string()).collect()
    };
    for (name, expected) in [
        ("a", &["all", "beta"][..]),
        ("short", &["all", "beta"]),
        ("b", &[]),
        ("plain", &[]),
        ("openai/gpt-4o", &["wild"]),
        // A bare name that the price list knows, as if its provider stood before it.
        ("o3", &["wild"]),
        ("nobody", &[]),
        ("beta", &[]),
    ] {
        assert_eq!(groups(name), expected, "{name}");
    }
}

#[test]
fn an_exact_name_shares_the_deployments_of_its_group() {
    let snapshot = snapshot();
    let group = &snapshot.groups["fast"];
    for name in ["fast", "quick"] {
        let resolved = snapshot.resolve(name).expect(name);
        assert!(Arc::ptr_eq(&resolved.deployments, &group.deployments), "{name}");
    }
}

#[test]
fn a_star_is_every_provider_that_has_a_credential_and_comes_last() {
    let text = "model_list:\n  - {model_name: '*', litellm_params: {model: '*', timeout: 9}}\n  \
        - {model_name: groq/*, litellm_params: {model: groq/*, api_base: http://own.test}}\n";
    let all =
        compiled(text, &["OPENAI_API_KEY", "GROQ_API_KEY", "OLLAMA_API_BASE", "AZURE_API_KEY"]);
    let snapshot = all.expect("a snapshot").snapshot;
    let star = |name: &str, deployment: &str| {
        let expected = Some(("*".to_owned(), vec![deployment.to_owned()]));
        assert_eq!(resolved(&snapshot, name), expected, "{name}");
    };
    star("openai/gpt-4o", "openai gpt-4o");
    star("gpt-4o", "openai gpt-4o");
    star("ollama/llama3", "ollama llama3");
    assert_eq!(resolved(&snapshot, "groq/x").expect("a group").0, "groq/*");
    // Azure has a key here and no base URL; nobody has a key for the others.
    for name in ["azure/x", "deepseek/x", "hosted_vllm/x", "unheard-of"] {
        assert_eq!(resolved(&snapshot, name), None, "{name}");
    }
    let ids: std::collections::BTreeSet<&str> = snapshot
        .patterns
        .iter()
        .flat_map(|g| g.deployments.iter())
        .map(|d| d.id.as_str())
        .collect();
    assert_eq!(ids.len(), snapshot.patterns.iter().map(|g| g.deployments.len()).sum::<usize>());
}

#[test]
fn a_star_before_one_provider_is_its_last_resort() {
    let text = "model_list: [{model_name: '*', litellm_params: {model: openai/*}}]";
    let snapshot = compiled(text, &["OPENAI_API_KEY"]).expect("a snapshot").snapshot;
    assert_eq!(resolved(&snapshot, "anything").expect("a group").1, ["openai anything"]);
}

#[test]
fn a_wildcard_that_cannot_be_filled_in_is_a_finding() {
    let cases = [
        "{model_name: m, litellm_params: {model: openai/*}}",
        "{model_name: 'm-*', litellm_params: {model: openai/*-*}}",
        "{model_name: m, litellm_params: {model: '*'}}",
        "{model_name: 'a*', litellm_params: {model: '*'}}",
        "{model_name: '*', litellm_params: {model: '*', api_key: k}}",
    ];
    for entry in cases {
        let findings = compiled(&format!("model_list: [{entry}]"), &["OPENAI_API_KEY"]);
        let findings = findings.expect_err(entry);
        assert_eq!(
            findings.iter().map(|f| f.code).collect::<Vec<_>>(),
            [code::WILDCARD],
            "{entry}"
        );
    }
}

#[test]
fn an_alias_of_nothing_is_a_finding_with_the_nearest_name() {
    let text = "model_list: [{model_name: fast, litellm_params: {model: openai/x}}]\n\
        router_settings: {model_group_alias: {a: fsat, b: {hidden: true}, c: [fast]}}\n";
    let findings = compiled(text, &["OPENAI_API_KEY"]).expect_err("findings");
    let found: Vec<(&str, Option<&str>)> =
        findings.iter().map(|finding| (finding.code, finding.help.as_deref())).collect();
    assert_eq!(
        found,
        [
            (code::MODEL_UNKNOWN, Some("did you mean `fast`?")),
            (code::FIELD_MISSING, None),
            (code::WRONG_TYPE, None),
        ]
    );
}
