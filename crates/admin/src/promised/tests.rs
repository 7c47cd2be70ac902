//! Every promise is of a route, and every route of these families has one.

use std::collections::BTreeSet;

use super::{Promise, bulk, keys, models, people, usage};
use crate::answer::Answer;
use crate::routes;

/// The families whose answers are promised.
const FAMILIES: [&str; 11] = [
    "access groups",
    "budgets",
    "credentials",
    "customers",
    "keys",
    "models",
    "organizations",
    "projects",
    "spend",
    "tags",
    "teams",
];

fn promises() -> impl Iterator<Item = &'static Promise> {
    [keys::ALL, people::ALL, bulk::ALL, models::ALL, usage::ALL].into_iter().flatten()
}

#[test]
fn every_promise_is_of_one_route() {
    let rows: BTreeSet<(&str, &str)> = routes().iter().map(|row| (row.method, row.path)).collect();
    let mut seen = BTreeSet::new();
    for (method, path, _) in promises() {
        assert!(rows.contains(&(*method, *path)), "there is no {method} {path}");
        assert!(seen.insert((method, path)), "{method} {path} has two promises");
    }
}

#[test]
fn every_route_of_a_family_says_what_it_answers_with() {
    let silent = routes().into_iter().filter(|row| {
        let counts = FAMILIES.contains(&row.family()) || row.family() == "users";
        counts && row.answer == Answer::Any
    });
    let silent: Vec<String> = silent.map(|row| format!("{} {}", row.method, row.path)).collect();
    let expected = [
        // Always refused.
        "POST /team/{team_id}/callback",
        "DELETE /team/{team_id}/callback/{callback_name}",
        "POST /team/{team_id}/disable_logging",
        // What is spent by day is told by days in one case and by entries in the other.
        "GET /spend/logs",
    ];
    assert_eq!(silent, expected);
}
