//! The keys of a proxy, hundreds of them, and what each of them may do there.

use serde_json::{Value, json};
use tollgate_domain::KeyHash;

/// When the proxy is taken over: within windows of a day, a week and a month.
pub(super) const NOW: &str = "2026-05-17T10:00:00Z";
/// When a month's window ends.
pub(super) const NEXT_MONTH: &str = "2026-06-01T00:00:00Z";
/// When a window ends that somebody set to another day.
pub(super) const MID_MONTH: &str = "2026-05-22T14:37:00Z";
/// How many keys there are.
pub(super) const KEYS: usize = 240;
/// How many teams have a row; keys name two more.
pub(super) const TEAMS: usize = 12;
const TEAMS_NAMED: usize = 14;
pub(super) const USERS: usize = 20;
pub(super) const NANOS: f64 = 1e9;
/// A model group that only the proxy's database has, with a credential of its own.
pub(super) const KEPT: &str = "kept";
/// Another one, with a credential that has a name.
pub(super) const LENT: &str = "lent";
/// Every model group that the proxy serves.
pub(super) const MODELS: [&str; 5] = ["chat", KEPT, LENT, "other", "third"];

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

impl Spent {
    /// Whose budget it is, and what was spent of it, as a refusal says.
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Own => ("this key", "spent $1.25 of its $1 "),
            Self::MidMonth => ("this key", "spent $2.500000001 of its $2 "),
            Self::Shared => ("this key", "spent $5 of its $5 "),
            Self::Day => ("this key", "spent $0.75 of its $0.5 "),
            Self::Team => ("the team `", "spent $12.5 of its $10 "),
            Self::Member => ("this user in this team", "spent $3.5 of its $3 "),
            Self::User => ("the user `", "spent $1.5 of its $1 "),
        }
    }
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
        self.exhausted().first().copied()
    }

    /// Every budget that is used up: of the key itself at most one, and those above it.
    pub(super) fn exhausted(&self) -> Vec<Spent> {
        let on = |rest: bool, why: Spent| rest.then_some(why);
        let own = on(self.number % 17 == 5, Spent::Own)
            .or(on(self.number % 13 == 6, Spent::MidMonth))
            .or(on(self.number % 19 == 7, Spent::Shared))
            .or(on(self.number % 23 == 8, Spent::Day));
        let above = [
            on(self.team == Some(5), Spent::Team),
            on(self.team == Some(6) && self.user == 6, Spent::Member),
            on(self.user == 9, Spent::User),
        ];
        own.into_iter().chain(above.into_iter().flatten()).collect()
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

    /// The model groups that LiteLLM lists for it.
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
        MODELS.into_iter().filter(|model| own(model) && above(model)).collect()
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

    pub(super) fn row(&self) -> Value {
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
                {"budget_duration": "1d", "max_budget": 0.5,
                 "reset_at": "2026-05-18T00:00:00+00:00"},
            ]}),
            _ => json!({}),
        };
        fields.extend(more.as_object().cloned().expect("an object"));
        row
    }

    pub(super) fn window(&self) -> Option<Value> {
        (self.spent() == Some(Spent::Day)).then(|| {
            json!({
                "entity_type": "key", "entity_id": self.hash(), "window_duration": "1d",
                "window_start": "2026-05-17T00:00:00", "spend": 0.75, "updated_at": NOW,
            })
        })
    }
}

/// The models that a team may call; none means all.
pub(super) fn team_models(team: usize) -> &'static [&'static str] {
    match team % 3 {
        0 => &[],
        1 => &["chat"],
        _ => &["chat", "other"],
    }
}
