//! What each quirk makes of a body.

use bytes::Bytes;

use super::{OutputLimit, Quirks};
use crate::json::{Object, Splice};

/// The body `{…}` of these members after the quirks of a provider file.
fn applied(quirks: &str, members: &str) -> String {
    let quirks: Quirks = toml::from_str(quirks).unwrap_or_else(|e| panic!("{quirks}: {e}"));
    let body = Bytes::from(format!("{{{members}}}"));
    let mut splice = Splice::new(&body, &Object::scan(&body).expect(members));
    quirks.apply(&mut splice);
    let out = String::from_utf8(splice.finish().to_vec()).expect("UTF-8");
    let inner = out.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.expect("an object").to_owned()
}

fn check(quirks: &str, cases: &[(&str, &str)]) {
    for (sent, wanted) in cases {
        assert_eq!(applied(quirks, sent), *wanted, "{quirks}: {sent}");
    }
}

#[test]
fn without_quirks_nothing_changes() {
    let sent = r#""max_tokens":1,"max_completion_tokens":2,"tool_choice":"x","store":null"#;
    check("", &[(sent, sent)]);
    assert_eq!(Quirks::default().output_limit, OutputLimit::AsSent);
}

#[test]
fn the_limit_has_the_providers_name_and_never_both() {
    check(
        r#"output_limit = "max_tokens""#,
        &[
            (r#""max_completion_tokens":5"#, r#""max_tokens":5"#),
            (r#""max_completion_tokens":5,"max_tokens":3"#, r#""max_tokens":3"#),
            (r#""max_completion_tokens":5,"max_tokens":null"#, r#""max_tokens":5"#),
            (r#""max_tokens":3"#, r#""max_tokens":3"#),
            (r#""max_completion_tokens":null"#, r#""max_completion_tokens":null"#),
        ],
    );
    check(
        r#"output_limit = "max_completion_tokens""#,
        &[(r#""max_tokens":5"#, r#""max_completion_tokens":5"#)],
    );
}

#[test]
fn a_renamed_field_never_stands_beside_the_providers_own() {
    check(
        r#"rename_fields = { seed = "random_seed" }"#,
        &[
            (r#""seed":7"#, r#""random_seed":7"#),
            (r#""seed":7,"random_seed":8"#, r#""random_seed":8"#),
            (r#""random_seed":8"#, r#""random_seed":8"#),
        ],
    );
}

#[test]
fn a_field_is_dropped_only_beside_the_other() {
    check(
        r#"drop_beside = [{ beside = "reasoning_effort", fields = ["stop", "n"] }]"#,
        &[
            (r#""stop":"a","n":2,"reasoning_effort":"low""#, r#""reasoning_effort":"low""#),
            (r#""stop":"a","n":2"#, r#""stop":"a","n":2"#),
            (r#""stop":"a","reasoning_effort":null"#, r#""stop":"a","reasoning_effort":null"#),
        ],
    );
}

#[test]
fn a_number_outside_the_range_becomes_its_end() {
    check(
        "clamp_fields = { temperature = [0.01, 1] }",
        &[
            (r#""temperature":0"#, r#""temperature":0.01"#),
            (r#""temperature":-1e400"#, r#""temperature":0.01"#),
            (r#""temperature":1.2"#, r#""temperature":1"#),
            (r#""temperature":1.00"#, r#""temperature":1.00"#),
            (r#""temperature":"2""#, r#""temperature":"2""#),
            (r#""temperature":null"#, r#""temperature":null"#),
            (r#""top_p":7"#, r#""top_p":7"#),
        ],
    );
}

#[test]
fn a_choice_of_tools_gets_the_providers_word_or_goes() {
    let named = r#""tool_choice":{"type":"function","function":{"name":"f"}}"#;
    check(
        r#"tool_choice = { rename = { required = "any" } }"#,
        &[
            (r#""tool_choice":"required""#, r#""tool_choice":"any""#),
            (r#""tool_choice":"auto""#, r#""tool_choice":"auto""#),
            (named, named),
        ],
    );
    check(
        r#"tool_choice = { only = ["auto", "none"] }"#,
        &[
            (r#""tool_choice":"none""#, r#""tool_choice":"none""#),
            (r#""tool_choice":"required","n":1"#, r#""n":1"#),
            (r#""tool_choice":7,"n":1"#, r#""n":1"#),
            (r#""n":1"#, r#""n":1"#),
        ],
    );
    assert_eq!(applied(r#"tool_choice = { only = ["auto"] }"#, named), "");
    check(
        r#"tool_choice = { rename = { required = "auto" }, only = ["auto"] }"#,
        &[(r#""tool_choice":"required""#, r#""tool_choice":"auto""#)],
    );
}

#[test]
fn a_set_field_is_set_whatever_the_client_sent() {
    check(
        r#"set_fields = { store = "false" }"#,
        &[(r#""store":true"#, r#""store":false"#), (r#""n":1"#, r#""n":1,"store":false"#)],
    );
}

#[test]
fn every_switch_of_the_catalog_holds_json_and_known_efforts() {
    use crate::conversation::Effort;

    let catalog = crate::provider::Catalog::embedded().expect("the catalog");
    let mut switches = 0;
    for provider in catalog.iter() {
        let Some(switch) = &provider.quirks.thinking else { continue };
        switches += 1;
        for raw in [&switch.enabled, &switch.disabled] {
            let read: Result<serde_json::Value, _> = serde_json::from_str(raw);
            assert!(read.is_ok(), "{}: {raw}", provider.name);
        }
        assert_ne!(switch.enabled, switch.disabled, "{}", provider.name);
        let known = |word: &str| Effort::named(word).is_some();
        assert!(switch.efforts.iter().all(|(from, to)| known(from) && known(to)));
        // Turns that must come back with their reasoning need a place for it.
        assert!(!switch.needs_past || provider.quirks.reasoning_back.is_some());
    }
    assert!(switches >= 6);
}
