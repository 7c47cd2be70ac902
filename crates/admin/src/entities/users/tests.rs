//! Which users a list gives.

use super::*;
use crate::shape::Shape;
use tollgate_domain::Timestamp;

#[test]
fn every_condition_of_a_list_has_to_be_met() {
    let mut row = EntityRow::new(Level::User, "", "ada-1", Timestamp::from_micros(0));
    row.metadata.insert("user_email".to_owned(), json!("Ada@Engine.test"));
    row.metadata.insert("user_role".to_owned(), json!("internal_user"));
    for (query, expected) in [
        ("", true),
        ("user_ids=ada", true),
        ("user_ids=ada,bob", false),
        ("user_ids=bob,ada-1", true),
        ("user_email=engine", true),
        ("user_email=loom", false),
        ("role=internal_user&user_email=ADA", true),
        ("role=proxy_admin&user_email=ada", false),
    ] {
        let uri = format!("/user/list?{query}").parse().expect("a path");
        let asked = Asked::read(&uri, &Shape::of(&LISTED_BY), &[]).expect("a query");
        assert_eq!(is_asked_for(&row, &asked), expected, "{query}");
    }
}
