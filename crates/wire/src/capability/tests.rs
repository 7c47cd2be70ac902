//! One model has one record, whatever name it is called by.

use super::*;

#[test]
fn a_model_has_one_record_under_all_its_ids() {
    let plain = Capability::of("anthropic", "claude-opus-4-7");
    for id in [
        "us.anthropic.claude-opus-4-7",
        "anthropic.claude-opus-4-7-v1:0",
        "global.anthropic.claude-opus-4-7-20260416-v1:0",
        "anthropic/claude-opus-4.7",
        "databricks-claude-opus-4-7",
        "claude-opus-4-7@20260416",
        "Claude-Opus-4-7[1m]",
        "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-7",
    ] {
        assert_eq!(Capability::of("anthropic", id), plain, "{id}");
    }
    assert!(plain.thinking_adaptive && plain.thinking_disabled && !plain.thinking_budget);
    assert!(!plain.thinks_by_default && !plain.sampling && !plain.system_anywhere);
}

#[test]
fn a_platform_that_keeps_no_schema_differs_in_that_alone() {
    let first_party = Capability::of("anthropic", "claude-opus-4-7");
    let elsewhere = Capability::of("bedrock", "us.anthropic.claude-opus-4-7");
    assert!(first_party.native_structured_output && !elsewhere.native_structured_output);
    assert_eq!(Capability { native_structured_output: true, ..elsewhere.clone() }, *first_party);
}

#[test]
fn an_unknown_newer_version_has_the_strictest_record_of_its_family() {
    for (unknown, strictest) in [
        ("claude-opus-6", "claude-opus-5-5"),
        ("claude-opus-5-2", "claude-opus-5-5"),
        ("claude-sonnet-7-1", "claude-sonnet-5-5"),
        ("claude-fable-5-3", "claude-fable-5-1"),
        ("claude-haiku-4-7", "claude-haiku-5-5"),
        ("claude-opus", "claude-opus-5-5"),
    ] {
        let record = Capability::of("anthropic", unknown);
        assert_eq!(record, Capability::of("anthropic", strictest), "{unknown}");
        assert_ne!(*record, Capability::UNKNOWN, "{unknown}");
    }
    assert!(!Capability::of("anthropic", "claude-opus-6").forced_tool);
}

#[test]
fn of_other_models_nothing_is_known() {
    for model in ["gpt-5.5", "gemini-3-pro", "claude-instant-1.2", "opus-4-7", ""] {
        assert_eq!(*Capability::of("openai", model), Capability::UNKNOWN, "{model}");
    }
}

#[test]
fn efforts_are_a_set() {
    let efforts = Efforts::default().with(Effort::Low).with(Effort::Max);
    assert!(efforts.has(Effort::Low) && efforts.has(Effort::Max) && !efforts.has(Effort::High));
    assert!(Efforts::default().is_empty() && !efforts.is_empty());
    assert!(Efforts::ALL.has(Effort::XHigh));
}
