//! `GET /spend/logs`: entries of the ledger, or their sums by day with `summarize`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tollgate_domain::{Level, Money, Subject, UserId};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Audience, LocalDay, Scope, Span};
use tollgate_store::{DailyUsage, LOG_ROWS_MAX, LogPage, Spend};

use super::{END, START, list, spenders, whose};
use crate::activity::days;
use crate::asked::Asked;
use crate::desk::Desk;
use crate::logs;
use crate::problem;
use crate::query::key_id;
use crate::route::Route;
use crate::shape::{Field, flag, text};

/// Most users that a day's sum tells apart.
const USERS_MAX: usize = 100;
/// The names of what all make up that are not told apart.
const OTHERS: [&str; 2] = ["(other users)", "(other models)"];

const NAMES: [Field; 6] = [
    text("api_key", "Only calls of this key"),
    text("user_id", "Only calls of this user"),
    text("request_id", "Only this call"),
    START,
    END,
    flag("summarize", "Sums by day in place of entries; so it is where days are named"),
];

pub(super) fn routes() -> Vec<Route> {
    let about = "Entries of the ledger, the newest first, or their sums by day";
    vec![Route::question("/spend/logs", Audience::Keys, (about, &NAMES), answer)]
}

async fn answer(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let dated = asked.text("start_date").is_some() || asked.text("end_date").is_some();
    let sums = asked.text("summarize").is_none_or(|text| text.eq_ignore_ascii_case("true"));
    if dated && sums && asked.text("request_id").is_none() {
        return summary(&desk, &asked).await;
    }
    let key_id = key_id(&desk, asked.text("api_key")).await?;
    let wanted = logs::ever_or_dated(&asked, key_id)?;
    let page = LogPage { before: None, skip: 0, rows: LOG_ROWS_MAX };
    let found = desk.db.log(&wanted, &page).await.map_err(|problem| problem::store(&problem))?;
    if found.total > LOG_ROWS_MAX {
        let message = format!(
            "there are more than {LOG_ROWS_MAX} entries; read them in pages with \
             `/spend/logs/v2`, or ask about fewer days"
        );
        return Err(Refusal::new(Reason::FieldOutOfRange, message).with_param("end_date"));
    }
    Ok(list(found.entries.iter().map(logs::line)))
}

/// Sums by day, with what users and models make up.
async fn summary(desk: &Desk, asked: &Asked) -> Result<Value, Refusal> {
    let days = days(desk, asked)?;
    let subject = subject(desk, asked).await?;
    let spans: Vec<Span> = days.iter().map(|day| day.span).collect();
    let usage = desk.db.usage(&subject, None, &spans).await;
    let usage = usage.map_err(|problem| problem::store(&problem))?;
    let users = users(desk, &subject, (&days, &spans), &usage).await?;
    let rows = days.iter().zip(&usage.days).zip(&users);
    let called = rows.filter(|((_, day), _)| day.total.entries > 0);
    Ok(list(called.map(|((date, day), users)| {
        let others = day.others.iter().map(|others| (OTHERS[1].to_owned(), json!(others.cost)));
        let models = day.models.iter().map(|(name, part)| (name.clone(), json!(part.cost)));
        let models: Map<String, Value> = models.chain(others).collect();
        json!({
            "startTime": date.date,
            "spend": day.total.cost,
            "users": users,
            "models": models,
        })
    })))
}

/// Whose sums are asked for.
async fn subject(desk: &Desk, asked: &Asked) -> Result<Subject, Refusal> {
    match (asked.text("api_key"), asked.text("user_id")) {
        (Some(_), Some(_)) => {
            Err(problem::wrong("user_id", "sums are of a key or of a user, not of both"))
        }
        (None, Some(user)) => {
            let id = UserId::new(user).map_err(|problem| problem::wrong("user_id", problem))?;
            desk.must_see(Scope::User { id: &id, organizations: &[] })?;
            Ok(Subject::new(Level::User, user))
        }
        (Some(key), None) => Ok(match key_id(desk, Some(key)).await? {
            Some(id) => Subject::new(Level::Key, &id),
            None => whose(desk),
        }),
        (None, None) => Ok(whose(desk)),
    }
}

/// What users make up of each day. Of a key only its sum is kept.
async fn users(
    desk: &Desk,
    subject: &Subject,
    (days, spans): (&[LocalDay], &[Span]),
    usage: &DailyUsage,
) -> Result<Vec<BTreeMap<String, Money>>, Refusal> {
    match subject.level {
        Level::All => {}
        Level::User => {
            let own = |cost| BTreeMap::from([(subject.id.to_string(), cost)]);
            return Ok(usage.days.iter().map(|day| own(day.total.cost)).collect());
        }
        _ => return Ok(vec![BTreeMap::new(); days.len()]),
    }
    let mut found: Vec<(String, Spend)> = spenders(desk, Level::User, days).await?;
    let more = found.len() > USERS_MAX;
    found.truncate(USERS_MAX);
    let subjects: Vec<Subject> =
        found.iter().map(|(id, _)| Subject::new(Level::User, id)).collect();
    let spent = desk.db.spends(&subjects, spans).await;
    let spent = spent.map_err(|problem| problem::store(&problem))?;
    let of_day = |index: usize| {
        let costs = found.iter().zip(&spent).filter_map(|((id, _), spent)| {
            let spend = spent.get(index).filter(|spend| spend.entries > 0)?;
            Some((id.clone(), spend.cost))
        });
        let mut costs: BTreeMap<String, Money> = costs.collect();
        if more {
            let told = costs.values().fold(Money::ZERO, |sum, cost| sum.saturating_add(*cost));
            let total = usage.days.get(index).map_or(Money::ZERO, |day| day.total.cost);
            costs.insert(OTHERS[0].to_owned(), total.saturating_sub(told));
        }
        costs
    };
    Ok((0..days.len()).map(of_day).collect())
}
