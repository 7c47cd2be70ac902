//! Settings, their defaults and their limits.

use super::*;
use crate::deployment::Forwards;
use crate::timeouts::SharedTimeouts;
use tollgate_policy::AddressRange;

/// The settings of the three sections as one YAML text, and the codes of the findings.
pub(super) fn settings(
    text: &str,
    variables: &[(&str, &str)],
) -> (Settings, Shared, Vec<&'static str>) {
    let (root, findings) = crate::yaml::read(text);
    let root = root.map_or(Value::Null, |root| root.value);
    let empty = crate::yaml::Mapping::default();
    let section = |name: &'static str| match &root {
        Value::Map(map) => map.find(name).map(|entry| &entry.node.value),
        _ => None,
    };
    let mapping = |name| match section(name) {
        Some(Value::Map(mapping)) => Section::new(name, mapping),
        _ => Section::new(name, &empty),
    };
    let find = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let mut reader = Reader::new(Environment::new(&find));
    reader.findings = findings;
    let mut sections = Sections {
        general: mapping("general_settings"),
        litellm: mapping("litellm_settings"),
        router: mapping("router_settings"),
    };
    let (settings, shared) = read(&mut reader, &mut sections);
    (settings, shared, reader.findings.iter().map(|finding| finding.code).collect())
}

fn clean(text: &str, variables: &[(&str, &str)]) -> (Settings, Shared) {
    let (settings, shared, codes) = settings(text, variables);
    assert!(codes.is_empty(), "{codes:?}");
    (settings, shared)
}

fn exposed(secret: Option<&Secret>) -> Option<&str> {
    secret.map(Secret::expose)
}

#[test]
fn an_empty_file_has_the_defaults() {
    let (settings, shared) = clean("", &[]);
    assert_eq!(settings.routing.retries.num_retries, 2);
    assert_eq!(settings.request_bytes_max, 100 * 1024 * 1024);
    assert_eq!(settings.unpriced_models, UnpricedModels::Block);
    assert_eq!(settings.on_store_failure, StoreFailure::Closed);
    assert_eq!((settings.always_include_stream_usage, settings.clamp_max_tokens), (None, false));
    assert_eq!((settings.docs_base.as_str(), settings.master_key.is_none()), ("", true));
    assert_eq!(shared.drop_params, None);
}

#[test]
fn an_answer_without_its_structure_is_refused_unless_the_file_says_otherwise() {
    let set = |text: &str| format!("litellm_settings: {{structured_output: {{on_miss: {text}}}}}");
    for (text, miss) in [
        (String::new(), StructureMiss::Refuse),
        (set("refuse"), StructureMiss::Refuse),
        (set("passthrough"), StructureMiss::Passthrough),
    ] {
        assert_eq!(clean(&text, &[]).0.on_structure_miss, miss, "{text}");
    }
    let (settings, _, codes) = settings(&set("ignore"), &[]);
    assert_eq!(
        (settings.on_structure_miss, codes),
        (StructureMiss::Refuse, vec![code::OUT_OF_RANGE])
    );
}

#[test]
fn reasoning_is_remembered_within_the_limits_of_the_file() {
    let set = |text: &str| format!("general_settings: {{reasoning_memory: {{{text}}}}}");
    let of = |mb: usize, hours: u64| ReasoningMemory {
        bytes_max: mb * 1024 * 1024,
        age_max: Duration::from_secs(hours * 3600),
    };
    for (text, memory) in [
        (String::new(), of(64, 24)),
        (set("max_size_mb: 8, max_age: 30h"), of(8, 30)),
        (set("max_size_mb: 0"), of(0, 24)),
    ] {
        assert_eq!(clean(&text, &[]).0.reasoning_memory, memory, "{text}");
    }
    let (settings, _, codes) = settings(&set("max_age: soon, size: 1"), &[]);
    assert_eq!(settings.reasoning_memory, of(64, 24));
    assert_eq!(codes, [code::OUT_OF_RANGE, code::KEY_UNKNOWN]);
}

#[test]
fn media_are_fetched_unless_the_file_says_otherwise() {
    let of = |enabled, hosts: &[&str]| FetchMedia {
        enabled,
        allowed_hosts: hosts.iter().map(|host| (*host).into()).collect(),
    };
    for (text, fetch) in [
        ("", of(true, &[])),
        ("general_settings: {fetch_media: {enabled: false}}", of(false, &[])),
        ("general_settings: {fetch_media: {allowed_hosts: [CDN.corp]}}", of(true, &["cdn.corp"])),
    ] {
        assert_eq!(clean(text, &[]).0.fetch_media, fetch, "{text}");
    }
}

#[test]
fn forwarded_addresses_are_believed_of_listed_proxies_only() {
    let set = |text: &str| format!("general_settings: {{{text}}}");
    let both = "use_x_forwarded_for: true, trusted_proxy_ranges: [10.0.0.0/8, 'fd00::1']";
    let (of_file, _) = clean(&set(both), &[]);
    let ranges = ["10.0.0.0/8", "fd00::1"].map(|text| AddressRange::parse(text).expect("a range"));
    assert_eq!(of_file.trusted_proxies, TrustedProxies::new(ranges.to_vec()));
    for (text, codes) in [
        ("", vec![]),
        ("use_x_forwarded_for: false", vec![]),
        ("trusted_proxy_ranges: []", vec![]),
        ("use_x_forwarded_for: true", vec![code::NO_EFFECT]),
        ("use_x_forwarded_for: true, trusted_proxy_ranges: []", vec![code::NO_EFFECT]),
        ("trusted_proxy_ranges: [10.0.0.0/8]", vec![code::NO_EFFECT]),
    ] {
        let (settings, _, found) = settings(&set(text), &[]);
        assert_eq!(found, codes, "{text}");
        assert_eq!(settings.trusted_proxies, TrustedProxies::default(), "{text}");
    }
    let wrong = "use_x_forwarded_for: true, trusted_proxy_ranges: [10.0.0.0/8, proxy.test]";
    assert_eq!(settings(&set(wrong), &[]).2, [code::OUT_OF_RANGE]);
}

#[test]
fn kept_answers_live_for_a_month_unless_the_file_says_otherwise() {
    let hours = |count: u64| Duration::from_secs(count * 3600);
    for (text, kept) in [
        ("", hours(30 * 24)),
        ("general_settings: {responses_retention: 36h}", hours(36)),
        ("general_settings: {responses_retention: 2w}", hours(14 * 24)),
        ("general_settings: {responses_retention: 0}", hours(0)),
        ("general_settings: {responses_retention: '0'}", hours(0)),
    ] {
        assert_eq!(clean(text, &[]).0.responses_retention, kept, "{text}");
    }
    for wrong in ["30", "0d", "-1d", "forever"] {
        let text = format!("general_settings: {{responses_retention: {wrong}}}");
        let (settings, _, codes) = settings(&text, &[]);
        assert_eq!(codes, [code::OUT_OF_RANGE], "{wrong}");
        assert_eq!(settings.responses_retention, hours(30 * 24), "{wrong}");
    }
}

#[test]
fn unbounded_calls_are_blocked_or_hold_what_the_file_says() {
    let text = |value: &str| format!("general_settings: {{budget: {{unbounded_calls: {value}}}}}");
    let reserve = |nanos| UnboundedCalls::Reserve(Money::from_nanos(nanos));
    assert_eq!(clean("", &[]).0.unbounded_calls, UnboundedCalls::Block);
    let cases = [
        ("block", UnboundedCalls::Block),
        ("'reserve:0.25'", reserve(250_000_000)),
        ("'reserve: 1e-3'", reserve(1_000_000)),
        ("'reserve:0'", reserve(0)),
    ];
    for (value, expected) in cases {
        assert_eq!(clean(&text(value), &[]).0.unbounded_calls, expected, "{value}");
    }
    for wrong in
        ["allow", "'reserve:-1'", "'reserve:NaN'", "'reserve:inf'", "'reserve:1e400'", "'reserve:'"]
    {
        let (settings, _, codes) = settings(&text(wrong), &[]);
        let found = (codes, settings.unbounded_calls);
        assert_eq!(found, (vec![code::OUT_OF_RANGE], UnboundedCalls::Block), "{wrong}");
    }
}

#[test]
fn entries_are_kept_for_ever_unless_the_file_says_otherwise() {
    let days = |count: u64| Some(Duration::from_secs(count * 24 * 3600));
    let text =
        |kept: &str| format!("general_settings: {{maximum_spend_logs_retention_period: {kept}}}");
    assert_eq!(clean("", &[]).0.entries_kept, None);
    for (kept, expected) in [("30d", days(30)), ("24h", days(1)), ("3mo", days(90))] {
        assert_eq!(clean(&text(kept), &[]).0.entries_kept, expected, "{kept}");
    }
    for wrong in ["23h", "0d", "30", "soon"] {
        let (settings, _, codes) = settings(&text(wrong), &[]);
        assert_eq!((codes, settings.entries_kept), (vec![code::OUT_OF_RANGE], None), "{wrong}");
    }
}

#[test]
fn the_file_goes_before_the_environment_and_ours_before_litellms() {
    let file = "general_settings: {master_key: sk-file, database_url: os.environ/OTHER}";
    let env = [
        ("LITELLM_MASTER_KEY", "sk-litellm"),
        ("TOLLGATE_MASTER_KEY", "sk-ours"),
        ("DATABASE_URL", "postgres://env"),
        ("OTHER", "postgres://other"),
    ];
    let (settings, _) = clean(file, &env);
    assert_eq!(exposed(settings.master_key.as_ref()), Some("sk-file"));
    assert_eq!(exposed(settings.database_url.as_ref()), Some("postgres://other"));
    let (settings, _) = clean("", &env);
    assert_eq!(exposed(settings.master_key.as_ref()), Some("sk-ours"));
    assert_eq!(exposed(settings.database_url.as_ref()), Some("postgres://env"));
    let (settings, _) = clean("", &env[..1]);
    assert_eq!(exposed(settings.master_key.as_ref()), Some("sk-litellm"));
}

#[test]
fn the_redis_of_many_nodes_is_named_by_the_file_or_the_environment() {
    let env = [
        ("REDIS_HOST", "cache.test"),
        ("REDIS_PORT", "7000"),
        ("REDIS_PASSWORD", "p@ss/ü"),
        ("REDIS_URL", "rediss://url.test/2"),
    ];
    let router = "router_settings: {redis_host: a.test, redis_port: '1', redis_password: x}";
    let own =
        "general_settings: {coordination_redis: {host: '::1', password: os.environ/REDIS_PORT}}";
    let cases = [
        ("", &env[..0], None),
        ("", &env[..1], Some("redis://cache.test:6379")),
        ("", &env[..3], Some("redis://:p%40ss%2F%C3%BC@cache.test:7000")),
        ("", &env[..], Some("rediss://url.test/2")),
        (router, &env[..], Some("redis://:x@a.test:1")),
        (
            "router_settings: {redis_url: 'redis+unix:///run/r.sock'}",
            &[],
            Some("redis+unix:///run/r.sock"),
        ),
        (own, &env[..], Some("redis://:7000@[::1]:6379")),
    ];
    for (text, variables, url) in cases {
        assert_eq!(exposed(clean(text, variables).0.redis_url.as_ref()), url, "{text}");
    }
    let cache = "litellm_settings: {cache_params: {type: redis, host: c.test, port: 2, ttl: 60}}";
    let (settings, _, codes) = settings(cache, &env);
    assert_eq!(exposed(settings.redis_url.as_ref()), Some("redis://c.test:2"));
    assert_eq!(codes, [] as [&str; 0], "whoever reads the cache answers for its keys");
}

#[test]
fn the_routers_retries_go_before_those_of_litellm_settings() {
    let cases = [
        ("litellm_settings: {num_retries: 5}", 5),
        ("router_settings: {num_retries: 0}\nlitellm_settings: {num_retries: 5}", 0),
        ("router_settings: {num_retries: '7'}", 7),
    ];
    for (text, retries) in cases {
        assert_eq!(clean(text, &[]).0.routing.retries.num_retries, retries, "{text}");
    }
}

#[test]
fn what_the_file_says_of_parameters_wins_over_the_environment() {
    let dropping = [("LITELLM_DROP_PARAMS", "True"), ("LITELLM_MODIFY_PARAMS", "1")];
    let shared = |text: &str, variables: &[(&str, &str)]| {
        let shared = clean(text, variables).1;
        (shared.drop_params, shared.modify_params)
    };
    assert_eq!(shared("{}", &dropping), (Some(true), Some(true)));
    let own = "litellm_settings: {drop_params: false}";
    assert_eq!(shared(own, &dropping), (Some(false), Some(true)));
    assert_eq!(shared("{}", &[("LITELLM_DROP_PARAMS", "perhaps")]), (None, None));
}

#[test]
fn what_of_clients_headers_goes_on_is_off_until_it_is_asked_for() {
    assert_eq!(clean("{}", &[]).1.forwards, Forwards::default());
    let text = "general_settings: {forward_llm_provider_auth_headers: true}\n\
        litellm_settings: {model_group_settings: {forward_client_headers_to_llm_api: ['a/*', b]}}";
    let shared = clean(text, &[]).1;
    let forwards = Forwards { keys: true, tokens: true, ..Forwards::default() };
    assert_eq!(shared.forwards, forwards);
    assert_eq!(shared.forwarding_groups, ["a/*", "b"]);
}

#[test]
fn every_setting_has_its_effect() {
    let text = "general_settings:\n  max_request_size_mb: 2\n  max_response_size_mb: 3\n  \
        global_max_parallel_requests: 9\n  always_include_stream_usage: yes\n  \
        litellm_key_header_name: X-Key\n  unpriced_models: assume:0.00001\n  \
        spool_max_entries: 70\n  \
        budget: {on_store_failure: local_slice, clamp_max_tokens: true}\n\
        litellm_settings: {drop_params: false, request_timeout: 50}\n\
        router_settings: {timeout: 1.5, stream_timeout: '2', total_timeout: 3, \
        routing_strategy: simple-shuffle}\n";
    let (settings, shared) = clean(text, &[]);
    assert_eq!(settings.request_bytes_max, 2 << 20);
    assert_eq!(settings.response_bytes_max, 3 << 20);
    assert_eq!(settings.calls_in_flight_max, 9);
    assert_eq!(settings.spool_rows_max, 70);
    assert_eq!(settings.always_include_stream_usage, Some(true));
    assert_eq!(settings.key_header.as_deref(), Some("X-Key"));
    assert_eq!(settings.unpriced_models, UnpricedModels::Assume(Price::from_picos(10_000_000)));
    assert_eq!(settings.on_store_failure, StoreFailure::LocalSlice);
    assert!(settings.clamp_max_tokens);
    assert_eq!(shared.drop_params, Some(false));
    let timeouts = SharedTimeouts {
        timeout: Some(Duration::from_millis(1500)),
        stream_timeout: Some(Duration::from_secs(2)),
        total_timeout: Some(Duration::from_secs(3)),
        request_timeout: Some(Duration::from_secs(50)),
    };
    assert_eq!(shared.timeouts, timeouts);
}

#[test]
fn the_fair_queue_has_its_defaults_and_its_settings() {
    use tollgate_policy::FlowBy;
    let default = FairQueueSettings {
        enabled: true,
        places_per_flow_max: 64,
        wait_max: Duration::from_secs(30),
        fairness_key: vec![FlowBy::Key, FlowBy::Team],
    };
    assert_eq!(clean("", &[]).0.fair_queue, default);
    assert_eq!(clean("router_settings: {fair_queue: {}}", &[]).0.fair_queue, default);
    let text = "router_settings:\n  fair_queue:\n    enabled: false\n    max_queue_per_flow: '8'\n    \
        max_queue_wait: 2.5\n    fairness_key: [end_user, ip, team, key]\n";
    let given = FairQueueSettings {
        enabled: false,
        places_per_flow_max: 8,
        wait_max: Duration::from_millis(2500),
        fairness_key: vec![FlowBy::EndUser, FlowBy::Ip, FlowBy::Team, FlowBy::Key],
    };
    assert_eq!(clean(text, &[]).0.fair_queue, given);
    for wrong in ["max_queue_per_flow: 0", "max_queue_wait: 601", "fairness_key: [user]"] {
        let (settings, _, _) =
            settings(&format!("router_settings: {{fair_queue: {{{wrong}}}}}"), &[]);
        assert_eq!(settings.fair_queue, default, "{wrong}");
    }
}

#[test]
fn the_docs_stand_where_the_gateway_is_reached() {
    let cases = [
        (&[("PROXY_BASE_URL", "https://g.test/")][..], "https://g.test"),
        (
            &[("PROXY_BASE_URL", "https://g.test"), ("SERVER_ROOT_PATH", "/ai/")],
            "https://g.test/ai",
        ),
        (&[("SERVER_ROOT_PATH", "/ai")], "/ai"),
    ];
    for (variables, base) in cases {
        assert_eq!(clean("", variables).0.docs_base, base);
    }
}

#[test]
fn a_wrong_setting_is_a_finding() {
    let cases = [
        ("general_settings: {max_request_size_mb: 0}", code::OUT_OF_RANGE),
        ("general_settings: {max_request_size_mb: -1}", code::OUT_OF_RANGE),
        ("general_settings: {max_request_size_mb: 1.5}", code::WRONG_TYPE),
        ("general_settings: {global_max_parallel_requests: 0}", code::OUT_OF_RANGE),
        ("general_settings: {spool_max_entries: 0}", code::OUT_OF_RANGE),
        ("general_settings: {spool_max_entries: 1000001}", code::OUT_OF_RANGE),
        ("general_settings: {spool_max_entries: many}", code::WRONG_TYPE),
        ("general_settings: {unpriced_models: maybe}", code::OUT_OF_RANGE),
        ("general_settings: {unpriced_models: 'assume:-1'}", code::OUT_OF_RANGE),
        ("general_settings: {unpriced_models: no}", code::WRONG_TYPE),
        ("general_settings: {budget: {on_store_failure: open}}", code::OUT_OF_RANGE),
        ("general_settings: {budget: {clamp: true}}", code::KEY_UNKNOWN),
        ("general_settings: {master_key: secret}", code::MALFORMED),
        ("general_settings: {master_key: os.environ/NOT_SET}", code::VARIABLE_UNSET),
        ("general_settings: {always_include_stream_usage: perhaps}", code::WRONG_TYPE),
        ("router_settings: {timeout: 0}", code::OUT_OF_RANGE),
        ("router_settings: {timeout: -5}", code::OUT_OF_RANGE),
        ("router_settings: {timeout: .nan}", code::WRONG_TYPE),
        ("router_settings: {timeout: 1e9}", code::OUT_OF_RANGE),
        ("router_settings: {timeout: [5]}", code::WRONG_TYPE),
        ("router_settings: {num_retries: 101}", code::OUT_OF_RANGE),
        ("router_settings: {redis_url: 'http://redis.test'}", code::OUT_OF_RANGE),
        ("router_settings: {redis_host: r.test, redis_port: 65536}", code::OUT_OF_RANGE),
        ("router_settings: {routing_strategy: lar1}", code::NO_EFFECT),
        ("router_settings: {routing_strategy: simple-shufle}", code::OUT_OF_RANGE),
        ("router_settings: {default_max_parallel_requests: 0}", code::OUT_OF_RANGE),
        ("router_settings: {fair_queue: true}", code::WRONG_TYPE),
        ("router_settings: {fair_queue: {enabled: perhaps}}", code::WRONG_TYPE),
        ("router_settings: {fair_queue: {max_queue_per_flow: 0}}", code::OUT_OF_RANGE),
        ("router_settings: {fair_queue: {max_queue_per_flow: 2049}}", code::OUT_OF_RANGE),
        ("router_settings: {fair_queue: {max_queue_per_flow: 1.5}}", code::WRONG_TYPE),
        ("router_settings: {fair_queue: {max_queue_wait: 0}}", code::OUT_OF_RANGE),
        ("router_settings: {fair_queue: {max_queue_wait: 600.001}}", code::OUT_OF_RANGE),
        ("router_settings: {fair_queue: {fairness_key: key}}", code::WRONG_TYPE),
        ("router_settings: {fair_queue: {fairness_key: []}}", code::OUT_OF_RANGE),
        ("router_settings: {fair_queue: {fairness_key: [key, user]}}", code::OUT_OF_RANGE),
        ("router_settings: {fair_queue: {max_wait: 5}}", code::KEY_UNKNOWN),
        ("litellm_settings: {drop_params: [x]}", code::WRONG_TYPE),
    ];
    for (text, code) in cases {
        assert_eq!(settings(text, &[]).2, [code], "{text}");
    }
}
