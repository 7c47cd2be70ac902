//! Entries beside each other, and entries that say little.

use super::*;

#[test]
fn an_id_is_given_once() {
    let entry = "{model_name: m, litellm_params: {model: openai/x}, model_info: {id: same}}";
    assert_eq!(codes(&format!("model_list: [{entry}, {entry}]")), [code::DUPLICATE_ID].into());
}

#[test]
fn an_entry_whose_provider_is_unknown_is_read_to_its_end() {
    for entry in ["model: opnai/gpt-4o, ", ""] {
        let found = codes(&one(&format!("{entry}timeout: -5, rpm: many"), ""));
        assert!(found.contains(code::OUT_OF_RANGE), "{entry}: {found:?}");
        assert!(found.contains(code::WRONG_TYPE), "{entry}: {found:?}");
    }
}
