//! Nobody can grant more than they hold: what is asked of whoever does not manage everything.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use tollgate_domain::{Level, Subject, UserId};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{
    Excess, Grant, Holding, Limits, ModelWords, Wanted, excess, is_reserved, routes_beyond,
};
use tollgate_store::{KeyRow, LevelRecord, granting};

use super::make::SERVICE;
use super::record::PERMISSIONS;
use super::{making, no_such_key, theirs};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::gatekeeper::Actor;
use crate::problem::{self, echo};
use crate::query::forbidden;

/// Fields that only those write who manage everything: they change what a key may do beside its
/// models and limits, or whom its spend is charged to.
const ADMINS_ONLY: [&str; 4] = ["allowed_routes", "budget_id", PERMISSIONS, "project_id"];

/// The key that a caller calls with, and everybody whose grants bind its calls.
struct Held {
    row: KeyRow,
    levels: Vec<Arc<LevelRecord>>,
}

/// The user who holds the keys that the caller makes.
///
/// # Errors
/// Refused for a key without a user: nobody would hold what it makes.
pub(super) fn holder(desk: &Desk) -> Result<UserId, Refusal> {
    desk.by.user.clone().ok_or_else(|| {
        forbidden("a key without a user makes no keys, because nobody would hold them")
    })
}

/// Whether the caller may make this key, which takes over what the request leaves open from the
/// key it is asked for with.
pub(super) async fn may_make(
    desk: &Desk,
    fields: &Fields,
    row: &mut KeyRow,
) -> Result<(), Refusal> {
    let Some(held) = held(desk).await? else { return routes_of_admin(desk, None, row) };
    holder(desk)?;
    belongs(desk, row).await?;
    making::must_make(desk, fields, row)?;
    must_not_say(fields)?;
    if let Some(name) = row.metadata.keys().find(|name| is_reserved(name) && *name != SERVICE) {
        return Err(beyond("metadata", Some(name)));
    }
    inherit(&held.row, row);
    match over(desk, &held, row).await? {
        Some(excess) => Err(beyond(excess.field, excess.part.as_deref())),
        None => Ok(()),
    }
}

/// Whether the caller may turn one key into the other.
pub(super) async fn may_change(
    desk: &Desk,
    fields: &Fields,
    (before, after): (&KeyRow, &mut KeyRow),
) -> Result<(), Refusal> {
    let Some(held) = held(desk).await? else {
        return routes_of_admin(desk, Some(before), after);
    };
    let moved = (&before.user, &before.team, &before.organization)
        != (&after.user, &after.team, &after.organization);
    if moved {
        belongs(desk, after).await?;
        making::must_make(desk, fields, after)?;
    }
    if before.blocked != after.blocked {
        desk.must_oversee(theirs(before))?;
    }
    must_not_say(fields)?;
    if before.project != after.project {
        return Err(beyond("project_id", None));
    }
    keep_marks(before, after)?;
    let making = &desk.gatekeeper.snapshot().settings.key_making;
    if !moved && same_reach(before, after) {
        return Ok(());
    }
    making::must_be_within(&making.most, after, desk.clock.now())?;
    let Some(excess) = over(desk, &held, after).await? else { return Ok(()) };
    // Less than before is nobody's gift, whoever gave what there was.
    if !moved && lowered(desk, before, after).await? {
        return Ok(());
    }
    Err(beyond(excess.field, excess.part.as_deref()))
}

/// Whether the caller may be shown a text of this key: it opens everything that the key may.
pub(super) async fn may_hold(desk: &Desk, row: &KeyRow) -> Result<(), Refusal> {
    let Some(held) = held(desk).await?.filter(|held| held.row.id != row.id) else {
        return Ok(());
    };
    match over(desk, &held, row).await? {
        Some(excess) => Err(beyond(excess.field, excess.part.as_deref())),
        None => Ok(()),
    }
}

/// A key that may call only some routes makes none that may call others, whoever holds it.
fn routes_of_admin(desk: &Desk, before: Option<&KeyRow>, row: &mut KeyRow) -> Result<(), Refusal> {
    let Actor::Key(own) = desk.actor() else { return Ok(()) };
    let held = own.rules().map_or(&[][..], |rules| &rules.allowed_routes);
    let Some(before) = before else {
        if row.rules.allowed_routes.is_empty() {
            row.rules.allowed_routes = held.to_vec();
        }
        return within(held, row);
    };
    let same = before.rules.allowed_routes == row.rules.allowed_routes;
    if same { Ok(()) } else { within(held, row) }
}

fn within(held: &[String], row: &KeyRow) -> Result<(), Refusal> {
    match routes_beyond(held, &row.rules.allowed_routes) {
        Some(excess) => Err(beyond(excess.field, excess.part.as_deref())),
        None => Ok(()),
    }
}

/// The key that is called with, unless the caller manages everything.
async fn held(desk: &Desk) -> Result<Option<Held>, Refusal> {
    let Actor::Key(record) = desk.actor() else { return Ok(None) };
    if desk.by.is_admin() {
        return Ok(None);
    }
    let levels = desk.keys.chain(record).await.map_err(|problem| problem::store(&problem))?;
    let row = desk.db.find_key(&record.hash).await.map_err(|problem| problem::store(&problem))?;
    let row = row.ok_or_else(|| no_such_key("the calling key was deleted in the meantime"))?;
    Ok(Some(Held { row, levels }))
}

/// Whether a key may belong where it is to belong: to the caller, or to a member of a team that
/// the caller makes keys for.
async fn belongs(desk: &Desk, row: &KeyRow) -> Result<(), Refusal> {
    desk.must_make(theirs(row))?;
    let Some(user) = row.user.as_ref().filter(|user| desk.by.user.as_ref() != Some(user)) else {
        return Ok(());
    };
    let leads = desk.by.leads(row.team.as_ref());
    let team = row.team.as_ref();
    let Some(team) = team.filter(|_| leads || desk.by.administrates(row.organization.as_ref()))
    else {
        return Err(forbidden("a key for another user is made by those who lead their team"));
    };
    let member = desk.db.find_entity(Level::Member, team.as_str(), user.as_str()).await;
    match member.map_err(|problem| problem::store(&problem))? {
        Some(_) => Ok(()),
        None => Err(forbidden("the user is not in the team")),
    }
}

fn must_not_say(fields: &Fields) -> Result<(), Refusal> {
    match ADMINS_ONLY.into_iter().find(|name| fields.says(name)) {
        Some(name) => Err(beyond(name, None)),
        None => Ok(()),
    }
}

/// What a request leaves open comes from the key that it is made with, as far as that is bound.
fn inherit(from: &KeyRow, row: &mut KeyRow) {
    if row.models.is_empty() {
        row.models.clone_from(&from.models);
    }
    let mut limits = row.limits.over(&from.limits);
    for (own, theirs) in [
        (&mut limits.model_rpm_limit, &from.limits.model_rpm_limit),
        (&mut limits.model_tpm_limit, &from.limits.model_tpm_limit),
    ] {
        if own.is_empty() {
            own.clone_from(theirs);
        }
    }
    limits.anchor = limits.anchor.or_else(|| from.limits.anchor.clone());
    row.limits = limits;
    row.budget = row.budget.clone().or_else(|| from.budget.clone());
    row.expires_at = row.expires_at.or(from.expires_at);
    if row.rules.allowed_routes.is_empty() {
        row.rules.allowed_routes.clone_from(&from.rules.allowed_routes);
    }
    join(&mut row.rules.enforced_params, &from.rules.enforced_params);
    let mut tags = texts(row, TAGS);
    join(&mut tags, &texts(from, TAGS));
    if !tags.is_empty() {
        row.metadata.insert(TAGS.to_owned(), json!(tags));
    }
}

fn join(own: &mut Vec<String>, theirs: &[String]) {
    for entry in theirs {
        if !own.contains(entry) {
            own.push(entry.clone());
        }
    }
}

fn texts(row: &KeyRow, name: &str) -> Vec<String> {
    let listed = row.metadata.get(name).and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What others have put on a key stays on it: metadata that means something, tags by which its
/// calls are counted, and fields that its calls must have.
fn keep_marks(before: &KeyRow, after: &mut KeyRow) -> Result<(), Refusal> {
    let names: BTreeSet<String> =
        before.metadata.keys().chain(after.metadata.keys()).cloned().collect();
    for name in names.iter().filter(|name| is_reserved(name)) {
        match (before.metadata.get(name), after.metadata.get(name)) {
            (own, sent) if own == sent => {}
            (Some(own), None) => drop(after.metadata.insert(name.clone(), own.clone())),
            _ => return Err(beyond("metadata", Some(name))),
        }
    }
    let lost = |own: &[String], kept: &[String]| own.iter().any(|entry| !kept.contains(entry));
    if lost(&texts(before, TAGS), &texts(after, TAGS)) {
        return Err(beyond(TAGS, None));
    }
    if lost(&before.rules.enforced_params, &after.rules.enforced_params) {
        return Err(beyond("enforced_params", None));
    }
    Ok(())
}

/// Whether two states of a key reach equally far.
fn same_reach(before: &KeyRow, after: &KeyRow) -> bool {
    before.models == after.models
        && before.limits == after.limits
        && before.budget == after.budget
        && before.expires_at == after.expires_at
        && before.rules.allowed_routes == after.rules.allowed_routes
}

/// What of a key goes beyond what the caller holds.
async fn over(desk: &Desk, held: &Held, row: &KeyRow) -> Result<Option<Excess>, Refusal> {
    if row.rules.get_spend_routes && !held.row.rules.get_spend_routes {
        return Ok(Some(Excess { field: PERMISSIONS, part: None }));
    }
    // Who is above the new key as well binds it in any case, whatever the key says. A user's own
    // grant is for keys without a team, which such a key is no way around.
    let above: Box<[Subject]> = row.above();
    let bound = |level: &&LevelRecord| {
        above.contains(&level.subject) || (row.team.is_some() && level.subject.level == Level::User)
    };
    let grants = granting(&held.levels).filter(|level| !bound(level)).map(|level| &level.grant);
    let limits = limits_of(desk, &held.row).await?;
    let holding = Holding {
        grants: grants.collect(),
        limits: &limits,
        expires_at: held.row.expires_at,
        routes: &held.row.rules.allowed_routes,
    };
    beyond_holding(desk, &holding, row).await
}

/// Whether a key reaches no farther than it did.
async fn lowered(desk: &Desk, before: &KeyRow, after: &KeyRow) -> Result<bool, Refusal> {
    let (grant, limits) = (Grant::read(&before.models), limits_of(desk, before).await?);
    let holding = Holding {
        grants: vec![&grant],
        limits: &limits,
        expires_at: before.expires_at,
        routes: &before.rules.allowed_routes,
    };
    Ok(beyond_holding(desk, &holding, after).await?.is_none())
}

async fn beyond_holding(
    desk: &Desk,
    holding: &Holding<'_>,
    row: &KeyRow,
) -> Result<Option<Excess>, Refusal> {
    let (grant, limits) = (Grant::read(&row.models), limits_of(desk, row).await?);
    let wanted = Wanted {
        grant: &grant,
        limits: &limits,
        expires_at: row.expires_at,
        routes: &row.rules.allowed_routes,
    };
    Ok(excess(holding, &wanted, &words(desk, &row.models)))
}

/// The limits of a key with those of its shared budget.
async fn limits_of(desk: &Desk, row: &KeyRow) -> Result<Limits, Refusal> {
    let shared = match &row.budget {
        Some(budget) => desk.db.find_budget(budget).await,
        None => Ok(None),
    };
    let shared = shared.map_err(|problem| problem::store(&problem))?;
    let limits = match shared {
        Some(shared) => row.limits.over(&shared.limits).compile(),
        None => row.limits.compile(),
    };
    limits.map_err(|problem| problem::store(&problem))
}

/// What the configuration says of the names in a list of models.
fn words(desk: &Desk, models: &[String]) -> ModelWords {
    let snapshot = desk.gatekeeper.snapshot();
    let named = |set: &BTreeSet<Box<str>>| set.iter().map(|name| name.to_string()).collect();
    let aliases = snapshot.aliases.iter();
    ModelWords {
        aliases: aliases.map(|(name, alias)| (name.to_string(), alias.model.to_string())).collect(),
        groups: snapshot
            .deployments()
            .flat_map(|deployment| deployment.access_groups.iter())
            .map(|group| group.to_string())
            .collect(),
        groups_of: models
            .iter()
            .filter_map(|name| Some((name.clone(), named(snapshot.access_groups(name)?))))
            .collect(),
    }
}

fn beyond(field: &str, part: Option<&str>) -> Refusal {
    let part = part.map_or(String::new(), |part| format!(" (`{}`)", echo(part)));
    let message = format!("`{field}`{part} would be more than the caller holds");
    Refusal::new(Reason::ExceedsGrant, message).with_param(field)
}

/// Where a key's metadata holds its tags.
const TAGS: &str = "tags";
