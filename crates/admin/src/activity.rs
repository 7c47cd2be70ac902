//! `GET /…/daily/activity`: what someone used, day by day, as LiteLLM answers it.
//!
//! A day is one of the zone that the request names, wholly and exactly, since it is made of
//! quarter-hours (seed behaviour S06). Only sums are read and every answer is bounded (S07).

mod shown;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::routing::{MethodRouter, get};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;
use tollgate_domain::{Level, Subject};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{DaysError, LOCAL_DAYS_MAX, LocalDay, Span, Zone};

use crate::gatekeeper::Actor;
use crate::problem;
use crate::query::{forbidden, key_id, number};
use crate::routes::Admin;

/// Days on a page when the request names no number, as in LiteLLM.
const PAGE_DAYS_USUAL: usize = 50;
/// Most days on a page, as in LiteLLM.
const PAGE_DAYS_MAX: usize = 1_000;
/// Most days that one answer sums, each entity's counted on its own.
const ROWS_MAX: usize = 1_000;
/// Most entities that one request names.
const ENTITIES_MAX: usize = 100;

/// The query. What else LiteLLM's clients send changes nothing.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    start_date: Option<String>,
    end_date: Option<String>,
    /// A zone's name, or minutes that it is behind UTC, as a browser's `getTimezoneOffset` gives.
    timezone: Option<String>,
    model: Option<String>,
    api_key: Option<String>,
    user_id: Option<String>,
    team_ids: Option<String>,
    tags: Option<String>,
    end_user_ids: Option<String>,
    organization_ids: Option<String>,
    page: Option<String>,
    page_size: Option<String>,
}

/// Which of the days an answer shows.
struct Page {
    /// Ascending, as they are read.
    days: Vec<LocalDay>,
    number: usize,
    pages: usize,
}

/// The handler for the activity of those at a level, in pages or whole.
pub(crate) fn daily(level: Level, paged: bool) -> MethodRouter<Arc<Admin>> {
    get(move |admin: State<Arc<Admin>>, headers: HeaderMap, asked: Query<Asked>| async move {
        let result = activity(&admin, &headers, (level, paged), &asked).await;
        admin.answer(result)
    })
}

async fn activity(
    admin: &Admin,
    headers: &HeaderMap,
    (level, paged): (Level, bool),
    asked: &Asked,
) -> Result<Value, Refusal> {
    let actor = admin.gatekeeper.identify(headers).await?;
    let subjects = match level {
        Level::User => vec![one(admin, &actor, asked).await?],
        level => named(&actor, level, asked)?,
    };
    let page = Page::read(asked, days(admin, asked)?, paged)?;
    if page.days.len() * subjects.len() > ROWS_MAX {
        let message = format!("more than {ROWS_MAX} days in all; ask about fewer at a time");
        return Err(Refusal::new(Reason::FieldOutOfRange, message).with_param("end_date"));
    }
    let spans: Vec<Span> = page.days.iter().map(|day| day.span).collect();
    let mut used = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let usage = admin.db.usage(&subject, asked.model.as_deref(), &spans).await;
        used.push((subject, usage.map_err(|problem| problem::store(&problem))?));
    }
    Ok(shown::activity(&page, used))
}

/// Whom a request to the users' route is about: everyone, a user or a key. A key sees itself.
async fn one(admin: &Admin, actor: &Actor, asked: &Asked) -> Result<Subject, Refusal> {
    let key = key_id(admin, actor, asked.api_key.as_deref()).await?;
    match (actor, key, &asked.user_id) {
        (_, Some(key), None) => Ok(Subject::new(Level::Key, &key)),
        (Actor::Key(_), _, Some(_)) => Err(forbidden("a key may only ask about itself")),
        (_, None, None) => Ok(Subject::new(Level::All, "")),
        (Actor::Master, None, Some(user)) => Ok(Subject::new(Level::User, user)),
        (Actor::Master, Some(_), Some(_)) => {
            Err(problem::wrong("user_id", "a key or a user can be asked about, not both"))
        }
    }
}

/// The teams, tags, customers or organizations that a request names, which only the master key may.
fn named(actor: &Actor, level: Level, asked: &Asked) -> Result<Vec<Subject>, Refusal> {
    let Actor::Master = actor else {
        return Err(forbidden("only the master key may ask about others than itself"));
    };
    let (field, list) = match level {
        Level::Team => ("team_ids", &asked.team_ids),
        Level::Tag => ("tags", &asked.tags),
        Level::Customer => ("end_user_ids", &asked.end_user_ids),
        _ => ("organization_ids", &asked.organization_ids),
    };
    let list = list.as_deref().unwrap_or_default().split(',').map(str::trim);
    let mut ids: Vec<&str> = list.filter(|id| !id.is_empty()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        let message = format!("name whom you ask about with `?{field}=`, separated by commas");
        return Err(Refusal::new(Reason::FieldMissing, message).with_param(field));
    }
    if ids.len() > ENTITIES_MAX {
        let message = format!("`{field}`: at most {ENTITIES_MAX} at a time");
        return Err(Refusal::new(Reason::FieldOutOfRange, message).with_param(field));
    }
    Ok(ids.into_iter().map(|id| Subject::new(level, id)).collect())
}

/// The days that a request is about.
fn days(admin: &Admin, asked: &Asked) -> Result<Vec<LocalDay>, Refusal> {
    let (Some(first), Some(last)) = (&asked.start_date, &asked.end_date) else {
        let field = if asked.start_date.is_none() { "start_date" } else { "end_date" };
        let message = "Please provide start_date and end_date";
        return Err(Refusal::new(Reason::FieldMissing, message).with_param(field));
    };
    let zone = match &asked.timezone {
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
        let size = number("page_size", asked.page_size.as_deref(), PAGE_DAYS_USUAL)?;
        if size > PAGE_DAYS_MAX {
            let message = format!("`page_size`: at most {PAGE_DAYS_MAX}");
            return Err(Refusal::new(Reason::FieldOutOfRange, message).with_param("page_size"));
        }
        let number = number("page", asked.page.as_deref(), 1)?;
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

    fn page(number: &str, size: &str) -> Result<(Vec<String>, usize), Refusal> {
        let days = Zone::utc().days("2026-01-01", "2026-01-05").expect("days");
        let (page, page_size) = (Some(number.to_owned()), Some(size.to_owned()));
        let asked = Asked { page, page_size, ..Asked::default() };
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
        assert_eq!(page(&usize::MAX.to_string(), "1000").expect("a page").0, Vec::<String>::new());
        assert_eq!(page("1", "5").expect("a page").1, 1);
    }

    #[test]
    fn a_page_that_cannot_be_is_refused() {
        for (number, size) in [("0", "1"), ("1", "0"), ("1", "1001"), ("-1", "1"), ("x", "1")] {
            assert!(page(number, size).is_err(), "{number} of {size}");
        }
    }
}
