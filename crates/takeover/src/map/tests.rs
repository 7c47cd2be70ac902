//! The mapping: rows in, rows and grades out.

mod models;

use super::*;
use crate::source::Row;
use serde_json::{Value, json};
use tollgate_domain::{KeyHash, Level, Secret};

const NOW: &str = "2026-11-17T10:00:00Z";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

/// Rows of several tables.
fn source(tables: &[(Table, Value)]) -> Source {
    let rows = |rows: &Value| {
        let listed = rows.as_array().expect("a list").iter();
        listed.map(|row| Row::parse(&row.to_string()).expect("an object")).collect()
    };
    let tables = tables.iter().map(|(table, listed)| (*table, rows(listed))).collect();
    Source { tables, ..Source::default() }
}

fn mapped(tables: &[(Table, Value)]) -> Mapped {
    let calendar = Calendar::default();
    let salt_key = SaltKey::new(&Secret::new("sk-salt"));
    let told = Told {
        calendar: &calendar,
        now: at(NOW),
        salt_key: Some(&salt_key),
        store_models: true,
        gateway_period: Some("30d"),
    };
    map(&source(tables), &told)
}

fn token(secret: &str) -> String {
    KeyHash::of(secret).expose_hex()
}

fn keys(mapped: &Mapped) -> Vec<&KeyRow> {
    let keys = mapped.rows.iter().filter_map(|row| match row {
        ImportedRow::Key(key) => Some(key),
        _ => None,
    });
    keys.collect()
}

fn entities(mapped: &Mapped) -> Vec<&EntityRow> {
    let entities = mapped.rows.iter().filter_map(|row| match row {
        ImportedRow::Entity(entity) => Some(entity),
        _ => None,
    });
    entities.collect()
}

/// Whether a remark of this grade holds this text.
fn remarked(mapped: &Mapped, grade: Grade, part: &str) -> bool {
    mapped.grades.remarks().iter().any(|remark| remark.grade == grade && remark.note.contains(part))
}

/// What was spent in the windows of somebody, in nano-dollars.
fn spent(mapped: &Mapped, level: Level, id: &str) -> Vec<(String, i64)> {
    let windows = mapped.windows.get(&Subject::new(level, id)).cloned().unwrap_or_default();
    windows.iter().map(|spent| (spent.since.to_string(), spent.money.nanos())).collect()
}

#[test]
fn a_key_keeps_its_hash_scope_limits_and_what_it_spent() {
    let hash = token("sk-one");
    let mapped = mapped(&[
        (Table::Teams, json!([{"team_id": "t", "organization_id": "o", "members_with_roles": {}}])),
        (
            Table::Keys,
            json!([{
                "token": hash, "key_name": "sk-...-one", "key_alias": "ci", "spend": 1.5,
                "user_id": "ada", "team_id": "t", "models": ["chat", "all-team-models"],
                "max_budget": 2.0, "budget_duration": "30d", "rpm_limit": 7,
                "budget_reset_at": "2026-12-01T00:00:00", "expires": "2027-01-01T00:00:00",
                "blocked": null, "created_at": "2026-10-03T00:00:00", "permissions": {},
                "metadata": {"tags": ["blue"], "model_rpm_limit": {"chat": 3}, "note": 1},
            }]),
        ),
    ]);
    let key = keys(&mapped)[0];
    assert_eq!(key.hash.expose_hex(), hash);
    assert_eq!(key.organization.as_ref().map(|id| id.as_str()), Some("o"), "its team's");
    assert_eq!((key.models.join(" "), key.blocked), ("chat all-team-models".to_owned(), false));
    assert_eq!(key.limits.max_budget, Some(Money::from_nanos(2_000_000_000)));
    assert_eq!((key.limits.rpm_limit, key.limits.model_rpm_limit["chat"]), (Some(7), 3));
    assert_eq!(key.limits.running, None, "the calendar's window ends on the same date");
    assert_eq!(Value::Object(key.metadata.clone()), json!({"tags": ["blue"], "note": 1}));
    let window = [("2026-11-01T00:00:00Z".to_owned(), 1_500_000_000)];
    assert_eq!(spent(&mapped, Level::Key, key.id.as_str()), window);
    assert_eq!(mapped.grades.counts()["keys"].exact, 1, "{:?}", mapped.grades.remarks());
}

#[test]
fn a_key_keeps_its_routes_its_names_of_models_and_what_it_sees() {
    let (aliases, permissions) = (json!({"fast": "chat"}), json!({"get_spend_routes": true}));
    let key = |name: &str, routes: Value| {
        let token = token(name);
        json!({
            "token": token, "allowed_routes": routes, "aliases": aliases,
            "permissions": permissions,
        })
    };
    let mapped = mapped(&[(
        Table::Keys,
        json!([key("sk-a", json!(["management_routes"])), key("sk-b", json!([]))]),
    )]);
    for (name, routes) in [("sk-a", vec!["management_routes".to_owned()]), ("sk-b", vec![])] {
        let hash = KeyHash::of(name);
        let key = keys(&mapped).into_iter().find(|key| key.hash == hash).expect("the key");
        assert!(!key.blocked, "{name}");
        assert_eq!(key.rules.allowed_routes, routes, "{name}");
        assert_eq!(key.rules.aliases["fast"], "chat");
        assert!(key.rules.get_spend_routes, "{name}");
    }
    assert_eq!(mapped.grades.counts()["keys"].exact, 2, "{:?}", mapped.grades.remarks());
}

#[test]
fn a_team_keeps_its_names_of_models() {
    let mapped = mapped(&[
        (Table::Teams, json!([{"team_id": "loom", "model_id": 7}])),
        (
            Table::TeamAliases,
            json!([
                {"id": 6, "aliases": {"other": "chat"}},
                {"id": 7, "aliases": {"quick": "chat", "odd": 5}},
            ]),
        ),
    ]);
    let [team] = entities(&mapped)[..] else { panic!("one team: {:?}", mapped.rows) };
    assert_eq!(team.metadata["model_aliases"], json!({"quick": "chat"}));
    assert!(remarked(&mapped, Grade::Manual, "it stands for no name of a model"));
}

#[test]
fn odd_rows_are_graded_and_never_stop_the_others() {
    let good = token("sk-good");
    let mapped = mapped(&[(
        Table::Keys,
        json!([
            {"token": "not a hash"},
            {"token": good, "key_alias": "same", "max_budget": "NaN", "spend": "NaN",
             "team_id": "nobody", "metadata": null, "later_column": 7, "aliases": {"a": "b"}},
            {"token": token("sk-two"), "key_alias": "same", "team_id": "a\u{1f}b",
             "budget_duration": "1hr", "max_budget": -1, "models": [""]},
            {"token": token("sk-ui"), "team_id": "litellm-dashboard"},
        ]),
    )]);
    let keys = keys(&mapped);
    assert_eq!(keys.len(), 2);
    let two = keys.iter().find(|key| key.hash != KeyHash::of("sk-good")).expect("the second");
    assert_eq!((two.alias.as_deref(), two.team.as_ref()), (None, None));
    assert_eq!(two.limits.max_budget, Some(Money::ZERO), "below zero is not without limit");
    assert_eq!(two.limits.budget_duration.as_deref(), Some("1d"));
    assert_eq!(two.models, ["no-default-models"], "nothing, not everything");
    let one = keys.iter().find(|key| key.hash == KeyHash::of("sk-good")).expect("the first");
    assert_eq!(one.metadata["litellm"], json!({"later_column": 7}));
    assert_eq!(one.rules.aliases["a"], "b");
    for (grade, part) in [
        (Grade::Manual, "no SHA-256"),
        (Grade::Manual, "`max_budget` is not brought"),
        (Grade::Manual, "`spend` is not brought"),
        (Grade::Manual, "`team_id` is not brought"),
        (Grade::Unsupported, "`later_column` is a column that nobody knows"),
        (Grade::Approximated, "the same alias"),
        (Grade::Approximated, "is no period"),
        (Grade::Unsupported, "people sign in anew"),
    ] {
        assert!(remarked(&mapped, grade, part), "{part}: {:?}", mapped.grades.remarks());
    }
}

#[test]
fn a_rotated_secret_works_until_its_date_beside_its_successor() {
    let active = token("sk-new");
    let old = |name: &str, until: &str| {
        let token = token(name);
        json!({"token": token, "active_token_id": active, "revoke_at": until})
    };
    let mapped = mapped(&[
        (Table::Keys, json!([{"token": token("sk-new"), "key_alias": "ci", "spend": 3}])),
        (
            Table::OldKeys,
            json!([old("sk-old", "2026-11-20T00:00:00"), old("sk-older", "2026-11-01T00:00:00")]),
        ),
    ]);
    let keys = keys(&mapped);
    assert_eq!(keys.len(), 2, "what is revoked already is not brought");
    let old = keys.iter().find(|key| key.hash == KeyHash::of("sk-old")).expect("the old one");
    assert_eq!(old.expires_at, Some(at("2026-11-20T00:00:00Z")));
    assert_eq!(old.alias, None);
    let ever = [(Timestamp::EPOCH.to_string(), 3_000_000_000)];
    assert_eq!(spent(&mapped, Level::Key, old.id.as_str()), ever);
    assert!(remarked(&mapped, Grade::Approximated, "rotated secret"));
}

#[test]
fn whoever_shares_a_budget_shares_its_window_and_counts_its_own_spend() {
    let budget = json!({
        "budget_id": "b", "max_budget": 10, "budget_duration": "10d",
        "budget_reset_at": "2026-11-20T00:00:00", "allowed_models": ["chat"],
    });
    let over = json!({
        "budget_id": "over", "max_budget": 10, "budget_duration": "30d",
        "budget_reset_at": "2026-11-17T09:00:00",
    });
    let mapped = mapped(&[
        (Table::Budgets, json!([budget, over])),
        (
            Table::Teams,
            json!([{
                "team_id": "t", "created_at": "2026-01-01T00:00:00",
                "members_with_roles": [
                    {"user_id": "ada", "role": "admin", "user_email": "a@b.test"},
                    {"user_id": "bob", "role": "user"}, {"user_email": "c@d.test"},
                ],
                "metadata": {"team_member_budget_id": "over"},
            }]),
        ),
        (
            Table::Memberships,
            json!([
                {"team_id": "t", "user_id": "ada", "spend": 4.25, "budget_id": "b"},
                {"team_id": "t", "user_id": "bob", "spend": 9, "budget_id": null},
            ]),
        ),
        (Table::Customers, json!([{"user_id": "c", "budget_id": "gone", "spend": 1}])),
    ]);
    let member = |id: &str| {
        let found = entities(&mapped).into_iter().find(|row| row.id == id);
        found.unwrap_or_else(|| panic!("{id} is there"))
    };
    assert_eq!((member("ada").models.join(""), &*member("ada").within), ("chat".to_owned(), "t"));
    assert_eq!(member("ada").metadata["role"], "admin");
    let window = [("2026-11-10T00:00:00Z".to_owned(), 4_250_000_000)];
    assert_eq!(spent(&mapped, Level::Member, "t\u{1f}ada"), window);
    assert_eq!(member("bob").budget.as_ref().map(|id| id.as_str()), Some("over"));
    assert_eq!(spent(&mapped, Level::Member, "t\u{1f}bob"), [], "its window had ended");
    for (grade, part) in [
        (Grade::Manual, "without a user id"),
        (Grade::Manual, "a budget that is not there"),
        (Grade::Approximated, "had not reset it yet"),
        (Grade::Approximated, "members without their own"),
    ] {
        assert!(remarked(&mapped, grade, part), "{part}");
    }
}

#[test]
fn members_of_organizations_keep_their_roles_and_what_they_spent() {
    let mapped = mapped(&[(
        Table::OrganizationMemberships,
        json!([
            {"organization_id": "o", "user_id": "ada", "user_role": "org_admin", "spend": 2},
            {"organization_id": "o", "user_id": "", "user_role": "org_admin"},
        ]),
    )]);
    let ada = entities(&mapped)[0];
    assert_eq!((ada.level, &*ada.within, &*ada.id), (Level::OrganizationMember, "o", "ada"));
    assert_eq!(ada.metadata["role"], "org_admin");
    let ever = [(Timestamp::EPOCH.to_string(), 2_000_000_000)];
    assert_eq!(spent(&mapped, Level::OrganizationMember, "o\u{1f}ada"), ever);
    assert!(remarked(&mapped, Grade::Manual, "it is not brought"));
}

#[test]
fn a_key_with_a_cap_and_no_period_is_reset_with_the_budget_that_it_names() {
    let budget = json!({
        "budget_id": "b", "budget_duration": "30d", "budget_reset_at": "2026-11-25T00:00:00",
    });
    let key = json!({"token": token("sk-one"), "max_budget": 5, "budget_id": "b", "spend": 2});
    let mapped = mapped(&[(Table::Budgets, json!([budget])), (Table::Keys, json!([key]))]);
    let key = keys(&mapped)[0];
    let running = key.limits.running.expect("the budget's window");
    assert_eq!(Timestamp::from_micros(running.until), at("2026-11-25T00:00:00Z"));
    assert_eq!(key.limits.budget_duration.as_deref(), Some("30d"));
    let window = [("2026-10-26T00:00:00Z".to_owned(), 2_000_000_000)];
    assert_eq!(spent(&mapped, Level::Key, key.id.as_str()), window);
}

#[test]
fn several_windows_each_keep_their_spend_and_their_end() {
    let hash = token("sk-one");
    let mapped = mapped(&[
        (
            Table::Keys,
            json!([{
                "token": hash, "spend": 50, "max_budget": 100,
                "created_at": "2026-10-03T00:00:00",
                "budget_limits": [
                    {"budget_duration": "1d", "max_budget": 2,
                     "reset_at": "2026-11-18T00:00:00+00:00"},
                    {"budget_duration": "7d", "max_budget": 9,
                     "reset_at": "2026-11-19T12:00:00+00:00"},
                ],
            }]),
        ),
        (
            Table::WindowSpend,
            json!([
                {"entity_type": "key", "entity_id": hash, "window_duration": "1d",
                 "window_start": "2026-11-17T00:00:00", "spend": 1.25},
                {"entity_type": "key", "entity_id": hash, "window_duration": "7d",
                 "window_start": "2026-11-12T12:00:00", "spend": 4},
            ]),
        ),
    ]);
    let key = keys(&mapped)[0];
    let week = key.limits.budget_limits[1].running.expect("not the calendar's week");
    assert_eq!(Timestamp::from_micros(week.until).to_string(), "2026-11-19T12:00:00Z");
    assert_eq!(key.limits.budget_limits[0].running, None);
    let windows = [
        (Timestamp::EPOCH.to_string(), 50_000_000_000),
        ("2026-11-17T00:00:00Z".to_owned(), 1_250_000_000),
        ("2026-11-12T12:00:00Z".to_owned(), 4_000_000_000),
    ];
    assert_eq!(spent(&mapped, Level::Key, key.id.as_str()), windows);
}

#[test]
fn the_whole_proxy_is_no_user_and_its_spend_is_everybodys() {
    let mapped = mapped(&[(
        Table::Users,
        json!([
            {"user_id": budgets::WHOLE_PROXY, "spend": 12,
             "budget_reset_at": "2026-12-01T00:00:00"},
            {"user_id": "ada", "user_email": "a@b.test", "user_role": "internal_user",
             "password": "scrypt:x", "models": ["no-default-models"]},
        ]),
    )]);
    assert_eq!(entities(&mapped).len(), 1);
    assert_eq!(entities(&mapped)[0].metadata["user_email"], "a@b.test");
    assert!(!entities(&mapped)[0].metadata.contains_key("password"));
    let window = [("2026-11-01T00:00:00Z".to_owned(), 12_000_000_000)];
    assert_eq!(spent(&mapped, Level::All, ""), window);
}

#[test]
fn access_groups_are_written_out_and_only_where_the_list_does_not_grant_everything() {
    let groups = json!([{"access_group_id": "g", "access_model_names": ["a", "b"]}]);
    let key = |name: &str, models: Value| {
        let groups = ["g"];
        json!({"token": token(name), "models": models, "access_group_ids": groups})
    };
    let mapped = mapped(&[
        (Table::AccessGroups, groups),
        (Table::Keys, json!([key("sk-one", json!(["a"])), key("sk-two", json!([]))])),
    ]);
    let models = |name: &str| {
        let found = keys(&mapped).into_iter().find(|key| key.hash == KeyHash::of(name));
        found.expect("the key").models.join(" ")
    };
    assert_eq!((models("sk-one"), models("sk-two")), ("a b".to_owned(), String::new()));
}

#[test]
fn settings_and_tables_that_stay_behind_are_counted_by_name() {
    let mut source = source(&[(
        Table::Settings,
        json!([{"param_name": "router_settings"}, {"param_name": "model_cost_map_reload_config"}]),
    )]);
    source.others =
        [("LiteLLM_MCPServerTable".to_owned(), 3), ("LiteLLM_AgentsTable".to_owned(), 0)].into();
    let calendar = Calendar::default();
    let told = Told {
        calendar: &calendar,
        now: at(NOW),
        salt_key: None,
        store_models: true,
        gateway_period: None,
    };
    let mapped = map(&source, &told);
    let remarks = mapped.grades.remarks();
    let shown: Vec<_> = remarks.iter().map(|remark| (remark.what, remark.count)).collect();
    assert_eq!(shown, [("settings", 1), ("other tables", 3)]);
    assert!(mapped.rows.is_empty());
}
