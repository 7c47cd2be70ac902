//! How virtual keys may be made: what they have where a request says nothing, the most they may
//! have, and who makes them.

use std::time::Duration;

use serde_json::{Map, Value as Json};
use tollgate_domain::{ModelName, Money, TeamId, UserId, parse_lifetime};
use tollgate_policy::Period;

use super::{Sections, Settings};
use crate::calendar::word;
use crate::schema::{KnownKeys, Reader, Section};
use crate::yaml::Entry;

/// The rules for making keys (`litellm_settings`; management-api §1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyMaking {
    /// `default_key_generate_params`: fields of a request that leaves them out, each of the type
    /// that requests have it in.
    pub defaults: Map<String, Json>,
    /// `upperbound_key_generate_params`.
    pub most: KeyBounds,
    /// `key_generation_settings.personal_key_generation`: for keys without a team.
    pub personal: Makers,
    /// `key_generation_settings.team_key_generation`: for keys of a team.
    pub team: Makers,
    /// How long a text that was replaced is still taken, where a request does not say:
    /// `LITELLM_KEY_ROTATION_GRACE_PERIOD`.
    pub grace: Option<Duration>,
}

/// The most that a key may have. A request that leaves a field out gets this.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyBounds {
    /// Dollars.
    pub max_budget: Option<Money>,
    /// How long it can be used.
    pub duration: Option<Duration>,
    /// The period of its budget, as the file words it, and its length.
    pub budget_duration: Option<(String, Duration)>,
    /// Calls at once.
    pub max_parallel_requests: Option<u64>,
    /// Tokens a minute.
    pub tpm_limit: Option<u64>,
    /// Requests a minute.
    pub rpm_limit: Option<u64>,
}

/// Who makes keys of one kind, and what their requests have to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Makers {
    /// Their roles: of users for keys without a team, of members for keys of a team. `None` for
    /// all who may otherwise.
    pub roles: Option<Vec<String>>,
    /// Fields that every such request has to have.
    pub required: Vec<String>,
}

/// Reads those of `litellm_settings`.
pub(super) fn read(reader: &mut Reader<'_>, sections: &mut Sections<'_>, settings: &mut Settings) {
    let litellm = &mut sections.litellm;
    let mut making = KeyMaking { grace: grace(reader), ..KeyMaking::default() };
    with(reader, litellm.take("default_key_generate_params"), |reader, section| {
        making.defaults = defaults(reader, section);
    });
    with(reader, litellm.take("upperbound_key_generate_params"), |reader, section| {
        making.most = bounds(reader, section);
    });
    with(reader, litellm.take("key_generation_settings"), |reader, section| {
        with(reader, section.take("personal_key_generation"), |reader, section| {
            making.personal = makers(reader, section, "allowed_user_roles");
        });
        with(reader, section.take("team_key_generation"), |reader, section| {
            making.team = makers(reader, section, "allowed_team_member_roles");
        });
    });
    settings.key_making = making;
}

/// Reads the section below an entry, if there is one, to its end.
fn with<'e>(
    reader: &mut Reader<'_>,
    entry: Option<&'e Entry>,
    read: impl FnOnce(&mut Reader<'_>, &mut Section<'e>),
) {
    let Some(mapping) = entry.and_then(|entry| reader.mapping(entry)) else { return };
    let mut section = Section::new("the making of keys", mapping);
    read(reader, &mut section);
    section.finish(&UNREAD, &mut reader.findings);
}

fn defaults(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Map<String, Json> {
    let mut defaults = Map::new();
    let mut keep = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            defaults.insert(name.to_owned(), value);
        }
    };
    keep("max_budget", section.take("max_budget").and_then(|entry| dollars(reader, entry)));
    for name in COUNTS {
        let count = section.take(name).and_then(|entry| reader.count(entry, COUNT_MAX));
        keep(name, count.map(Json::from));
    }
    let lifetime = section.take("duration").and_then(|e| word(reader, e, checked(parse_lifetime)));
    keep("duration", lifetime.map(Json::from));
    let period = section.take("budget_duration");
    let period = period.and_then(|entry| word(reader, entry, checked(Period::parse)));
    keep("budget_duration", period.map(Json::from));
    let user = section.take("user_id").and_then(|e| word(reader, e, checked(UserId::new)));
    keep("user_id", user.map(Json::from));
    let team = section.take("team_id").and_then(|e| word(reader, e, checked(TeamId::new)));
    keep("team_id", team.map(Json::from));
    let models = section.take("models").map(|entry| models(reader, entry));
    keep("models", models.map(Json::from));
    let metadata = section.take("metadata").and_then(|entry| {
        reader.mapping(entry)?;
        serde_json::from_str(&reader.json(&entry.node)).ok()
    });
    keep("metadata", metadata);
    defaults
}

/// An amount of dollars, as requests have it.
pub(super) fn dollars(reader: &mut Reader<'_>, entry: &Entry) -> Option<Json> {
    let text = reader.dollars(entry).map(|_| reader.json(&entry.node))?;
    serde_json::from_str(text.trim_matches('"')).ok()
}

/// The names of models, patterns and access groups.
pub(super) fn models(reader: &mut Reader<'_>, entry: &Entry) -> Vec<String> {
    let texts = reader.texts(entry);
    if let Some(problem) = texts.iter().find_map(|text| ModelName::new(text).err()) {
        reader.out_of_range(entry, "`models` holds no model".to_owned(), &problem.to_string());
    }
    texts
}

/// Reads a word as something, and keeps the word.
pub(super) fn checked<T, E>(
    parse: impl Fn(&str) -> Result<T, E>,
) -> impl Fn(&str) -> Result<String, E> {
    move |text| parse(text).map(|_| text.to_owned())
}

fn bounds(reader: &mut Reader<'_>, section: &mut Section<'_>) -> KeyBounds {
    let max_budget = section.take("max_budget").and_then(|entry| reader.dollars(entry));
    let duration = section.take("duration").and_then(|e| word(reader, e, parse_lifetime));
    let budget_duration = section.take("budget_duration").and_then(|entry| {
        word(reader, entry, |text| parse_lifetime(text).map(|length| (text.to_owned(), length)))
    });
    let [max_parallel_requests, tpm_limit, rpm_limit] =
        COUNTS.map(|name| section.take(name).and_then(|entry| reader.count(entry, COUNT_MAX)));
    KeyBounds { max_budget, duration, budget_duration, max_parallel_requests, tpm_limit, rpm_limit }
}

fn makers(reader: &mut Reader<'_>, section: &mut Section<'_>, roles: &'static str) -> Makers {
    let roles = section.take(roles).map(|entry| reader.texts(entry));
    let required = section.take("required_params").map(|entry| reader.texts(entry));
    Makers { roles, required: required.unwrap_or_default() }
}

/// LiteLLM's variable. What is no lifetime is noted, and every text that is replaced ends at once.
fn grace(reader: &mut Reader<'_>) -> Option<Duration> {
    let text = reader.env.variable("LITELLM_KEY_ROTATION_GRACE_PERIOD")?;
    parse_lifetime(text.trim()).ok()
}

/// The whole numbers.
pub(super) const COUNTS: [&str; 3] = ["max_parallel_requests", "tpm_limit", "rpm_limit"];
/// The largest of them.
pub(super) const COUNT_MAX: u64 = i64::MAX.unsigned_abs();
/// Keys of LiteLLM's in these sections that have no effect yet.
const UNREAD: KnownKeys = KnownKeys::KEY_MAKING;

#[cfg(test)]
mod tests;
