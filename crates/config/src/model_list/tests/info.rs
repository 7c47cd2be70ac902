//! What `litellm_params` and `model_info` of an entry may hold.

use super::{codes, one};
use crate::diagnostic::code;

#[test]
fn model_info_is_free_text_but_for_what_is_read() {
    let cases = [
        ("id: ''", None),
        ("description: ours, supports_vision: true, anything: [1]", None),
        ("team_id: t", Some(code::NO_EFFECT)),
        ("reserve_ouput_tokens: 5", Some(code::KEY_UNKNOWN)),
        ("reserve_output_tokens: -5", Some(code::OUT_OF_RANGE)),
        ("mode: [chat]", Some(code::WRONG_TYPE)),
    ];
    for (info, code) in cases {
        let text = one("model: openai/x", &format!("model_info: {{{info}}}"));
        assert_eq!(codes(&text), code.into_iter().collect(), "{info}");
    }
}

#[test]
fn a_wrong_parameter_is_a_finding() {
    let cases = [
        ("api_key: [k]", code::WRONG_TYPE),
        ("organization: [a, b]", code::WRONG_TYPE),
        ("timeout: 0", code::OUT_OF_RANGE),
        ("stream_timeout: -1", code::OUT_OF_RANGE),
        ("idle_timeout: soon", code::WRONG_TYPE),
        ("rpm: -1", code::OUT_OF_RANGE),
        ("weight: -0.1", code::OUT_OF_RANGE),
        ("order: 1.5", code::WRONG_TYPE),
        ("input_cost_per_token: -1", code::OUT_OF_RANGE),
        ("input_cost_per_token: cheap", code::WRONG_TYPE),
        ("input_cost_per_token: 1", code::PRICE_PARTIAL),
        ("extra_headers: {'a b': c}", code::MALFORMED),
        ("extra_headers: {a: \"c\\nd\"}", code::MALFORMED),
        ("extra_headers: [a]", code::WRONG_TYPE),
        ("extra_body: x", code::WRONG_TYPE),
        ("additional_drop_params: seed", code::WRONG_TYPE),
        ("additional_drop_params: ['tools[*']", code::MALFORMED),
        ("api_base: http://a.test, base_url: http://b.test", code::CONFLICT),
        ("max_parallel_requests: 0", code::OUT_OF_RANGE),
        ("max_parallel_requests: many", code::WRONG_TYPE),
        ("input_cost_per_token_priority: 3", code::NO_EFFECT),
        ("stream: true", code::NO_EFFECT),
        ("temprature: 1", code::KEY_UNKNOWN),
        ("tiemout: 1", code::KEY_UNKNOWN),
    ];
    for (param, code) in cases {
        assert_eq!(codes(&one(&format!("model: openai/x, {param}"), "")), [code].into(), "{param}");
    }
    for fine in
        ["my_own_field: 1", "tags: []", "max_parallel_requests: null", "reasoning_effort: low"]
    {
        assert_eq!(codes(&one(&format!("model: openai/x, {fine}"), "")), [].into(), "{fine}");
    }
}
