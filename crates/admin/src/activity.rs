//! `GET /…/daily/activity`: what someone used, day by day, as LiteLLM answers it.
//!
//! A day is one of the zone that the request names, wholly and exactly, since it is made of
//! quarter-hours (seed behaviour S06). Only sums are read and every answer is bounded (S07).

mod parts;
mod shown;

use serde_json::Value;
use tollgate_domain::{Level, OrganizationId, Subject, TeamId, UserId};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Audience, DaysError, LOCAL_DAYS_MAX, LocalDay, Scope, Span, Zone};

use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem;
use crate::query::key_id;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, count, text};
use crate::spend;
use parts::Parts;

/// Days on a page when the request names no number, as in LiteLLM.
const PAGE_DAYS_USUAL: u32 = 50;
/// Most days on a page, as in LiteLLM.
const PAGE_DAYS_MAX: u32 = 1_000;
/// Most days that one answer sums, each entity's counted on its own.
const ROWS_MAX: usize = 1_000;
/// Most entities that one request names.
const ENTITIES_MAX: usize = 100;

/// The days that every activity is asked for by, and the rest that all have.
const NAMES: [Field; 6] = [
    text("start_date", "The first day, `YYYY-MM-DD`"),
    text("end_date", "The last day, `YYYY-MM-DD`"),
    text("timezone", "A zone's name, or minutes that it is behind UTC"),
    text("model", "Only calls of this model group"),
    count("page", "The page, from 1; the first has the newest days"),
    count("page_size", "Days on a page, up to 1000"),
];
/// Whom the users' activity is about.
const OF_USERS: [Field; 2] =
    [text("api_key", "Only calls of this key"), text("user_id", "Only calls of this user")];

/// Which of the days an answer shows.
struct Page {
    /// Ascending, as they are read.
    days: Vec<LocalDay>,
    number: usize,
    pages: usize,
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        daily("/user/daily/activity", Level::User, true),
        daily("/user/daily/activity/aggregated", Level::User, false),
        daily("/team/daily/activity", Level::Team, true),
        daily("/team/daily/activity/aggregated", Level::Team, false),
        daily("/tag/daily/activity", Level::Tag, true),
        daily("/tag/daily/activity/aggregated", Level::Tag, false),
        daily("/customer/daily/activity", Level::Customer, true),
        daily("/customer/daily/activity/aggregated", Level::Customer, false),
        daily("/organization/daily/activity", Level::Organization, true),
        daily("/organization/daily/activity/aggregated", Level::Organization, false),
    ]
}

/// The route for the activity of those at a level, in pages or whole.
fn daily(path: &'static str, level: Level, paged: bool) -> Route {
    let (audience, who) = match level {
        Level::User => (Audience::Keys, OF_USERS.to_vec()),
        Level::Team | Level::Organization => (Audience::Keys, vec![named_by(level)]),
        Level::Tag => (Audience::Managers, vec![named_by(level)]),
        _ => (Audience::Admins, vec![named_by(level)]),
    };
    let names: Vec<Field> = NAMES.into_iter().chain(who).collect();
    Route::question(path, audience, ("What was used, day by day", &names), move |desk, asked| {
        activity(desk, asked, level, paged)
    })
}

/// The name under which those at a level are listed, between commas.
fn named_by(level: Level) -> Field {
    match level {
        Level::Team => text("team_ids", "The teams, between commas"),
        Level::Tag => text("tags", "The tags, between commas"),
        Level::Customer => text("end_user_ids", "The customers, between commas"),
        _ => text("organization_ids", "The organizations, between commas"),
    }
}

async fn activity(desk: Desk, asked: Asked, level: Level, paged: bool) -> Result<Value, Refusal> {
    let page = Page::read(&asked, days(&desk, &asked)?, paged)?;
    let subjects = match level {
        Level::User => vec![one(&desk, &asked).await?],
        level => named(&desk, level, &asked, &page.days).await?,
    };
    if page.days.len() * subjects.len() > ROWS_MAX {
        let message = format!("more than {ROWS_MAX} days in all; ask about fewer at a time");
        return Err(Refusal::new(Reason::FieldOutOfRange, message).with_param("end_date"));
    }
    let spans: Vec<Span> = page.days.iter().map(|day| day.span).collect();
    let mut used = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let usage = desk.db.usage(&subject, asked.text("model"), &spans).await;
        used.push((subject, usage.map_err(|problem| problem::store(&problem))?));
    }
    let parts = match (&*used, asked.text("model")) {
        ([(subject, usage)], None) => {
            Parts::of(&desk, subject, (&page.days, &spans), usage).await?
        }
        _ => Parts::default(),
    };
    Ok(shown::activity(&page, used, &parts))
}

/// Whom a request to the users' route is about: everyone, a user or a key. A caller who names none
/// sees their own key.
async fn one(desk: &Desk, asked: &Asked) -> Result<Subject, Refusal> {
    match (asked.text("api_key"), asked.text("user_id")) {
        (Some(_), Some(_)) => {
            Err(problem::wrong("user_id", "a key or a user can be asked about, not both"))
        }
        (None, Some(user)) => {
            let id = UserId::new(user).map_err(|problem| problem::wrong("user_id", problem))?;
            desk.must_see(Scope::User { id: &id, organizations: &[] })?;
            Ok(Subject::new(Level::User, user))
        }
        (key, None) => Ok(match key_id(desk, key).await? {
            Some(key) => Subject::new(Level::Key, &key),
            None => Subject::new(Level::All, ""),
        }),
    }
}

/// The teams, tags, customers or organizations that a request names, else all that the caller sees
/// and that called on these days.
async fn named(
    desk: &Desk,
    level: Level,
    asked: &Asked,
    days: &[LocalDay],
) -> Result<Vec<Subject>, Refusal> {
    let field = named_by(level).name;
    let list = asked.text(field).unwrap_or_default().split(',').map(str::trim);
    let mut ids: Vec<String> = list.filter(|id| !id.is_empty()).map(str::to_owned).collect();
    if ids.is_empty() {
        ids = seen(desk, level, days).await?;
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > ENTITIES_MAX {
        let message = format!("`{field}`: at most {ENTITIES_MAX} at a time");
        return Err(Refusal::new(Reason::FieldOutOfRange, message).with_param(field));
    }
    for id in &ids {
        must_see(desk, level, id).await?;
    }
    Ok(ids.iter().map(|id| Subject::new(level, id)).collect())
}

/// Those at a level whom the caller sees.
async fn seen(desk: &Desk, level: Level, days: &[LocalDay]) -> Result<Vec<String>, Refusal> {
    if desk.by.sees_all() {
        let found = spend::spenders(desk, level, days).await?;
        return Ok(found.into_iter().map(|(id, _)| id).collect());
    }
    let by = &desk.by;
    Ok(match level {
        Level::Team => {
            let teams = by.teams.keys().chain(&by.key_team);
            teams.map(|id| id.as_str().to_owned()).collect()
        }
        Level::Organization => by.organizations.keys().map(|id| id.as_str().to_owned()).collect(),
        _ => {
            desk.must_see(Scope::Gateway)?;
            Vec::new()
        }
    })
}

/// # Errors
/// Refused unless the caller may see what this one used.
async fn must_see(desk: &Desk, level: Level, id: &str) -> Result<(), Refusal> {
    match level {
        Level::Team => {
            let wrong = |problem| problem::wrong("team_ids", problem);
            let team = TeamId::new(id).map_err(wrong)?;
            let row = desk.db.find_entity(Level::Team, "", id).await;
            let row = row.map_err(|problem| problem::store(&problem))?;
            let organization = row.and_then(|row| row.organization);
            desk.must_see(Scope::Team { id: &team, organization: organization.as_ref() })
        }
        Level::Organization => {
            let wrong = |problem| problem::wrong("organization_ids", problem);
            let id = OrganizationId::new(id).map_err(wrong)?;
            desk.must_see(Scope::Organization(&id))
        }
        _ => desk.must_see(Scope::Gateway),
    }
}

/// The days that a request is about.
pub(crate) fn days(admin: &Admin, asked: &Asked) -> Result<Vec<LocalDay>, Refusal> {
    let (first, last) = (asked.text("start_date"), asked.text("end_date"));
    let (Some(first), Some(last)) = (first, last) else {
        let field = if first.is_none() { "start_date" } else { "end_date" };
        let message = "Please provide start_date and end_date";
        return Err(Refusal::new(Reason::FieldMissing, message).with_param(field));
    };
    let zone = match asked.text("timezone") {
        None => admin.keys.calendar().zone.clone(),
        Some(text) => zone(text)?,
    };
    zone.days(first, last).map_err(|problem| match problem {
        DaysError::NoDay(_) => problem::wrong("start_date or end_date", problem),
        DaysError::Backwards => problem::wrong("end_date", problem),
        DaysError::TooMany => {
            let message = format!("at most {LOCAL_DAYS_MAX} days; ask about them in parts");
            Refusal::new(Reason::FieldOutOfRange, message).with_param("end_date")
        }
    })
}

fn zone(text: &str) -> Result<Zone, Refusal> {
    match text.parse::<i32>() {
        Ok(minutes) => Zone::behind_utc(minutes).ok_or_else(|| {
            problem::wrong("timezone", "minutes behind UTC are whole quarter-hours, up to 18 hours")
        }),
        Err(_) => Zone::parse(text).map_err(|problem| problem::wrong("timezone", problem)),
    }
}

impl Page {
    /// Cuts the page that is asked for out of all days. The first page has the newest.
    fn read(asked: &Asked, mut days: Vec<LocalDay>, paged: bool) -> Result<Self, Refusal> {
        if !paged {
            return Ok(Self { days, number: 1, pages: 1 });
        }
        let size = asked.number("page_size", PAGE_DAYS_USUAL, PAGE_DAYS_MAX)? as usize;
        let number = asked.number("page", 1, u32::MAX)? as usize;
        let pages = days.len().div_ceil(size);
        let end = days.len().saturating_sub((number - 1).saturating_mul(size));
        days.truncate(end);
        days.drain(..end.saturating_sub(size));
        Ok(Self { days, number, pages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    fn page(number: &str, size: &str) -> Result<(Vec<String>, usize), Refusal> {
        let days = Zone::utc().days("2026-01-01", "2026-01-05").expect("days");
        let uri = format!("/activity?page={number}&page_size={size}").parse().expect("a path");
        let asked = Asked::read(&uri, &Shape::of(&NAMES), &[])?;
        let page = Page::read(&asked, days, true)?;
        Ok((page.days.into_iter().map(|day| day.date[8..].to_owned()).collect(), page.pages))
    }

    #[test]
    fn the_first_page_has_the_newest_days_and_the_pages_together_have_all() {
        for (number, days) in [("1", &["04", "05"][..]), ("2", &["02", "03"]), ("3", &["01"])] {
            assert_eq!(
                page(number, "2").expect("a page"),
                (days.iter().map(|d| (*d).to_owned()).collect(), 3)
            );
        }
        assert_eq!(page("4", "2").expect("a page").0, Vec::<String>::new());
        assert_eq!(page(&u32::MAX.to_string(), "1000").expect("a page").0, Vec::<String>::new());
        assert_eq!(page("1", "5").expect("a page").1, 1);
    }

    #[test]
    fn a_page_that_cannot_be_is_refused() {
        for (number, size) in [("0", "1"), ("1", "0"), ("1", "1001"), ("-1", "1"), ("x", "1")] {
            assert!(page(number, size).is_err(), "{number} of {size}");
        }
    }
}
