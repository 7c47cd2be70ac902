//! Routing as files write it.

use std::time::Duration;

use tollgate_policy::{Exception, Strategy, TagMatch};
use tollgate_wire::Catalog;

use crate::diagnostic::code;
use crate::{PriceList, Snapshot, Source, compile};

fn snapshot(text: &str) -> Snapshot {
    let source = Source { name: "config.yaml", text };
    let catalog = Catalog::embedded().expect("a catalog");
    let compiled = compile(source, &|_| None, &catalog, &PriceList::embedded());
    let compiled = compiled.expect("a configuration");
    let codes: Vec<_> = compiled.warnings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, Vec::<&str>::new());
    compiled.snapshot
}

#[test]
fn the_router_is_read_and_a_deployment_says_what_it_has_different() {
    let snapshot = snapshot(
        "model_list:\n\
         - {model_name: m, litellm_params: {model: openai/x, api_base: \"http://h.test/v1\", \
            api_key: k, cooldown_time: 0, tags: [free, eu]}, model_info: {allowed_fails: 9, \
            allowed_fails_policy: {TimeoutErrorAllowedFails: 8}}}\n\
         - {model_name: m, litellm_params: {model: openai/y, api_base: \"http://h.test/v1\", \
            api_key: k}}\n\
         router_settings:\n  routing_strategy: usage-based-routing\n  num_retries: 4\n  \
         retry_after: 0.5\n  retry_policy: {TimeoutErrorRetries: 1}\n  \
         model_group_retry_policy: {m: {RateLimitErrorRetries: 7}}\n  allowed_fails: 2\n  \
         allowed_fails_policy: {RateLimitErrorAllowedFails: 3}\n  cooldown_time: 30\n  \
         enable_tag_filtering: true\n  tag_filtering_match_any: false\n  max_fallbacks: 2\n  \
         enable_pre_call_checks: true",
    );
    let routing = &snapshot.settings.routing;
    assert_eq!(routing.strategy, Strategy::UsageBased);
    assert_eq!(routing.retries.num_retries, 4);
    assert_eq!(routing.retries.wait_min, Duration::from_millis(500));
    assert_eq!(routing.retries.policy.get(Exception::Timeout), Some(1));
    let of_group = routing.retries_of.get("m").expect("a policy");
    assert_eq!(of_group.get(Exception::RateLimit), Some(7));
    assert_eq!(of_group.get(Exception::Timeout), Some(1));
    assert_eq!((routing.tags, routing.journey.fallbacks_max), (Some(TagMatch::All), 2));
    assert!(routing.checks_first && routing.health.cools);
    let deployments = &snapshot.groups.values().next().expect("a group").deployments;
    let [own, plain] = &**deployments else { panic!("two deployments") };
    assert_eq!(&*own.tags, ["free".into(), "eu".into()]);
    assert_eq!((own.health.cooldown, own.health.allowed_fails), (Duration::ZERO, Some(9)));
    let policy = own.health.allowed_fails_policy;
    assert_eq!(policy.get(Exception::Timeout), Some(8));
    assert_eq!(policy.get(Exception::RateLimit), Some(3));
    assert_eq!(plain.health, routing.health);
    assert_eq!(plain.health.cooldown, Duration::from_secs(30));
}

#[test]
fn nothing_said_is_what_litellm_has() {
    let snapshot = snapshot(
        "model_list: [{model_name: m, litellm_params: {model: openai/x, \
         api_base: \"http://h.test/v1\", api_key: k}}]",
    );
    let routing = &snapshot.settings.routing;
    assert_eq!((routing.strategy, routing.retries.num_retries), (Strategy::SimpleShuffle, 2));
    assert_eq!((routing.health.cooldown, routing.tags), (Duration::from_secs(5), None));
    assert!(routing.fallbacks.is_empty() && !routing.checks_first);
}

#[test]
fn what_makes_no_sense_is_said() {
    let model = "model_list: [{model_name: m, litellm_params: {model: openai/x, api_key: k}}]\n";
    for (text, code) in [
        ("{max_fallbacks: 33}", code::OUT_OF_RANGE),
        ("{allowed_fails: many}", code::WRONG_TYPE),
        ("{cooldown_time: -1}", code::OUT_OF_RANGE),
        ("{retry_policy: {TimeoutRetries: 1}}", code::KEY_UNKNOWN),
        ("{retry_policy: 3}", code::WRONG_TYPE),
        ("{model_group_retry_policy: {m: [1]}}", code::WRONG_TYPE),
        ("{retry_after: .inf}", code::WRONG_TYPE),
    ] {
        let text = format!("{model}router_settings: {text}");
        let source = Source { name: "config.yaml", text: &text };
        let catalog = Catalog::embedded().expect("a catalog");
        let codes = match compile(source, &|_| None, &catalog, &PriceList::embedded()) {
            Ok(compiled) => compiled.warnings.iter().map(|finding| finding.code).collect(),
            Err(findings) => findings.iter().map(|finding| finding.code).collect::<Vec<_>>(),
        };
        assert_eq!(codes, [code], "{text}");
    }
}
