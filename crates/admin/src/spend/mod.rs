//! What was spent, by whom and on what: LiteLLM's routes of sums (management-api §9).
//!
//! Everything but the rows of `/spend/logs` is read from the sums per quarter-hour, never from
//! entries, and every answer is bounded (seed behaviour S07).

mod activity;
mod budgets;
mod calculate;
mod logs;
mod report;
mod top;
mod whole;

use serde_json::Value;
use tollgate_domain::{Level, Subject, Timestamp};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{LocalDay, Span};
use tollgate_store::{SPENDERS_LOOKED_AT_MAX, Spend};

use crate::activity::days;
use crate::asked::Asked;
use crate::desk::Desk;
use crate::gatekeeper::Actor;
use crate::problem;
use crate::query::forbidden;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, text};

/// The days that sums are asked for by.
const START: Field = text("start_date", "The first day, `YYYY-MM-DD`");
const END: Field = text("end_date", "The last day, `YYYY-MM-DD`");
/// How far a sum goes back that is asked for without days, as in LiteLLM.
const USUAL_DAYS: i64 = 30;
/// Microseconds in a day.
const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = logs::routes();
    routes.extend(whole::routes());
    routes.extend(top::routes());
    routes.extend(report::routes());
    routes.extend(activity::routes());
    routes.extend(budgets::routes());
    routes.extend(calculate::routes());
    routes
}

/// Whose spend a caller sees who names nobody: everything, else their user's, else their key's.
fn whose(desk: &Desk) -> Subject {
    if desk.by.sees_all() {
        return Subject::new(Level::All, "");
    }
    match (&desk.by.user, desk.actor()) {
        (Some(user), _) => Subject::new(Level::User, user.as_str()),
        (None, Actor::Key(own)) => Subject::new(Level::Key, own.attribution.key.as_str()),
        (None, Actor::Master) => Subject::new(Level::All, ""),
    }
}

/// # Errors
/// Refused unless the caller sees everything.
fn must_see_all(desk: &Desk) -> Result<(), Refusal> {
    if desk.by.sees_all() {
        return Ok(());
    }
    Err(forbidden("sums over everybody are for whoever sees everything"))
}

/// The days that are asked for, else the last thirty.
fn asked_or_usual(admin: &Admin, asked: &Asked) -> Result<Vec<LocalDay>, Refusal> {
    if asked.text("start_date").is_some() || asked.text("end_date").is_some() {
        return days(admin, asked);
    }
    last(admin, USUAL_DAYS)
}

/// The last days up to today, wherever the zone's day begins.
fn last(admin: &Admin, count: i64) -> Result<Vec<LocalDay>, Refusal> {
    let now = admin.clock.now();
    let date = |days: i64| {
        let micros = now.micros().saturating_add(days.saturating_mul(DAY_MICROS));
        let text = Timestamp::from_micros(micros).to_string();
        text.chars().take(10).collect::<String>()
    };
    let days = admin.keys.calendar().zone.days(&date(-count), &date(1));
    let mut days = days.map_err(|problem| problem::wrong("start_date", problem))?;
    days.retain(|day| day.span.start <= now);
    Ok(days)
}

/// From the first of some days to the last.
fn span(days: &[LocalDay]) -> Option<Span> {
    let (first, last) = (days.first()?, days.last()?);
    Some(Span { start: first.span.start, end: last.span.end })
}

/// Everybody at a level who called on these days, the dearest first.
///
/// # Errors
/// Refused where there are more than can be told, since a sum that lacks some is wrong.
pub(crate) async fn spenders(
    admin: &Admin,
    level: Level,
    days: &[LocalDay],
) -> Result<Vec<(String, Spend)>, Refusal> {
    let Some(span) = span(days) else { return Ok(Vec::new()) };
    let found = admin.db.spenders(level, span).await.map_err(|problem| problem::store(&problem))?;
    if found.incomplete {
        let message = format!(
            "there are more than {SPENDERS_LOOKED_AT_MAX} of them; ask about one at a time with \
             `/…/daily/activity`"
        );
        return Err(Refusal::new(Reason::FieldOutOfRange, message));
    }
    Ok(found.all)
}

/// What a subject spent on each of these days, in all.
async fn by_day(admin: &Admin, subject: Subject, days: &[LocalDay]) -> Result<Vec<Spend>, Refusal> {
    let spans: Vec<Span> = days.iter().map(|day| day.span).collect();
    let found = admin.db.spends(&[subject], &spans).await;
    let mut found = found.map_err(|problem| problem::store(&problem))?;
    Ok(found.pop().unwrap_or_default())
}

/// A list in JSON.
fn list(values: impl Iterator<Item = Value>) -> Value {
    Value::Array(values.collect())
}
