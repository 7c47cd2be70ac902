//! Chains as files write them.

use tollgate_policy::{ChainKind, Fallbacks};
use tollgate_wire::Catalog;

use crate::diagnostic::code;
use crate::{PriceList, Source, compile};

/// The chains of a file with the models `a`, `b`, `c`, the pattern `w/*` and the alias `short` for
/// `a`, or nothing, and the codes of its findings.
fn chains(text: &str) -> (Option<Fallbacks>, Vec<&'static str>) {
    let params =
        "litellm_params: {model: openai/x, api_base: \"http://127.0.0.1:1/v1\", api_key: k}";
    let named = |name: &str| format!("- {{model_name: \"{name}\", {params}}}\n");
    let models: String = ["a", "b", "c", "w/*"].into_iter().map(named).collect();
    let text = format!("model_list:\n{models}{text}\n");
    let source = Source { name: "config.yaml", text: &text };
    let catalog = Catalog::embedded().expect("a catalog");
    match compile(source, &|_| None, &catalog, &PriceList::embedded()) {
        Ok(compiled) => {
            let codes = compiled.warnings.iter().map(|finding| finding.code).collect();
            (Some(compiled.snapshot.settings.routing.fallbacks.clone()), codes)
        }
        Err(findings) => (None, findings.iter().map(|finding| finding.code).collect()),
    }
}

fn chain(fallbacks: &Fallbacks, kind: ChainKind, names: &[&str]) -> Vec<String> {
    let chain = fallbacks.chain(kind, names);
    chain.into_iter().flat_map(|chain| chain.iter()).map(|name| name.to_string()).collect()
}

#[test]
fn every_way_to_write_a_chain_is_read() {
    for text in [
        "router_settings: {fallbacks: [{a: [b]}]}",
        "router_settings: {fallbacks: {a: [b]}}",
        "router_settings: {fallbacks: {a: b}}",
        "litellm_settings: {fallbacks: [{c: [a], a: [b]}]}",
        "router_settings: {fallbacks: [{a: b}]}\\nlitellm_settings: {fallbacks: [{a: [c]}]}",
        "router_settings: {fallbacks: [{short: [b]}], model_group_alias: {short: a}}",
    ] {
        let (fallbacks, codes) = chains(&text.replace("\\n", "\n"));
        assert_eq!(codes, Vec::<&str>::new(), "{text}");
        let fallbacks = fallbacks.expect(text);
        assert_eq!(chain(&fallbacks, ChainKind::Any, &["a"]), ["b"], "{text}");
    }
}

#[test]
fn kinds_fall_to_the_general_chain_and_that_to_the_default() {
    let (fallbacks, codes) = chains(
        "litellm_settings:\n  fallbacks: [{a: [b]}]\n  context_window_fallbacks: [{a: [w/long]}]\n  \
         default_fallbacks: [c]",
    );
    assert_eq!(codes, Vec::<&str>::new());
    let fallbacks = fallbacks.expect("chains");
    assert_eq!(chain(&fallbacks, ChainKind::ContextWindow, &["a"]), ["w/long"]);
    assert_eq!(chain(&fallbacks, ChainKind::ContentPolicy, &["a"]), ["b"]);
    assert_eq!(chain(&fallbacks, ChainKind::Any, &["b"]), ["c"]);
}

#[test]
fn what_is_wrong_with_a_chain_is_said() {
    for (text, code, refuses) in [
        ("router_settings: {fallbacks: [{a: [bb]}]}", code::MODEL_UNKNOWN, true),
        ("router_settings: {fallbacks: [{aa: [b]}]}", code::MODEL_UNKNOWN, true),
        ("router_settings: {default_fallbacks: [x]}", code::MODEL_UNKNOWN, true),
        ("router_settings: {fallbacks: [{a: [a, b]}]}", code::CONFLICT, false),
        ("router_settings: {fallbacks: [{a: [b, b]}]}", code::CONFLICT, false),
        ("router_settings: {fallbacks: [{a: [b]}, {a: [c]}]}", code::CONFLICT, false),
        ("router_settings: {fallbacks: [{a: [b]}, {b: [a]}]}", code::CONFLICT, false),
        ("router_settings: {fallbacks: [a]}", code::WRONG_TYPE, true),
        ("router_settings: {fallbacks: 3}", code::WRONG_TYPE, true),
        ("router_settings: {fallbacks: [{a: {b: c}}]}", code::WRONG_TYPE, true),
    ] {
        let (fallbacks, codes) = chains(text);
        assert_eq!(codes, [code], "{text}");
        assert_eq!(fallbacks.is_none(), refuses, "{text}");
    }
}
