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
    for model in ["gpt-4o", "gpt-oss-120b", "gemini-3-pro", "claude-instant-1.2", "opus-4-7", ""] {
        assert_eq!(*Capability::of("openai", model), Capability::UNKNOWN, "{model}");
    }
    for platform in ["openai_like", "hosted_vllm", "openrouter"] {
        assert_eq!(*Capability::of(platform, "gpt-5.5"), Capability::UNKNOWN, "{platform}");
    }
}

#[test]
fn a_reasoning_model_takes_what_its_row_says() {
    let of = |model| Capability::of("openai", model);
    for model in ["gpt-5", "gpt-5-mini-2025-08-07", "o3", "o4-mini", "openai/gpt-5", "ft:gpt-5:me"]
    {
        let record = of(model);
        assert!(record.newer_output_limit && record.thinks_by_default, "{model}");
        assert!(!record.takes("temperature", true) && record.takes("temperature", false));
        assert!(!record.takes("presence_penalty", false) && record.takes("seed", true));
        assert_eq!(record.needs_responses, NeedsResponses::Never, "{model}");
    }
    assert!(of("o3").takes("stop", true) && !of("gpt-5").takes("stop", true));
    assert!(!of("o3").takes("verbosity", true) && of("gpt-5").takes("verbosity", true));
    assert_eq!(Capability::of("azure", "gpt-5.1"), of("gpt-5.1"));
    assert!(of("gpt-5-chat-latest").newer_output_limit);
    assert!(of("gpt-5-chat-latest").takes("temperature", true));
}

#[test]
fn every_row_knows_its_default_and_its_efforts() {
    use Effort::{High, Low, Max, Medium, Minimal, None, XHigh};
    for (model, thinks, has, lacks) in [
        ("o1", true, &[Low, Medium, High][..], &[None, Minimal, XHigh][..]),
        ("gpt-5", true, &[Minimal, High], &[None, XHigh]),
        ("gpt-5.1", false, &[None, High], &[XHigh]),
        ("gpt-5.2", false, &[None, XHigh], &[Max]),
        ("gpt-5.4", false, &[None, Minimal, XHigh], &[Max]),
        ("gpt-5.4-mini", false, &[None, XHigh], &[Minimal]),
        ("gpt-5.5", true, &[None, XHigh], &[Minimal]),
        ("gpt-5.5-pro", true, &[Medium, XHigh], &[None, Low]),
        ("gpt-5.6-sol", true, &[None, XHigh], &[Minimal, Max]),
        ("gpt-6.1-sol", true, &[None, Max], &[Minimal]),
        ("gpt-7", true, &[None, Max], &[Minimal]),
    ] {
        let record = Capability::of("openai", model);
        assert_eq!(record.thinks_by_default, thinks, "{model}");
        assert!(has.iter().all(|effort| record.efforts.has(*effort)), "{model}");
        assert!(!lacks.iter().any(|effort| record.efforts.has(*effort)), "{model}");
    }
}

#[test]
fn what_only_the_responses_api_serves_is_known() {
    use NeedsResponses::{Always, Never, WithToolsWhileReasoning};
    for (model, needs) in [
        ("gpt-5", Never),
        ("gpt-5.2", Never),
        ("gpt-5.3-chat-latest", Never),
        ("gpt-5.4", WithToolsWhileReasoning),
        ("gpt-5.5-2026-04-23", WithToolsWhileReasoning),
        ("gpt-6.1-sol", WithToolsWhileReasoning),
        ("gpt-5.5-pro", Always),
        ("gpt-5-pro", Always),
        ("gpt-5.1-codex-max", Always),
        ("codex-mini-latest", Always),
        ("o1-pro", Always),
        ("o3-pro-2025-06-10", Always),
        ("o4-mini-deep-research", Always),
        ("o3", Never),
    ] {
        assert_eq!(Capability::of("openai", model).needs_responses, needs, "{model}");
    }
    let record = Capability::of("openai", "gpt-5.4");
    assert!(!record.needs_responses_for(true, record.thinks(&Reasoning::default())));
    let effort = Reasoning { effort: Some(Effort::Low), ..Reasoning::default() };
    assert!(record.needs_responses_for(true, record.thinks(&effort)));
    assert!(!record.needs_responses_for(false, record.thinks(&effort)));
}

#[test]
fn an_effort_outside_a_set_has_a_nearest_one_in_it() {
    let efforts = Efforts::default().with(Effort::Low).with(Effort::High);
    for (asked, nearest) in [
        (Effort::None, Effort::Low),
        (Effort::Minimal, Effort::Low),
        (Effort::Medium, Effort::Low),
        (Effort::High, Effort::High),
        (Effort::Max, Effort::High),
    ] {
        assert_eq!(efforts.nearest(asked), Some(nearest), "{asked:?}");
    }
    assert_eq!(Efforts::default().nearest(Effort::Low), None);
    assert_eq!(efforts.with(Effort::None).nearest(Effort::Minimal), Some(Effort::Low));
    let off = Efforts::default().with(Effort::None);
    assert_eq!(off.nearest(Effort::High), Some(Effort::None));
}

#[test]
fn efforts_are_a_set() {
    let efforts = Efforts::default().with(Effort::Low).with(Effort::Max);
    assert!(efforts.has(Effort::Low) && efforts.has(Effort::Max) && !efforts.has(Effort::High));
    assert!(Efforts::default().is_empty() && !efforts.is_empty());
    assert!(Efforts::ALL.has(Effort::XHigh));
}
