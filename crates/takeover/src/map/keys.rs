//! Virtual keys, and the secrets that still work after a rotation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use tollgate_domain::{
    BudgetId, KeyHash, KeyId, Level, OrganizationId, ProjectId, Subject, TeamId, UserId,
};
use tollgate_store::{KeyRow, KeyRules, LimitFields};

use super::entities::{known, models, organization};
use super::kept::{keep, remark_metadata};
use super::windows::Said;
use super::{IMPORTED_BY, Mapping, instant, limits, spend, text};
use crate::daily::key_id;
use crate::grade::Marks;
use crate::source::{Row, Table};

impl Mapping<'_> {
    pub(super) fn keys(&mut self) {
        let teams: BTreeMap<&str, Option<&str>> = self
            .source
            .rows(Table::Teams)
            .iter()
            .map(|team| (text(team, "team_id"), team.text("organization_id")))
            .collect();
        let mut aliases = BTreeSet::new();
        for row in self.source.rows(Table::Keys) {
            let name = name(row);
            if row.text("team_id") == Some(SESSIONS) {
                self.grades.leave("sessions of LiteLLM's web pages", "people sign in anew", 1);
                continue;
            }
            let mut marks = Marks::default();
            if let Some(mut key) = self.key(row, &teams, &mut marks) {
                if key.alias.as_ref().is_some_and(|alias| !aliases.insert(alias.clone())) {
                    marks.approximated("another key has the same alias; this one comes without");
                    key.alias = None;
                }
                self.keys.push(key);
            }
            self.grades.enter("keys", &name, marks);
        }
    }

    fn key(
        &mut self,
        row: &Row,
        teams: &BTreeMap<&str, Option<&str>>,
        marks: &mut Marks,
    ) -> Option<KeyRow> {
        let Some(hash) = KeyHash::parse_hex(text(row, "token")) else {
            marks.manual("its `token` is no SHA-256 of a key; make a new key");
            return None;
        };
        let id = key_id(&hash);
        let created_at = instant(row, "created_at");
        let mut metadata = row.object("metadata");
        let mut limits = limits::of_row(row, marks);
        limits::take_from(&mut metadata, &mut limits, marks);
        remark_metadata(&metadata, marks);
        keep(row, (&WITHOUT_EFFECT, KNOWN), &mut metadata, marks);
        let mut main = Said {
            spent: spend(row, marks),
            resets_at: row.instant("budget_reset_at"),
            began_at: None,
        };
        if let Some(word) = &limits.budget_duration {
            limits.running = self.at().running(word, &mut main, Some(created_at), marks);
        }
        let others = self.windows_of((row, text(row, "token")), &mut limits, created_at, marks);
        let budget = self.named_budget(row, marks);
        self.reset_with(budget.as_ref(), &mut limits, &mut main);
        let subject = Subject::new(Level::Key, &id);
        self.note_spend(subject, (&limits, budget.as_ref()), created_at, (main.spent, &others));
        let granted = self.with_access_groups(row, models(row, "models", marks), marks);
        let (team, organization) = team_of(row, teams, marks);
        Some(KeyRow {
            id: KeyId::new(&id).ok()?,
            hash,
            name: row.text("key_name").unwrap_or("sk-...").to_owned(),
            alias: row.owned("key_alias"),
            user: identity(row, "user_id", UserId::new, marks),
            team,
            organization,
            project: identity(row, "project_id", ProjectId::new, marks),
            models: granted,
            limits,
            budget,
            expires_at: row.instant("expires"),
            blocked: row.flag("blocked"),
            rules: KeyRules {
                allowed_routes: row.texts("allowed_routes"),
                aliases: aliases(row),
                enforced_params: listed(&metadata, "enforced_params"),
                get_spend_routes: sees_spend(row, marks),
            },
            metadata,
            created_at,
            created_by: row.owned("created_by"),
            updated_at: row.instant("updated_at").unwrap_or(created_at),
            updated_by: Some(IMPORTED_BY.to_owned()),
        })
    }

    /// A key with a cap of its own and no period is reset with the budget that it names
    /// (management-api §6).
    fn reset_with(&self, budget: Option<&BudgetId>, limits: &mut LimitFields, main: &mut Said) {
        let Some(shared) = budget.and_then(|id| self.budgets.get(id)) else { return };
        if limits.max_budget.is_none() || limits.budget_duration.is_some() {
            return;
        }
        limits.budget_duration.clone_from(&shared.row.limits.budget_duration);
        limits.running = shared.row.limits.running;
        if !shared.present {
            main.spent = None;
        }
    }

    /// Secrets that a rotation replaced and that still work for a while: each a key of its own that
    /// ends then, with the spend of the key that took its place.
    pub(super) fn old_keys(&mut self) {
        for row in self.source.rows(Table::OldKeys) {
            let mut marks = Marks::default();
            let until = row.instant("revoke_at").filter(|until| *until > self.told.now);
            let Some(until) = until else { continue };
            let active = KeyHash::parse_hex(text(row, "active_token_id"));
            let active = self.keys.iter().find(|key| Some(key.hash) == active);
            let (Some(active), Some(hash)) = (active, KeyHash::parse_hex(text(row, "token")))
            else {
                marks.manual("a rotated key whose successor is not there stops working");
                self.grades.enter("rotated keys", "", marks);
                continue;
            };
            let id = key_id(&hash);
            let expires_at = active.expires_at.map_or(until, |expires| expires.min(until));
            let Ok(key_id) = KeyId::new(&id) else { continue };
            let key = KeyRow {
                id: key_id,
                hash,
                name: format!("{} (rotated)", active.name),
                alias: None,
                expires_at: Some(expires_at),
                ..active.clone()
            };
            marks.approximated(
                "a rotated secret works until its date as a key of its own: it counts what it \
                 spends from there on beside its successor, not together with it",
            );
            let name = active.alias.clone().unwrap_or_else(|| active.name.clone());
            let of_active = Subject::new(Level::Key, active.id.as_str());
            if let Some(spent) = self.windows.get(&of_active).cloned() {
                self.windows.insert(Subject::new(Level::Key, &id), spent);
            }
            self.grades.enter("rotated keys", &name, marks);
            self.keys.push(key);
        }
    }
}

/// What people may see of a key.
fn name(row: &Row) -> String {
    row.text("key_alias")
        .or_else(|| row.text("key_name"))
        .unwrap_or("a key without a name")
        .to_owned()
}

/// A key's team, and the organization that it belongs to: its own, else its team's.
fn team_of(
    row: &Row,
    teams: &BTreeMap<&str, Option<&str>>,
    marks: &mut Marks,
) -> (Option<TeamId>, Option<OrganizationId>) {
    let team = identity(row, "team_id", TeamId::new, marks);
    let of_team = team.as_ref().and_then(|team| teams.get(team.as_str()).copied().flatten());
    let of_team = of_team.and_then(|id| OrganizationId::new(id).ok());
    (team, organization(row, marks).or(of_team))
}

fn identity<T, E: std::fmt::Display>(
    row: &Row,
    column: &str,
    read: impl Fn(&str) -> Result<T, E>,
    marks: &mut Marks,
) -> Option<T> {
    read(row.text(column)?)
        .map_err(|problem| marks.manual(format!("`{column}` is not brought: {problem}")))
        .ok()
}

/// Other names of models that the key may call them by.
fn aliases(row: &Row) -> BTreeMap<String, String> {
    let named = row.object("aliases").into_iter();
    named.filter_map(|(name, model)| Some((name, model.as_str()?.to_owned()))).collect()
}

/// Whether the key may see what everybody spent; its other permissions are for what is not here.
fn sees_spend(row: &Row, marks: &mut Marks) -> bool {
    let mut given = row.object("permissions");
    let sees_spend = given.remove("get_spend_routes") == Some(Value::Bool(true));
    if given.values().any(|value| !matches!(value, Value::Null | Value::Bool(false))) {
        marks.unsupported("`permissions` beside `get_spend_routes` have no effect here");
    }
    sees_spend
}

/// A list of texts in the metadata.
fn listed(metadata: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = metadata.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The team of sessions (litellm/database.md "Encodings").
const SESSIONS: &str = "litellm-dashboard";

/// Columns that mean something here, or only to LiteLLM's own bookkeeping.
const KNOWN: &[&str] = known!(
    "token",
    "key_name",
    "key_alias",
    "expires",
    "user_id",
    "team_id",
    "project_id",
    "organization_id",
    "access_group_ids",
    "aliases",
    "allowed_routes",
    "key_type",
    "permissions",
    "soft_budget_cooldown",
    "settings_updated_at",
    "last_active",
    "rotation_count",
    "last_rotation_at"
);

const WITHOUT_EFFECT: [&str; 11] = [
    "agent_id",
    "allowed_cache_controls",
    "auto_rotate",
    "budget_fallbacks",
    "config",
    "key_rotation_at",
    "object_permission_id",
    "policies",
    "rotation_interval",
    "router_settings",
    "tags",
];
