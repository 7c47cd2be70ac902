//! Whole configurations, right and wrong.

use expect_test::expect;
use proptest::prelude::*;

use super::*;
use crate::diagnostic::Severity;

const EXAMPLE: &str = include_str!("../../../../examples/config.yaml");

fn compiled(text: &str, variables: &[(&str, &str)]) -> Result<Compiled, Findings> {
    let catalog = Catalog::embedded().expect("the catalog");
    let find = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    compile(Source { name: "config.yaml", text }, &find, &catalog, &PriceList::embedded())
}

/// A configuration with about every kind of mistake.
const BROKEN: &str = r#"model_list:
  - model_name: chat
    litellm_params:
      model: opnai/gpt-4o
      api_key: sk-must-not-be-shown
  - model_name: chat
    litellm_params:
      model: openai/gpt-4o
      timeout: 0
      rpm: many
      input_cost_per_token: -0.1
      temprature: 0.5
      timeout: 5
  - litellm_params:
      model: azure/mine
      api_key: sk-must-not-be-shown
  - model_name: wild
    litellm_params: {model: openai/*, api_key: [sk-must-not-be-shown]}
general_settings:
  master_key: must-not-be-shown
  databse_url: postgres://user:must-not-be-shown@host/db
  alerting: [slack]
router_settings:
  routing_strategy: least-bussy
  model_group_alias: {gpt: chatt}
"#;

#[test]
fn every_problem_is_found_at_once_and_shown_with_its_place() {
    let findings = compiled(BROKEN, &[("OPENAI_API_KEY", "sk-env")]).expect_err("findings");
    let shown = findings.render(&Source { name: "config.yaml", text: BROKEN });
    assert!(!shown.contains("must-not-be-shown"), "{shown}");
    expect![[r#"
        error[provider_unknown]: no provider is called `opnai`
         --> config.yaml:4:14
          |
        4 |       model: opnai/gpt-4o
          |              ^^^^^^^^^^^^
          |
          = help: did you mean `openai`?

        error[out_of_range]: `timeout` is `0`, not above 0 and up to 604800 seconds
         --> config.yaml:9:16
          |
        9 |       timeout: 0
          |                ^
          |
          = help: leave it out for the default

        error[wrong_type]: `rpm` is `many`; a whole number is expected
          --> config.yaml:10:12
           |
        10 |       rpm: many
           |            ^^^^

        error[out_of_range]: `input_cost_per_token` is `-0.1`: a price is never negative
          --> config.yaml:11:29
           |
        11 |       input_cost_per_token: -0.1
           |                             ^^^^

        warning[key_unknown]: `temprature` is no parameter, so it is sent as a field of the body
          --> config.yaml:12:7
           |
        12 |       temprature: 0.5
           |       ^^^^^^^^^^
           |
           = help: did you mean `temperature`?

        error[duplicate_key]: `timeout` is given twice in one mapping
          --> config.yaml:13:7
           |
        13 |       timeout: 5
           |       ^^^^^^^
           |
           = help: it is first given on line 9

        error[field_missing]: `model_name` is missing
          --> config.yaml:14:5
           |
        14 |   - litellm_params:
           |     ^^^^^^^^^^^^^^^

        error[base_url_missing]: provider `azure` has no base URL of its own
          --> config.yaml:15:14
           |
        15 |       model: azure/mine
           |              ^^^^^^^^^^
           |
           = help: set `api_base`, or the variable `AZURE_API_BASE`

        error[wildcard]: `openai/*` has more `*` than the model name `wild`
          --> config.yaml:18:29
           |
        18 |     litellm_params: {model: openai/*, api_key: ***********************
           |                             ^^^^^^^^
           |
           = help: each `*` takes the text of one in `model_name`

        error[wrong_type]: `api_key` is a list; text is expected
          --> config.yaml:18:48
           |
        18 |     litellm_params: {model: openai/*, api_key: ***********************
           |                                                ^^^^^^^^^^^^^^^^^^^^^^

        warning[malformed]: the master key does not start with `sk-`, as every key must
          --> config.yaml:20:3
           |
        20 |   master_key: *****************
           |   ^^^^^^^^^^
           |
           = help: put `sk-` before it and tell its users

        warning[key_unknown]: `databse_url` is not a key of `general_settings`
          --> config.yaml:21:3
           |
        21 |   databse_url: postgres://**********************@host/db
           |   ^^^^^^^^^^^
           |
           = help: did you mean `database_url`?

        warning[no_effect]: `alerting` in `general_settings` has no effect yet
          --> config.yaml:22:3
           |
        22 |   alerting: [slack]
           |   ^^^^^^^^

        error[out_of_range]: there is no strategy `least-bussy`
          --> config.yaml:24:21
           |
        24 |   routing_strategy: least-bussy
           |                     ^^^^^^^^^^^
           |
           = help: did you mean `least-busy`?

        error[model_unknown]: the alias `gpt` stands for `chatt`, which no model is called
          --> config.yaml:25:28
           |
        25 |   model_group_alias: {gpt: chatt}
           |                            ^^^^^
           |
           = help: did you mean `chat`?"#]]
    .assert_eq(&shown);
}

#[test]
fn the_example_compiles_without_any_key() {
    let simulator = [("TOLLGATE_SIMULATOR_URL", "http://127.0.0.1:4010/v1")];
    let compiled = compiled(EXAMPLE, &simulator).expect("the example is right");
    let names: Vec<&str> = compiled.snapshot.names().map(ModelName::as_str).collect();
    assert_eq!(names, ["default", "simulated"]);
    assert!(compiled.warnings.iter().all(|finding| finding.severity == Severity::Note));
    let simulated = compiled.snapshot.resolve("default").expect("the simulated model");
    assert!(simulated.deployments[0].prices.is_some());
}

#[test]
fn the_example_has_every_vendor_once_its_key_is_there() {
    let variables = [
        ("OPENAI_API_KEY", "k"),
        ("AZURE_API_KEY", "k"),
        ("AZURE_API_BASE", "https://mine.test"),
        ("OPENROUTER_API_KEY", "k"),
        ("DEEPSEEK_API_KEY", "k"),
        ("GROQ_API_KEY", "k"),
        ("MISTRAL_API_KEY", "k"),
        ("TOGETHER_API_KEY", "k"),
        ("OLLAMA_API_BASE", "http://localhost:11434"),
        ("HOSTED_VLLM_API_BASE", "http://localhost:8000/v1"),
        ("TOLLGATE_SIMULATOR_URL", "http://127.0.0.1:4010/v1"),
    ];
    let compiled = compiled(EXAMPLE, &variables).expect("the example is right");
    assert_eq!(compiled.warnings, []);
    let snapshot = compiled.snapshot;
    for name in ["fast", "smart", "deepseek-chat", "mistral-small", "llama", "qwen", "simulated"] {
        let resolved = snapshot.resolve(name).expect(name);
        assert!(resolved.deployments.iter().all(|d| d.prices.is_some()), "{name} has a price");
    }
    for name in ["openai/o3", "gpt-4o", "openrouter/anthropic/x", "groq/x", "together_ai/a/b"] {
        assert!(snapshot.resolve(name).is_some(), "{name}");
    }
    assert_eq!(snapshot.resolve("smart").map(|resolved| resolved.deployments.len()), Some(2));
}

#[test]
fn what_is_no_configuration_at_all_is_one_finding() {
    let cases = [
        ("", code::FIELD_MISSING),
        ("# nothing\n", code::FIELD_MISSING),
        ("null", code::FIELD_MISSING),
        ("[]", code::WRONG_TYPE),
        ("text", code::WRONG_TYPE),
        ("general_settings: {}", code::FIELD_MISSING),
        ("a: [", code::YAML_SYNTAX),
    ];
    for (text, code) in cases {
        let findings = compiled(text, &[]).expect_err(text);
        assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), [code], "{text:?}");
    }
}

#[test]
fn environment_variables_of_the_file_go_before_the_process() {
    let text = "environment_variables: {OPENAI_API_KEY: sk-file, \
        COPY: os.environ/OUTER, FLAG: true}\n\
        model_list:\n  - {model_name: a, litellm_params: {model: openai/x}}\n  \
        - {model_name: b, litellm_params: {model: openai/x, api_key: os.environ/COPY}}\n  \
        - {model_name: c, litellm_params: {model: openai/x, api_key: os.environ/FLAG}}\n";
    let compiled =
        compiled(text, &[("OPENAI_API_KEY", "sk-env"), ("OUTER", "sk-outer")]).expect("compiles");
    for (name, key) in [("a", "sk-file"), ("b", "sk-outer"), ("c", "True")] {
        let resolved = compiled.snapshot.resolve(name).expect(name);
        let found = resolved.deployments[0].key.as_ref().map(tollgate_domain::Secret::expose);
        assert_eq!(found, Some(key), "{name}");
    }
}

#[test]
fn keys_without_effect_and_unknown_keys_are_warnings() {
    let base = "model_list: [{model_name: a, litellm_params: {model: openai/x}}]\n";
    let cases = [
        ("litellm_settings: {cache: true}", Some((code::NO_EFFECT, None))),
        ("litellm_settings: {cache: false, callbacks: []}", None),
        ("guardrails: [{guardrail_name: x}]", Some((code::NO_EFFECT, None))),
        (
            "router_setings: {timeout: 1}",
            Some((code::KEY_UNKNOWN, Some("did you mean `router_settings`?"))),
        ),
        ("router_settings: {caching_groups: [[a, b]]}", Some((code::NO_EFFECT, None))),
        ("general_settings: {nobody_knows_this_one: 1}", Some((code::KEY_UNKNOWN, None))),
    ];
    for (more, expected) in cases {
        let text = format!("{base}{more}\n");
        let warnings = compiled(&text, &[("OPENAI_API_KEY", "k")]).expect(more).warnings;
        let found: Vec<(&str, Option<&str>)> =
            warnings.iter().map(|warning| (warning.code, warning.help.as_deref())).collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{more}");
    }
}

/// Text that is often nearly a configuration.
fn nearly() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "model_list:",
        "- model_name: ",
        "litellm_params:",
        "model: ",
        "openai/",
        "*",
        "\n",
        "\n  ",
        "\n    ",
        "api_key: ",
        "os.environ/",
        "{",
        "}",
        "[",
        "]",
        ": ",
        ", ",
        "\"",
        "'",
        "&a ",
        "*a",
        "<<: ",
        "- ",
        "# ",
        "\t",
        "é",
        "𝄞",
        "timeout: ",
        "-1",
        "1e9",
        "general_settings:",
        "|",
        "!x ",
        "router_settings:",
        "model_group_alias:",
        "simulated/x",
        "api_base: http://x",
        "---\n",
        "\r\n",
    ]);
    prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
}

fn check(text: &str) {
    let source = Source { name: "config.yaml", text };
    let findings = match compiled(text, &[("OPENAI_API_KEY", "k")]) {
        Ok(compiled) => compiled.warnings,
        Err(findings) => {
            assert!(findings.iter().any(|finding| finding.severity == Severity::Error));
            findings.to_vec()
        }
    };
    let lines = text.split('\n').count();
    for finding in findings {
        assert!(text.get(finding.span.clone()).is_some(), "{finding:?} in {text:?}");
        assert!((1..=lines).contains(&finding.line), "{finding:?} in {text:?}");
        let line = text.split('\n').nth(finding.line - 1).unwrap_or_default();
        assert!(
            (1..=line.chars().count() + 1).contains(&finding.column),
            "{finding:?} in {text:?}"
        );
        assert!(!finding.render(&source).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_text_never_panics_and_is_located_within_the_file(text in "\\PC*|(?s).{0,200}") {
        check(&text);
    }

    #[test]
    fn nearly_a_configuration_never_panics_and_is_located_within_the_file(text in nearly()) {
        check(&text);
    }

    #[test]
    fn a_mutilated_configuration_never_panics(from in 0..BROKEN.len(), length in 0usize..40) {
        let to = (from + length).min(BROKEN.len());
        check(&format!("{}{}", &BROKEN[..from], &BROKEN[to..]));
    }
}
