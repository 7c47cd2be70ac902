//! Fields as clients send them, and what is refused.

use super::*;
use crate::shape::{dollars, text, texts};

fn read(body: &str) -> Result<Fields, Refusal> {
    let fields = [text("key_alias", ""), dollars("max_budget", ""), texts("models", "")];
    let shape = Shape::of(&fields).but_not(&["rpm_limit"]);
    Fields::read(&Bytes::copy_from_slice(body.as_bytes()), &shape, &[])
}

#[test]
fn absent_null_and_value_are_three_different_wishes() {
    let fields = read(r#"{"key_alias": null, "max_budget": 0.1}"#).expect("fields");
    assert_eq!(fields.text("key_alias").expect("text"), Change::Removed);
    assert_eq!(
        fields.dollars("max_budget").expect("dollars"),
        Change::Set(Money::from_nanos(100_000_000))
    );
    assert_eq!(fields.texts("models").expect("texts"), Change::Unchanged);
}

#[test]
fn nothing_is_silently_swallowed() {
    let reason =
        |body: &str| read(body).map(|_| ()).map_err(|refusal| (refusal.reason, refusal.fix));
    assert_eq!(reason(r#"{"rpm_limit": null}"#), Ok(()));
    assert!(matches!(reason(r#"{"rpm_limit": 5}"#), Err((Reason::ParameterUnsupported, Some(_)))));
    let Err((Reason::ParameterUnsupported, Some(fix))) = reason(r#"{"max_budgett": 5}"#) else {
        panic!("an unknown field was accepted");
    };
    assert!(fix.contains("`max_budget`"), "{fix}");
    assert!(matches!(reason("[]"), Err((Reason::BodyMalformed, _))));
    assert!(matches!(reason("{"), Err((Reason::BodyMalformed, _))));
}

#[test]
fn what_the_path_names_is_a_field_and_the_body_may_only_repeat_it() {
    let shape = Shape::of(&[text("key_alias", "").required()]);
    let read = |body: &str| {
        let body = Bytes::copy_from_slice(body.as_bytes());
        Fields::read(&body, &shape, &[("key_alias", "a")])
    };
    for body in ["", "{}", r#"{"key_alias": "a"}"#] {
        let alias = read(body).and_then(|fields| fields.text("key_alias"));
        assert_eq!(alias, Ok(Change::Set("a".to_owned())), "{body}");
    }
    let refusal = read(r#"{"key_alias": "b"}"#).expect_err("two names");
    assert_eq!(refusal.param.as_deref(), Some("key_alias"));
}

#[test]
fn a_value_of_another_type_is_refused_by_name() {
    let fields = read(r#"{"key_alias": 5, "max_budget": -1, "models": ["a", 5]}"#).expect("fields");
    for refusal in [
        fields.text("key_alias").expect_err("a number is no text"),
        fields.dollars("max_budget").expect_err("an amount is not negative"),
        fields.texts("models").expect_err("a number is no model"),
    ] {
        assert_eq!(refusal.reason, Reason::FieldWrongType);
        assert!(refusal.param.is_some());
    }
    let zero = read("{\"key_alias\": \"a\\u0000\"}").expect("fields");
    assert!(zero.text("key_alias").is_err());
    let huge = read(r#"{"max_budget": 1e300}"#).expect("fields");
    assert!(huge.dollars("max_budget").is_err());
}
