//! Answers for people: lists as tables, records as names and values.

use serde_json::{Map, Value};

use crate::cli::table::table;

/// Most columns of a table for which none are chosen.
const COLUMNS_MAX: usize = 8;
/// Longest cell, in characters: a key's hash has as many.
const CELL_CHARS_MAX: usize = 64;
/// What stands for nothing.
const NOTHING: &str = "-";

/// The columns that are shown of a family's lists, as far as the rows have them.
const COLUMNS: [(&str, &[&str]); 9] = [
    (
        "keys",
        &[
            "key_alias",
            "key_name",
            "user_id",
            "team_id",
            "models",
            "spend",
            "max_budget",
            "blocked",
            "expires",
            "token",
        ],
    ),
    (
        "teams",
        &["team_id", "team_alias", "organization_id", "models", "spend", "max_budget", "blocked"],
    ),
    ("users", &["user_id", "user_email", "user_role", "models", "spend", "max_budget"]),
    ("organizations", &["organization_id", "organization_alias", "models", "spend", "max_budget"]),
    ("customers", &["user_id", "alias", "spend", "max_budget", "budget_id", "blocked"]),
    ("budgets", &["budget_id", "max_budget", "budget_duration", "rpm_limit", "tpm_limit"]),
    ("models", &["model_name", "model", "api_base", "id"]),
    ("tags", &["name", "description", "spend", "max_budget"]),
    (
        "spend",
        &[
            "startTime",
            "model_group",
            "user",
            "team_id",
            "status",
            "total_tokens",
            "spend",
            "request_id",
        ],
    ),
];
/// The columns of activity, whoever it is of.
const ACTIVITY: &[&str] =
    &["date", "spend", "api_requests", "failed_requests", "prompt_tokens", "completion_tokens"];

/// What a verb's answer says.
pub(super) fn answer(family: &str, verb: &str, answer: &Value) -> String {
    match rows(verb, answer) {
        Some((rows, rest)) => list(columns(family, verb), rows) + &rest,
        None => record(answer),
    }
}

/// The rows of a list, and a line with what the answer says about the whole.
fn rows<'a>(verb: &str, answer: &'a Value) -> Option<(&'a [Value], String)> {
    let is_list = ["list", "logs", "activity", "aggregated"].iter().any(|it| verb.ends_with(it));
    match answer {
        Value::Array(rows) => Some((rows, String::new())),
        Value::Object(members) if is_list => {
            let rows = members.values().find_map(Value::as_array)?;
            let about = members.iter().filter(|(_, value)| value.is_number());
            let about: Vec<String> =
                about.map(|(name, value)| format!("{}: {value}", name.replace('_', " "))).collect();
            let line = if about.is_empty() { String::new() } else { about.join(", ") + "\n" };
            Some((rows, line))
        }
        _ => None,
    }
}

fn columns(family: &str, verb: &str) -> &'static [&'static str] {
    if verb.contains("activity") {
        return ACTIVITY;
    }
    COLUMNS.iter().find(|(name, _)| *name == family).map_or(&[], |(_, columns)| columns)
}

fn list(chosen: &[&str], rows: &[Value]) -> String {
    if rows.is_empty() {
        return "none\n".to_owned();
    }
    if !rows.iter().any(Value::is_object) {
        return rows.iter().map(|row| cell(row) + "\n").collect();
    }
    let has = |name: &&str| rows.iter().any(|row| found(row, name).is_some());
    let mut columns: Vec<&str> = chosen.iter().copied().filter(has).collect();
    if columns.is_empty() {
        let first = rows.iter().find_map(Value::as_object);
        let members = first.into_iter().flatten().filter(|(_, value)| !value.is_object());
        columns = members.map(|(name, _)| name.as_str()).take(COLUMNS_MAX).collect();
    }
    let head: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    let line = |row: &Value| -> Vec<String> {
        columns.iter().map(|name| found(row, name).map_or(NOTHING.to_owned(), cell)).collect()
    };
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(rows.iter().map(line)).collect();
    table(&lines)
}

/// A member of a row, or of an object in it.
fn found<'a>(row: &'a Value, name: &str) -> Option<&'a Value> {
    let members = row.as_object()?;
    let within = || members.values().filter_map(Value::as_object).find_map(|it| it.get(name));
    members.get(name).or_else(within)
}

/// A record: each member on a line of its own, those of objects in it under both names. What is
/// empty is left out.
fn record(answer: &Value) -> String {
    let Value::Object(members) = answer else { return cell(answer) + "\n" };
    let mut lines = Vec::new();
    collect("", members, &mut lines);
    if lines.is_empty() { "done\n".to_owned() } else { table(&lines) }
}

fn collect(within: &str, members: &Map<String, Value>, lines: &mut Vec<Vec<String>>) {
    for (name, value) in members {
        let name = format!("{within}{name}");
        match value {
            Value::Object(inner) => collect(&format!("{name}."), inner, lines),
            value if is_empty(value) => {}
            value => lines.push(vec![name, whole(value)]),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A value on one line, however long.
fn whole(value: &Value) -> String {
    match value {
        value if is_empty(value) => NOTHING.to_owned(),
        // What a terminal would obey is not passed on to it.
        Value::String(text) => {
            text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
        }
        Value::Array(items) if !items.iter().any(|item| item.is_object() || item.is_array()) => {
            items.iter().map(whole).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// A value within the width of a cell.
fn cell(value: &Value) -> String {
    let whole = whole(value);
    if whole.chars().count() <= CELL_CHARS_MAX {
        return whole;
    }
    whole.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect()
}

/// What a refusal says, and where its article is.
pub(super) fn refusal(status: u16, answer: &Value) -> String {
    let error = &answer["error"];
    let text = |value: &Value| value.as_str().map(|text| whole(&Value::from(text)));
    let message = text(&error["message"]).unwrap_or_else(|| answer.to_string());
    let mut said = format!("tollgate: {message}\n");
    if let Some(fix) = text(&error["gateway"]["fix"]) {
        said += &format!("  what to do: {fix}\n");
    }
    let reason = text(&error["gateway"]["reason"]);
    said + &match reason {
        Some(reason) => format!("  reason: {reason} (HTTP {status})\n"),
        None => format!("  HTTP {status}\n"),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_a_table_of_the_family_s_columns() {
        let keys = json!({
            "keys": [
                { "key_alias": "ci", "spend": 0.25, "models": ["a", "b"], "blocked": null },
                { "key_alias": null, "spend": 1, "models": [], "other": 5 },
            ],
            "total_count": 2, "current_page": 1,
        });
        expect![[r"
            key_alias  models  spend  blocked
            ci         a, b    0.25   -
            -          -       1      -
            current page: 1, total count: 2
        "]]
        .assert_eq(&answer("keys", "list", &keys));
        assert_eq!(answer("keys", "list", &json!({ "keys": [] })), "none\n");
    }

    #[test]
    fn a_record_is_names_and_values_without_what_is_empty() {
        let team = json!({ "team_id": "loom", "models": [], "metadata": { "note": "a\u{1b}b" } });
        expect![[r"
            metadata.note  a�b
            team_id        loom
        "]]
        .assert_eq(&answer("teams", "show", &team));
    }

    #[test]
    fn a_refusal_says_what_is_so_and_what_to_do() {
        let answer = json!({ "error": {
            "message": "there is no team `x`",
            "gateway": { "reason": "entity_not_found", "fix": "call the route that lists them" },
        } });
        expect![[r"
            tollgate: there is no team `x`
              what to do: call the route that lists them
              reason: entity_not_found (HTTP 404)
        "]]
        .assert_eq(&refusal(404, &answer));
        assert_eq!(refusal(502, &json!({ "a": 1 })), "tollgate: {\"a\":1}\n  HTTP 502\n");
    }
}
