//! The rows of a proxy that has been running for two months: hundreds of keys, and whatever odd
//! values such a database collects.

use serde_json::{Value, json};
use tollgate_domain::KeyHash;

use super::proxy::Proxy;

/// When the proxy is taken over: within windows of a day, a week and a month.
pub(super) const NOW: &str = "2026-05-17T10:00:00Z";
/// When a month's window ends.
pub(super) const NEXT_MONTH: &str = "2026-06-01T00:00:00Z";
/// When a window ends that somebody set to another day.
pub(super) const MID_MONTH: &str = "2026-05-22T14:37:00Z";
/// How many keys there are.
pub(super) const KEYS: usize = 240;
/// How many teams have a row; keys name two more.
const TEAMS: usize = 12;
const TEAMS_NAMED: usize = 14;
const USERS: usize = 20;
const NANOS: f64 = 1e9;

/// A key as the proxy has it.
pub(super) struct Key {
    pub(super) number: usize,
    pub(super) team: Option<usize>,
    pub(super) user: usize,
}

/// Why a key cannot spend, if it cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spent {
    Own,
    MidMonth,
    Shared,
    Day,
    Team,
    Member,
    User,
}

impl Key {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..KEYS).map(|number| Self {
            number,
            team: Some(number % (TEAMS_NAMED + 1)).filter(|team| *team < TEAMS_NAMED),
            user: number % USERS,
        })
    }

    pub(super) fn secret(&self) -> String {
        format!("sk-imported-{:04}", self.number)
    }

    pub(super) fn hash(&self) -> String {
        KeyHash::of(&self.secret()).expose_hex()
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.number % 29 == 3
    }

    pub(super) fn is_expired(&self) -> bool {
        self.number % 31 == 4
    }

    pub(super) fn is_in_blocked_team(&self) -> bool {
        self.team == Some(3)
    }

    /// Whether nothing refuses its calls of some model.
    pub(super) fn is_free(&self) -> bool {
        let refused = self.is_blocked() || self.is_expired() || self.is_in_blocked_team();
        !refused && self.spent().is_none() && !self.visible().is_empty()
    }

    /// The budget that is used up, the key's own before those above it.
    pub(super) fn spent(&self) -> Option<Spent> {
        let on = |rest: bool, why: Spent| rest.then_some(why);
        on(self.number % 17 == 5, Spent::Own)
            .or(on(self.number % 13 == 6, Spent::MidMonth))
            .or(on(self.number % 19 == 7, Spent::Shared))
            .or(on(self.number % 23 == 8, Spent::Day))
            .or(on(self.team == Some(5), Spent::Team))
            .or(on(self.team == Some(6) && self.user == 6, Spent::Member))
            .or(on(self.user == 9, Spent::User))
    }

    /// What its own number says was spent, in nano-dollars.
    pub(super) fn spend_nanos(&self) -> i64 {
        match self.spent() {
            Some(Spent::Own) => 1_250_000_000,
            Some(Spent::MidMonth) => 2_500_000_001,
            Some(Spent::Shared) => 5_000_000_000,
            _ => 100_000_007 + self.number as i64,
        }
    }

    /// When the window of its spend ends, if it does.
    pub(super) fn resets_at(&self) -> Option<&'static str> {
        match self.spent() {
            Some(Spent::Own | Spent::Shared) => Some(NEXT_MONTH),
            Some(Spent::MidMonth) => Some(MID_MONTH),
            _ => None,
        }
    }

    pub(super) fn models(&self) -> Vec<&'static str> {
        match self.number % 4 {
            0 => vec![],
            1 => vec!["chat"],
            2 => vec!["all-team-models"],
            _ => vec!["oth*"],
        }
    }

    /// The groups of the configuration that LiteLLM lists for it.
    pub(super) fn visible(&self) -> Vec<&'static str> {
        let own = |model: &str| match self.number % 4 {
            1 => model == "chat",
            3 => model == "other",
            _ => true,
        };
        let above = |model: &str| match self.team {
            Some(team) if team < TEAMS => {
                team_models(team).is_empty() || team_models(team).contains(&model)
            }
            Some(_) => true,
            // Without a team the user's list counts.
            None => self.user != 4,
        };
        ["chat", "other", "third"].into_iter().filter(|model| own(model) && above(model)).collect()
    }

    /// What its calls cost on each of sixty days; most keys are quiet.
    pub(super) fn days(&self) -> Vec<(String, i64)> {
        if !self.number.is_multiple_of(7) {
            return Vec::new();
        }
        let cost = |day: usize| ((self.number * 7919 + day * 104_729) % 9_973) as i64 * 12_347 + 1;
        let march = (18..=31).map(|day| format!("2026-03-{day:02}"));
        let april = (1..=30).map(|day| format!("2026-04-{day:02}"));
        let may = (1..=17).map(|day| format!("2026-05-{day:02}"));
        march.chain(april).chain(may).enumerate().map(|(day, date)| (date, cost(day))).collect()
    }

    fn row(&self) -> Value {
        let mut row = json!({
            "token": self.hash(),
            "key_name": format!("sk-...{:04}", self.number),
            "key_alias": format!("key-{}", self.number),
            "spend": self.spend_nanos() as f64 / NANOS,
            "models": self.models(),
            "user_id": format!("u-{:02}", self.user),
            "team_id": self.team.map(|team| format!("t-{team:02}")),
            "metadata": {"note": self.number, "someone's": {"own": [1, null]}},
            "created_at": "2026-02-03T04:05:06",
        });
        let fields = row.as_object_mut().expect("an object");
        if self.is_blocked() {
            fields.insert("blocked".to_owned(), json!(true));
        }
        if self.is_expired() {
            fields.insert("expires".to_owned(), json!("2026-05-16T00:00:00"));
        }
        let more = match self.spent() {
            Some(Spent::Own) => json!({
                "max_budget": 1.0, "budget_duration": "30d", "budget_reset_at": NEXT_MONTH,
            }),
            Some(Spent::MidMonth) => json!({
                "max_budget": 2.0, "budget_duration": "30d", "budget_reset_at": MID_MONTH,
            }),
            Some(Spent::Shared) => json!({"budget_id": "shared"}),
            Some(Spent::Day) => json!({"budget_limits": [
                {"budget_duration": "1d", "max_budget": 0.5, "reset_at": "2026-05-18T00:00:00+00:00"},
            ]}),
            _ => json!({}),
        };
        fields.extend(more.as_object().cloned().expect("an object"));
        row
    }

    fn window(&self) -> Option<Value> {
        (self.spent() == Some(Spent::Day)).then(|| {
            json!({
                "entity_type": "key", "entity_id": self.hash(), "window_duration": "1d",
                "window_start": "2026-05-17T00:00:00", "spend": 0.75, "updated_at": NOW,
            })
        })
    }
}

/// The models that a team may call; none means all.
fn team_models(team: usize) -> &'static [&'static str] {
    match team % 3 {
        0 => &[],
        1 => &["chat"],
        _ => &["chat", "other"],
    }
}

/// Fills a proxy's database.
pub(super) async fn fill(proxy: &Proxy) {
    proxy.fill("LiteLLM_BudgetTable", &budgets()).await;
    proxy
        .fill(
            "LiteLLM_OrganizationTable",
            &[json!({
                "organization_id": "works", "organization_alias": "Works", "budget_id": "works",
                "models": [], "spend": 30.000000003, "created_by": "admin", "updated_by": "admin",
            })],
        )
        .await;
    proxy
        .fill(
            "LiteLLM_ModelTable",
            &[json!({
                "id": 1, "aliases": {"quick": "chat"}, "created_by": "admin", "updated_by": "admin",
            })],
        )
        .await;
    proxy.fill("LiteLLM_TeamTable", &(0..TEAMS).map(team).collect::<Vec<_>>()).await;
    proxy.fill("LiteLLM_UserTable", &users()).await;
    proxy
        .fill(
            "LiteLLM_TeamMembership",
            &[
                json!({"team_id": "t-06", "user_id": "u-06", "spend": 3.5, "budget_id": "member"}),
                json!({"team_id": "t-00", "user_id": "u-00", "spend": 0.1, "budget_id": null}),
            ],
        )
        .await;
    let keys: Vec<Value> = Key::all().map(|key| key.row()).chain(odd_keys()).collect();
    proxy.fill("LiteLLM_VerificationToken", &keys).await;
    let windows: Vec<Value> = Key::all().filter_map(|key| key.window()).collect();
    proxy.fill("LiteLLM_BudgetWindowSpend", &windows).await;
    others(proxy).await;
    daily(proxy).await;
}

/// The secret that a rotation of the first key replaced.
pub(super) const ROTATED: &str = "sk-rotated-0000000";

/// A secret that somebody chose when LiteLLM still took any.
pub(super) const SHORT: &str = "sk-1234";

fn odd_keys() -> Vec<Value> {
    vec![
        json!({"token": "not-a-hash", "key_name": null, "spend": 0}),
        json!({
            "token": KeyHash::of("sk-session-00000").expose_hex(), "team_id": "litellm-dashboard",
            "spend": 0,
        }),
        json!({
            "token": KeyHash::of("sk-managing-0000").expose_hex(), "key_alias": "managing",
            "allowed_routes": ["management_routes"], "spend": "NaN",
        }),
        json!({"token": KeyHash::of(SHORT).expose_hex(), "key_alias": "short", "spend": 0}),
    ]
}

fn budgets() -> Vec<Value> {
    let budget = |id: &str, cap: f64, reset: &str| {
        json!({
            "budget_id": id, "max_budget": cap, "budget_duration": "30d", "budget_reset_at": reset,
            "created_by": "admin", "updated_by": "admin",
        })
    };
    vec![
        budget("shared", 5.0, NEXT_MONTH),
        budget("member", 3.0, MID_MONTH),
        budget("works", 1_000_000.0, NEXT_MONTH),
        budget("customer", 0.25, NEXT_MONTH),
    ]
}

fn team(number: usize) -> Value {
    let exhausted = number == 5;
    json!({
        "team_id": format!("t-{number:02}"),
        "team_alias": if number == 7 { Value::Null } else { json!(format!("Team {number}")) },
        "organization_id": if number.is_multiple_of(4) { json!("works") } else { Value::Null },
        "members_with_roles": match number {
            7 => json!({}),
            0 => json!([{"user_id": "u-00", "role": "admin", "user_email": "u00@works.test"},
                        {"user_id": null, "user_email": "nobody@works.test", "role": "user"}]),
            _ => json!([{"user_id": format!("u-{number:02}"), "user_email": null, "role": "user"}]),
        },
        "models": team_models(number),
        "blocked": number == 3,
        "max_budget": if exhausted { 10.0 } else { 100_000.0 },
        "spend": if exhausted { 12.5 } else { 20.000000001 + number as f64 },
        "budget_duration": "30d",
        "budget_reset_at": NEXT_MONTH,
        "model_id": if number == 1 { json!(1) } else { Value::Null },
        "created_at": "2026-01-01T00:00:00",
    })
}

fn users() -> Vec<Value> {
    let user = |number: usize| {
        json!({
            "user_id": format!("u-{number:02}"),
            "user_email": format!("u{number:02}@works.test"),
            "user_role": "internal_user",
            "models": if number == 4 { json!(["no-default-models"]) } else { json!([]) },
            "max_budget": if number == 9 { json!(1.0) } else { Value::Null },
            "spend": if number == 9 { 1.5 } else { 0.3 },
            "budget_duration": if number == 9 { json!("30d") } else { Value::Null },
            "budget_reset_at": if number == 9 { json!(NEXT_MONTH) } else { Value::Null },
        })
    };
    let whole = json!({"user_id": "litellm-proxy-budget", "models": [], "spend": 77.5});
    (0..USERS).map(user).chain([whole]).collect()
}

async fn others(proxy: &Proxy) {
    proxy
        .fill(
            "LiteLLM_DeprecatedVerificationToken",
            &[json!({
                "id": "d", "token": KeyHash::of(ROTATED).expose_hex(),
                "active_token_id": KeyHash::of("sk-imported-0000").expose_hex(),
                "revoke_at": "2026-05-18T00:00:00",
            })],
        )
        .await;
    proxy.fill("LiteLLM_EndUserTable", &[
        json!({"user_id": "c-spent", "spend": 0.5, "budget_id": "customer"}),
        json!({"user_id": "c-blocked", "spend": 0, "blocked": true}),
        json!({"user_id": "c-fine", "alias": "Fine", "spend": 0.125, "default_model": "chat"}),
    ]).await;
    proxy.fill("LiteLLM_TagTable", &[
        json!({"tag_name": "blue", "models": ["m-1"], "spend": 1, "description": "the blue one"}),
    ]).await;
    proxy
        .fill(
            "LiteLLM_ProxyModelTable",
            &[json!({
                "model_id": "m-1", "model_name": "stored", "model_info": {"id": "m-1"},
                "litellm_params": {"api_key": SEALED, "model": "bm90IHNlYWxlZA==", "rpm": 7},
                "created_by": "admin", "updated_by": "admin",
            })],
        )
        .await;
    proxy
        .fill(
            "LiteLLM_Config",
            &[json!({"param_name": "router_settings", "param_value": {"num_retries": 2}})],
        )
        .await;
    proxy
        .fill(
            "LiteLLM_AccessGroupTable",
            &[json!({"access_group_id": "g", "access_group_name": "g", "updated_at": NOW})],
        )
        .await;
    proxy
        .fill("LiteLLM_MCPServerTable", &[json!({"server_id": "s", "mcp_access_groups": []})])
        .await;
}

/// Written by PyNaCl with the salt key.
const SEALED: &str = "A9GxYrrBm9cP866iBIGbXZ4CZxywHgjC-krQzbVqkUq2ZCTTalbtZrFh9SUmFrPIF-oSNI5q";

/// Totals by day, by user, team, tag and customer; some of odd doubles.
async fn daily(proxy: &Proxy) {
    let (mut users, mut teams) = (Vec::new(), Vec::new());
    for key in Key::all() {
        for (index, (date, nanos)) in key.days().into_iter().enumerate() {
            let id = format!("{}-{date}", key.number);
            let row = |more: Value| {
                let mut row = json!({
                    "id": id, "date": date, "api_key": key.hash(), "model": "m",
                    "model_group": if index % 2 == 0 { "chat" } else { "other" },
                    "custom_llm_provider": "openai", "spend": nanos as f64 / NANOS,
                    "prompt_tokens": 100, "completion_tokens": 20, "api_requests": 5,
                    "successful_requests": 4, "failed_requests": 1, "updated_at": NOW,
                });
                let fields = row.as_object_mut().expect("an object");
                fields.extend(more.as_object().cloned().expect("an object"));
                row
            };
            users.push(row(json!({"user_id": format!("u-{:02}", key.user)})));
            if let Some(team) = key.team {
                teams.push(row(json!({"team_id": format!("t-{team:02}")})));
            }
        }
    }
    // What adding doubles leaves behind, and a sum that begins with a tiny one.
    for (index, spend) in [0.1 + 0.2, 1e-12, 3.000000000000001].into_iter().enumerate() {
        teams.push(json!({
            "id": format!("odd-{index}"), "team_id": "t-01", "date": "2026-05-02", "api_key": "",
            "model": format!("odd-{index}"), "spend": spend, "api_requests": 1, "updated_at": NOW,
        }));
    }
    proxy.fill("LiteLLM_DailyUserSpend", &users).await;
    proxy.fill("LiteLLM_DailyTeamSpend", &teams).await;
    proxy
        .fill(
            "LiteLLM_DailyTagSpend",
            &[json!({
                "id": "tag", "tag": "blue", "date": "2026-05-03", "api_key": "", "spend": 0.25,
                "api_requests": 1, "updated_at": NOW,
            })],
        )
        .await;
    proxy
        .fill(
            "LiteLLM_DailyEndUserSpend",
            &[json!({
                "id": "customer", "end_user_id": "c-fine", "date": "2026-05-03", "api_key": "",
                "spend": 0.0625, "api_requests": 1, "updated_at": NOW,
            })],
        )
        .await;
}
