//! The configuration's rules for making keys: the most they may have, and who makes them.

use std::time::Duration;

use tollgate_config::{KeyBounds, Makers};
use tollgate_domain::{Money, Timestamp, parse_lifetime};
use tollgate_faults::{Reason, Refusal};
use tollgate_store::KeyRow;

use crate::desk::Desk;
use crate::fields::Fields;
use crate::problem::missing;
use crate::query::forbidden;

/// Gives a key the most there is where it would have no bound at all (management-api §1).
pub(super) fn fill(most: &KeyBounds, row: &mut KeyRow, now: Timestamp) {
    let limits = &mut row.limits;
    limits.max_budget = limits.max_budget.or(most.max_budget);
    limits.rpm_limit = limits.rpm_limit.or(most.rpm_limit);
    limits.tpm_limit = limits.tpm_limit.or(most.tpm_limit);
    limits.max_parallel_requests = limits.max_parallel_requests.or(most.max_parallel_requests);
    if limits.budget_duration.is_none() {
        limits.budget_duration = most.budget_duration.as_ref().map(|(word, _)| word.clone());
    }
    row.expires_at = row.expires_at.or(most.duration.map(|lifetime| now.plus(lifetime)));
}

/// Refused when a key has more than the configuration allows any.
pub(super) fn must_be_within(
    most: &KeyBounds,
    row: &KeyRow,
    now: Timestamp,
) -> Result<(), Refusal> {
    let limits = &row.limits;
    within("max_budget", limits.max_budget, most.max_budget, |money: Money| money.to_string())?;
    let count = |count: u64| count.to_string();
    within("rpm_limit", limits.rpm_limit, most.rpm_limit, count)?;
    within("tpm_limit", limits.tpm_limit, most.tpm_limit, count)?;
    let (own, calls) = (limits.max_parallel_requests, most.max_parallel_requests);
    within("max_parallel_requests", own, calls, count)?;
    let seconds = |length: Duration| format!("{}s", length.as_secs());
    let lifetime = row.expires_at.map(|at| at.since(now));
    within("duration", lifetime, most.duration, seconds)?;
    let period = limits.budget_duration.as_deref().and_then(|word| parse_lifetime(word).ok());
    let longest = most.budget_duration.as_ref().map(|(_, length)| *length);
    // A word that is no plain lifetime, such as `monthly`, has no length to compare.
    if limits.budget_duration.is_none() || period.is_some() {
        within("budget_duration", period, longest, seconds)?;
    }
    Ok(())
}

fn within<T: PartialOrd + Copy>(
    field: &'static str,
    own: Option<T>,
    most: Option<T>,
    say: impl Fn(T) -> String,
) -> Result<(), Refusal> {
    let Some(most) = most else { return Ok(()) };
    if own.is_some_and(|own| own <= most) {
        return Ok(());
    }
    let own = own.map_or_else(|| "none".to_owned(), &say);
    let message = format!(
        "{field} is over max limit set in config - user_value={own}; max_value={}",
        say(most)
    );
    Err(Refusal::new(Reason::FieldOutOfRange, message).with_param(field))
}

/// Refused when the configuration has keys of this kind made by others, or wants more said of them.
pub(super) fn must_make(desk: &Desk, fields: &Fields, row: &KeyRow) -> Result<(), Refusal> {
    let snapshot = desk.gatekeeper.snapshot();
    let making = &snapshot.settings.key_making;
    let (makers, role): (&Makers, &str) = match &row.team {
        Some(team) if desk.by.leads(Some(team)) => (&making.team, "admin"),
        Some(_) => (&making.team, "user"),
        None => (&making.personal, desk.by.role.as_str()),
    };
    let overseen = desk.by.administrates(row.organization.as_ref());
    let barred = |roles: &Vec<String>| !overseen && !roles.iter().any(|allowed| allowed == role);
    if makers.roles.as_ref().is_some_and(barred) {
        let kind = if row.team.is_some() { "of a team" } else { "without a team" };
        return Err(forbidden(&format!("the role `{role}` makes no keys {kind} here")));
    }
    match makers.required.iter().find(|name| !fields.says(name)) {
        Some(name) => Err(missing(name, &format!("keys are made with `{name}` here"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_above_the_most_is_refused_and_so_is_nothing_at_all() {
        let say = |count: u64| count.to_string();
        for (own, most, allowed) in [
            (Some(5), None, true),
            (None, None, true),
            (Some(5), Some(5), true),
            (Some(6), Some(5), false),
            (None, Some(5), false),
        ] {
            assert_eq!(within("rpm_limit", own, most, say).is_ok(), allowed, "{own:?} {most:?}");
        }
        let refusal = within("rpm_limit", Some(6), Some(5), say).expect_err("too much");
        assert!(refusal.message.ends_with("user_value=6; max_value=5"), "{}", refusal.message);
    }
}
