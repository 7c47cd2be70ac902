//! What new users and teams have where the request that makes them says nothing.

use serde_json::{Map, Value as Json};
use tollgate_domain::{Money, OrganizationId, TeamId};
use tollgate_policy::{MEMBER_ROUTES, Period, Role};

use super::key_making::{COUNT_MAX, COUNTS, checked, dollars, models};
use super::{Sections, Settings};
use crate::calendar::word;
use crate::schema::{KnownKeys, Reader, Section};
use crate::yaml::{Entry, Mapping, Value};

/// What new users and teams start with (`litellm_settings`; management-api §3 and §4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newcomers {
    /// `default_internal_user_params`: fields of a request for a user who manages nothing of
    /// others, each of the type that requests have it in.
    pub user: Map<String, Json>,
    /// `max_internal_user_budget`, else `default_max_internal_user_budget`: the budget of such a
    /// user who has none otherwise.
    pub user_budget: Option<Money>,
    /// `internal_user_budget_duration`: the period of such a user's budget, likewise.
    pub user_budget_duration: Option<String>,
    /// `default_team_params`, and the budget of `default_team_settings`: fields of a request for a
    /// team.
    pub team: Map<String, Json>,
}

/// Reads those of `litellm_settings`.
pub(super) fn read(reader: &mut Reader<'_>, sections: &mut Sections<'_>, settings: &mut Settings) {
    let litellm = &mut sections.litellm;
    let mut newcomers = Newcomers::default();
    if let Some(mapping) = mapping(reader, litellm.take("default_internal_user_params")) {
        newcomers.user = user(reader, Section::new(NAME, mapping));
    }
    if let Some(mapping) = mapping(reader, litellm.take("default_team_params")) {
        newcomers.team = team(reader, Section::new(NAME, mapping));
    }
    if let Some(entry) = litellm.take("default_team_settings")
        && let Some(budget) = first_budget(reader, entry)
    {
        newcomers.team.entry(BUDGET).or_insert(budget);
    }
    let mut amount = |name| litellm.take(name).and_then(|entry| reader.dollars(entry));
    let (most, usual) =
        (amount("max_internal_user_budget"), amount("default_max_internal_user_budget"));
    newcomers.user_budget = most.or(usual);
    let period = litellm.take("internal_user_budget_duration");
    newcomers.user_budget_duration =
        period.and_then(|entry| word(reader, entry, checked(Period::parse)));
    settings.newcomers = newcomers;
}

fn mapping<'e>(reader: &mut Reader<'_>, entry: Option<&'e Entry>) -> Option<&'e Mapping> {
    entry.and_then(|entry| reader.mapping(entry))
}

fn user(reader: &mut Reader<'_>, mut section: Section<'_>) -> Map<String, Json> {
    let mut fields = limits(reader, &mut section);
    let roles = Role::ALL.map(Role::as_str);
    let role = section.take("user_role").and_then(|entry| {
        word(reader, entry, |text| {
            let known = Role::parse(text).map(|role| role.as_str().to_owned());
            known.ok_or_else(|| format!("expected one of {roles:?}"))
        })
    });
    fields.extend(role.map(|role| ("user_role".to_owned(), Json::from(role))));
    let granted = section.take("models").map(|entry| models(reader, entry));
    fields.extend(granted.map(|models| ("models".to_owned(), Json::from(models))));
    let joined = section.take("teams").and_then(|entry| teams(reader, entry));
    fields.extend(joined.map(|teams| ("teams".to_owned(), teams)));
    section.finish(&KnownKeys::NEWCOMERS, &mut reader.findings);
    fields
}

fn team(reader: &mut Reader<'_>, mut section: Section<'_>) -> Map<String, Json> {
    let mut fields = limits(reader, &mut section);
    let organization = section.take("organization_id");
    let organization = organization.and_then(|e| word(reader, e, checked(OrganizationId::new)));
    fields.extend(organization.map(|id| ("organization_id".to_owned(), Json::from(id))));
    if let Some(entry) = section.take("team_member_permissions") {
        let routes = reader.texts(entry);
        if let Some(route) = routes.iter().find(|route| !MEMBER_ROUTES.contains(&&***route)) {
            let message = format!("`{route}` is no route that a team can give to its members");
            reader.out_of_range(entry, message, &format!("expected some of {MEMBER_ROUTES:?}"));
        }
        fields.insert(entry.name.to_string(), Json::from(routes));
    }
    section.finish(&KnownKeys::NEWCOMERS, &mut reader.findings);
    fields
}

/// The limits that users and teams both have.
fn limits(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Map<String, Json> {
    let mut fields = Map::new();
    let budget = section.take(BUDGET).and_then(|entry| dollars(reader, entry));
    fields.extend(budget.map(|budget| (BUDGET.to_owned(), budget)));
    let period = section.take("budget_duration");
    let period = period.and_then(|entry| word(reader, entry, checked(Period::parse)));
    fields.extend(period.map(|period| ("budget_duration".to_owned(), Json::from(period))));
    for name in COUNTS {
        let count = section.take(name).and_then(|entry| reader.count(entry, COUNT_MAX));
        fields.extend(count.map(|count| (name.to_owned(), Json::from(count))));
    }
    fields
}

/// Teams that new users join: identities, or these with a budget and a role.
fn teams(reader: &mut Reader<'_>, entry: &Entry) -> Option<Json> {
    let listed: Vec<Json> = serde_json::from_str(&reader.json(&entry.node)).unwrap_or_default();
    let is_team = |team: &Json| match team {
        Json::String(id) => TeamId::new(id).is_ok(),
        Json::Object(fields) => {
            let id = fields.get("team_id").and_then(Json::as_str);
            let known = |name: &String| OF_MEMBERSHIP.contains(&&**name);
            id.is_some_and(|id| TeamId::new(id).is_ok()) && fields.keys().all(known)
        }
        _ => false,
    };
    if listed.is_empty() || !listed.iter().all(is_team) {
        let expected = "a list of teams, each an id or `{team_id, max_budget_in_team, user_role}`,";
        reader.wrong_type(entry, expected);
        return None;
    }
    Some(Json::from(listed))
}

/// The budget of new teams in `default_team_settings`, where only its first entry has one.
fn first_budget(reader: &mut Reader<'_>, entry: &Entry) -> Option<Json> {
    let Value::List(items) = &entry.node.value else {
        reader.wrong_type(entry, "a list");
        return None;
    };
    let mut budgets = Vec::with_capacity(items.len());
    for item in items {
        let Value::Map(mapping) = &item.value else { continue };
        let mut section = Section::new(NAME, mapping);
        let first = budgets.is_empty().then(|| section.take(BUDGET)).flatten();
        budgets.push(first.and_then(|entry| dollars(reader, entry)));
        section.finish(&KnownKeys::NEWCOMERS, &mut reader.findings);
    }
    budgets.into_iter().next().flatten()
}

/// The field of a budget.
const BUDGET: &str = "max_budget";
/// How findings name the sections.
const NAME: &str = "the defaults of new users and teams";
/// What a membership in a team says.
const OF_MEMBERSHIP: [&str; 3] = ["team_id", "max_budget_in_team", "user_role"];

#[cfg(test)]
mod tests;
