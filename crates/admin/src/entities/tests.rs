//! What is the same for every family.

use super::*;
use bytes::Bytes;
use tollgate_domain::Timestamp;

fn described(metadata: &Value, sent: &str) -> Result<Value, Option<String>> {
    let now = Timestamp::from_micros(0);
    let mut row = EntityRow::new(Level::User, "", "ada", now);
    row.metadata = metadata.as_object().cloned().expect("an object");
    let body = Bytes::copy_from_slice(sent.as_bytes());
    let fields = Fields::read(&body, &users::USER.shape(), &[]).expect("fields");
    let applied = users::USER.describe(&fields, &mut row);
    applied.map(|()| Value::Object(row.metadata)).map_err(|refusal| refusal.param)
}

#[test]
fn metadata_is_replaced_whole_but_for_what_is_kept_in_it() {
    let before = json!({"user_email": "a@b.test", "note": 1});
    for (sent, after) in [
        ("{}", json!({"user_email": "a@b.test", "note": 1})),
        (r#"{"metadata": {"other": 2}}"#, json!({"user_email": "a@b.test", "other": 2})),
        (r#"{"metadata": null}"#, json!({"user_email": "a@b.test"})),
        (r#"{"user_email": null}"#, json!({"note": 1})),
        (
            r#"{"metadata": {}, "user_email": "c@d.test", "user_role": "internal_user"}"#,
            json!({"user_email": "c@d.test", "user_role": "internal_user"}),
        ),
    ] {
        assert_eq!(described(&before, sent), Ok(after), "{sent}");
    }
    let hidden = r#"{"metadata": {"user_role": "proxy_admin"}}"#;
    assert_eq!(described(&before, hidden), Err(Some("metadata".to_owned())));
}

#[test]
fn a_family_takes_its_own_fields_and_refuses_those_of_another() {
    let read = |family: &Family, body: &str| {
        let body = Bytes::copy_from_slice(body.as_bytes());
        Fields::read(&body, &family.shape(), &[]).map(drop).map_err(|refusal| refusal.param)
    };
    let param = |name: &str| Err(Some(name.to_owned()));
    assert_eq!(read(&tags::TAG, r#"{"name": "a", "max_budget": 1, "models": []}"#), Ok(()));
    assert_eq!(read(&tags::TAG, r#"{"name": "a", "models": ["m"]}"#), param("models"));
    assert_eq!(read(&customers::CUSTOMER, r#"{"metadata": {}}"#), param("metadata"));
    assert_eq!(read(&organizations::ORGANIZATION, r#"{"blocked": true}"#), param("blocked"));
    assert_eq!(
        read(&teams::TEAM, r#"{"team_member_key_duration": "5d"}"#),
        param("team_member_key_duration")
    );
}

#[test]
fn a_request_names_some_and_not_too_many() {
    let names = |count: usize| {
        let body = json!({ "team_ids": vec!["t"; count] }).to_string();
        let fields =
            Fields::read(&Bytes::from(body), &Family::listing("team_ids"), &[]).expect("fields");
        listed(&fields, "team_ids").map(|ids| ids.len()).map_err(|refusal| refusal.param)
    };
    assert_eq!(names(NAMED_MAX), Ok(NAMED_MAX));
    for count in [0, NAMED_MAX + 1] {
        assert_eq!(names(count), Err(Some("team_ids".to_owned())), "{count}");
    }
}
