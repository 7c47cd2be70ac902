//! Limits as they are written: LiteLLM's fields, kept as one JSON object beside whoever they bind.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use tollgate_domain::{ModelName, Money, Timestamp};
use tollgate_policy::{Bounds, Limits, MoneyBound, Period, Raise, Running};

use crate::StoreError;

/// The limit fields of a key, a team, a budget or another level. Names and meanings are those of
/// the management API (management-api §1); money is in nano-dollars, times in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitFields {
    /// The most that may be spent in all, or within `budget_duration`.
    #[serde(skip_serializing_if = "Option::is_none", with = "nanos")]
    pub max_budget: Option<Money>,
    /// Spend from which on the operator is told.
    #[serde(skip_serializing_if = "Option::is_none", with = "nanos")]
    pub soft_budget: Option<Money>,
    /// The period of `max_budget`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_duration: Option<String>,
    /// The window of `max_budget` that ran when it was taken over, where the calendar has another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningField>,
    /// Whether periods begin on the day of creation (`created_at`) instead of the calendar's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
    /// Further caps, each with its period.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub budget_limits: Vec<WindowField>,
    /// Caps for single model groups.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub model_max_budget: BTreeMap<String, ModelBudgetField>,
    /// Requests a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm_limit: Option<u64>,
    /// Tokens a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm_limit: Option<u64>,
    /// Calls at one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_parallel_requests: Option<u64>,
    /// Requests a minute for single model groups.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub model_rpm_limit: BTreeMap<String, u64>,
    /// Tokens a minute for single model groups.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub model_tpm_limit: BTreeMap<String, u64>,
    /// How much more than `max_budget` may be spent until `temp_budget_expiry`.
    #[serde(skip_serializing_if = "Option::is_none", with = "nanos")]
    pub temp_budget_increase: Option<Money>,
    /// When the increase ends, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temp_budget_expiry: Option<i64>,
}

/// One of `budget_limits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowField {
    /// The period.
    pub budget_duration: String,
    /// The cap, in nano-dollars.
    #[serde(with = "nano")]
    pub max_budget: Money,
    /// The window that ran when it was taken over, where the calendar has another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningField>,
}

/// A window with edges of its own, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningField {
    /// Its first instant.
    pub since: i64,
    /// The first instant after it.
    pub until: i64,
}

/// One of `model_max_budget`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelBudgetField {
    /// The cap, in nano-dollars.
    #[serde(skip_serializing_if = "Option::is_none", with = "nanos")]
    pub max_budget: Option<Money>,
    /// Its period; all time when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_duration: Option<String>,
    /// Requests a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm_limit: Option<u64>,
    /// Tokens a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm_limit: Option<u64>,
}

impl LimitFields {
    /// These fields, with what they leave open taken from a shared budget (management-api §5).
    #[must_use]
    pub fn over(&self, shared: &Self) -> Self {
        let mut all = self.clone();
        let own_money = all.max_budget.is_some();
        all.max_budget = all.max_budget.or(shared.max_budget);
        all.soft_budget = all.soft_budget.or(shared.soft_budget);
        if !own_money && all.budget_duration.is_none() {
            all.budget_duration.clone_from(&shared.budget_duration);
            all.running = shared.running;
        }
        if all.budget_limits.is_empty() {
            all.budget_limits.clone_from(&shared.budget_limits);
        }
        if all.model_max_budget.is_empty() {
            all.model_max_budget.clone_from(&shared.model_max_budget);
        }
        all.rpm_limit = all.rpm_limit.or(shared.rpm_limit);
        all.tpm_limit = all.tpm_limit.or(shared.tpm_limit);
        all.max_parallel_requests = all.max_parallel_requests.or(shared.max_parallel_requests);
        all
    }

    /// The limits that these fields set.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when a period or a model name is none; what the management API
    /// writes always reads.
    pub fn compile(&self) -> Result<Limits, StoreError> {
        let mut money = vec![];
        // The main budget comes first even without a cap: its window is what `spend` shows.
        let main = (self.budget_duration.as_deref(), self.running);
        push(&mut money, self.max_budget, main)?;
        for window in &self.budget_limits {
            let period = (Some(&*window.budget_duration), window.running);
            push(&mut money, Some(window.max_budget), period)?;
        }
        let models = self.models().map(|model| Ok((named(model)?, self.of_model(model)?)));
        let raise = self.temp_budget_increase.zip(self.temp_budget_expiry);
        Ok(Limits {
            whole: Bounds {
                money,
                requests: self.rpm_limit,
                tokens: self.tpm_limit,
                calls: self.max_parallel_requests,
            },
            models: models.collect::<Result<_, StoreError>>()?,
            raise: raise.map(|(by, until)| Raise { by, until: Timestamp::from_micros(until) }),
            soft: self.soft_budget,
            anniversary: self.anchor.is_some(),
        })
    }

    fn models(&self) -> impl Iterator<Item = &str> {
        let names: BTreeSet<&String> = self
            .model_max_budget
            .keys()
            .chain(self.model_rpm_limit.keys())
            .chain(self.model_tpm_limit.keys())
            .collect();
        names.into_iter().map(String::as_str)
    }

    /// A rate in the model's own field counts before one beside its budget (management-api §7).
    fn of_model(&self, model: &str) -> Result<Bounds, StoreError> {
        let budget = self.model_max_budget.get(model);
        let mut money = vec![];
        if let Some(cap) = budget.and_then(|budget| budget.max_budget) {
            let period = budget.and_then(|budget| budget.budget_duration.as_deref());
            push(&mut money, Some(cap), (period, None))?;
        }
        let requests = self.model_rpm_limit.get(model).copied();
        let tokens = self.model_tpm_limit.get(model).copied();
        Ok(Bounds {
            money,
            requests: requests.or(budget.and_then(|budget| budget.rpm_limit)),
            tokens: tokens.or(budget.and_then(|budget| budget.tpm_limit)),
            calls: None,
        })
    }
    /// The same for people: money in dollars.
    pub(crate) fn described(&self) -> Map<String, Json> {
        let mut shown = match serde_json::to_value(self) {
            Ok(Json::Object(fields)) => fields,
            _ => Map::new(),
        };
        let windows = self.budget_limits.iter();
        let windows = windows.map(|window| {
            json!({ "budget_duration": window.budget_duration, "max_budget": window.max_budget })
        });
        let models = self.model_max_budget.iter();
        let models = models.map(|(model, budget)| {
            let mut fields = json!(budget);
            fields["max_budget"] = json!(budget.max_budget);
            (model.clone(), fields)
        });
        for (name, value) in [
            ("max_budget", json!(self.max_budget)),
            ("soft_budget", json!(self.soft_budget)),
            ("temp_budget_increase", json!(self.temp_budget_increase)),
            ("budget_limits", windows.collect()),
            ("model_max_budget", Json::Object(models.collect())),
        ] {
            if let Some(field) = shown.get_mut(name) {
                *field = value;
            }
        }
        shown
    }

    pub(crate) fn to_text(&self) -> String {
        // A struct of numbers, texts and maps with text keys always has a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn read(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text).map_err(|error| unreadable(&error))
    }
}

/// Adds a cap. Of two with the same period the lower one counts, because they count the same.
fn push(
    money: &mut Vec<MoneyBound>,
    cap: Option<Money>,
    (word, running): (Option<&str>, Option<RunningField>),
) -> Result<(), StoreError> {
    let period: Option<Period> =
        word.map(|word| Period::parse(word).map_err(|error| unreadable(&error))).transpose()?;
    let running = running.map(|field| Running {
        since: Timestamp::from_micros(field.since),
        until: Timestamp::from_micros(field.until),
    });
    match money.iter_mut().find(|bound| bound.period == period) {
        Some(same) => same.cap = same.cap.into_iter().chain(cap).min(),
        None => money.push(MoneyBound { cap, period, running }),
    }
    Ok(())
}

fn named(model: &str) -> Result<ModelName, StoreError> {
    ModelName::new(model).map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unreadable { column: "limits", detail: error.to_string() }
}

/// Money as a whole number of nano-dollars.
mod nano {
    use serde::{Deserialize, Deserializer, Serializer};
    use tollgate_domain::Money;

    pub(super) fn serialize<S: Serializer>(money: &Money, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(money.nanos())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Money, D::Error> {
        i64::deserialize(from).map(Money::from_nanos)
    }
}

/// Money that may be absent, as a whole number of nano-dollars.
mod nanos {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use tollgate_domain::Money;

    #[expect(clippy::ref_option, reason = "the signature that serde asks for")]
    pub(super) fn serialize<S: Serializer>(
        money: &Option<Money>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        money.map(Money::nanos).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Money>, D::Error> {
        Ok(Option::<i64>::deserialize(from)?.map(Money::from_nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn dollars(count: i64) -> Money {
        Money::from_nanos(count * 1_000_000_000)
    }

    fn window(duration: &str, cap: i64) -> WindowField {
        WindowField {
            budget_duration: duration.to_owned(),
            max_budget: dollars(cap),
            running: None,
        }
    }

    #[test]
    fn fields_read_back_what_they_write_and_nothing_is_an_empty_object() {
        assert_eq!(LimitFields::default().to_text(), "{}");
        let fields = LimitFields {
            max_budget: Some(Money::MAX),
            budget_duration: Some("30d".to_owned()),
            budget_limits: vec![window("1d", 0)],
            rpm_limit: Some(0),
            model_tpm_limit: [("gpt-4o".to_owned(), u64::MAX)].into(),
            temp_budget_increase: Some(dollars(1)),
            temp_budget_expiry: Some(5),
            ..LimitFields::default()
        };
        assert_eq!(LimitFields::read(&fields.to_text()).expect("it reads"), fields);
        assert!(LimitFields::read("7").is_err());
    }

    #[test]
    fn two_caps_with_one_period_count_once_at_the_lower_cap() {
        let fields = LimitFields {
            max_budget: Some(dollars(10)),
            budget_duration: Some("1d".to_owned()),
            budget_limits: vec![window("1d", 7), window("7d", 20)],
            ..LimitFields::default()
        };
        let limits = fields.compile().expect("limits");
        let caps: Vec<_> = limits.whole.money.iter().map(|bound| bound.cap).collect();
        assert_eq!(caps, [Some(dollars(7)), Some(dollars(20))]);
    }

    #[test]
    fn spend_is_that_of_the_main_budget_whatever_other_windows_there_are() {
        let fields = LimitFields { budget_limits: vec![window("1d", 7)], ..LimitFields::default() };
        let limits = fields.compile().expect("limits");
        let main = &limits.whole.money[0];
        assert_eq!((main.cap, main.period), (None, None));
        assert_eq!(limits.whole.money.len(), 2);
    }

    #[test]
    fn a_shared_budget_fills_what_the_own_fields_leave_open() {
        let shared = LimitFields {
            max_budget: Some(dollars(50)),
            budget_duration: Some("30d".to_owned()),
            rpm_limit: Some(10),
            ..LimitFields::default()
        };
        let own = LimitFields { rpm_limit: Some(3), ..LimitFields::default() };
        let both = own.over(&shared);
        assert_eq!((both.max_budget, both.rpm_limit), (Some(dollars(50)), Some(3)));
        assert_eq!(both.budget_duration.as_deref(), Some("30d"));
        let richer = LimitFields { max_budget: Some(dollars(9)), ..LimitFields::default() };
        assert_eq!(richer.over(&shared).budget_duration, None, "the own cap has its own period");
    }

    #[test]
    fn a_models_own_rate_counts_before_the_one_beside_its_budget() {
        let beside = ModelBudgetField {
            max_budget: Some(dollars(1)),
            rpm_limit: Some(9),
            tpm_limit: Some(90),
            ..ModelBudgetField::default()
        };
        let fields = LimitFields {
            model_max_budget: [("gpt-4o".to_owned(), beside)].into(),
            model_rpm_limit: [("gpt-4o".to_owned(), 5)].into(),
            ..LimitFields::default()
        };
        let limits = fields.compile().expect("limits");
        let bounds = limits.models.values().next().expect("the model");
        assert_eq!((bounds.requests, bounds.tokens), (Some(5), Some(90)));
        assert_eq!(bounds.money.len(), 1);
    }
}
