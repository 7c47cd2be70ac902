//! Who and what cost most: keys, users, teams, models, providers and tags, each with its sum.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tollgate_domain::{Level, Subject};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Audience, LocalDay, Span};
use tollgate_store::{KEYS_PER_PAGE_MAX, KeyFilter, KeyLabel, Spend};

use super::{END, START, asked_or_usual, list, must_see_all, span, spenders};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem;
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::{Field, count, text};

/// Most rows of one answer.
const ROWS_MAX: usize = 1_000;
/// The same where a request names fewer.
const LIMIT_MAX: u32 = 1_000;
/// Models that are told when the request names no number, as in LiteLLM.
const MODELS_USUAL: u32 = 10;
/// Teams that are told day by day, as in LiteLLM.
const TEAMS_MAX: usize = 10;
/// Most tags that one request names.
const TAGS_MAX: usize = 100;

const DAYS: [Field; 2] = [START, END];
const LIMITED: [Field; 3] = [count("limit", "How many are told, the dearest first"), START, END];
const OF_USER: [Field; 3] = [text("user_id", "Only this user"), START, END];
const OF_TAGS: [Field; 3] = [text("tags", "The tags, between commas"), START, END];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::question(
            "/global/spend/keys",
            Audience::SpendViewers,
            ("The keys that cost most, in the last thirty days unless days are named", &LIMITED),
            keys,
        ),
        Route::question(
            "/global/spend/models",
            Audience::SpendViewers,
            ("The model groups that cost most, likewise", &LIMITED),
            models,
        ),
        Route::question(
            "/global/spend/teams",
            Audience::SpendViewers,
            ("What teams cost, day by day, likewise", &DAYS),
            teams,
        ),
        Route::question(
            "/global/spend/provider",
            Audience::SpendViewers,
            ("What each provider was paid", &[START.required(), END.required()]),
            providers,
        ),
        Route::question(
            "/global/spend/tags",
            Audience::SpendViewers,
            ("What calls with each tag cost", &OF_TAGS),
            tags,
        ),
        Route::question(
            "/spend/tags",
            Audience::Managers,
            ("What calls with each tag cost", &DAYS),
            spend_tags,
        ),
        Route::question(
            "/spend/keys",
            Audience::Keys,
            ("What each key of the caller's cost, the dearest first", &DAYS),
            spend_keys,
        ),
        Route::question(
            "/spend/users",
            Audience::Keys,
            ("What each user whom the caller sees cost, the dearest first", &OF_USER),
            spend_users,
        ),
    ]
}

async fn keys(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let most = limit(&asked, LIMIT_MAX)?;
    let mut found = spenders(&desk, Level::Key, &asked_or_usual(&desk, &asked)?).await?;
    found.truncate(most);
    let labels = labels(&desk, &found).await?;
    Ok(list(found.iter().map(|(id, spend)| {
        let label = labels.get(id);
        json!({
            "api_key": label.map(|label| &label.hash),
            "key_alias": label.and_then(|label| label.alias.as_ref()),
            "key_name": label.map(|label| &label.name),
            "total_spend": spend.cost,
        })
    })))
}

async fn models(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let most = limit(&asked, MODELS_USUAL)?;
    let found = spenders(&desk, Level::ModelGroup, &asked_or_usual(&desk, &asked)?).await?;
    let shown =
        |(model, spend): &(String, Spend)| json!({ "model": model, "total_spend": spend.cost });
    Ok(list(found.iter().take(most).map(shown)))
}

async fn providers(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let found = spenders(&desk, Level::Provider, &asked_or_usual(&desk, &asked)?).await?;
    let shown = |(name, spend): &(String, Spend)| json!({ "provider": name, "spend": spend.cost });
    Ok(list(found.iter().map(shown)))
}

/// The dearest teams day by day, and their sums over all days.
async fn teams(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let days = asked_or_usual(&desk, &asked)?;
    let mut found = spenders(&desk, Level::Team, &days).await?;
    found.truncate(TEAMS_MAX);
    let names = team_names(&desk, found.iter().map(|(id, _)| id.as_str())).await?;
    let subjects: Vec<Subject> =
        found.iter().map(|(id, _)| Subject::new(Level::Team, id)).collect();
    let spans: Vec<Span> = days.iter().map(|day| day.span).collect();
    let spent = desk.db.spends(&subjects, &spans).await;
    let spent = spent.map_err(|problem| problem::store(&problem))?;
    let total = found
        .iter()
        .zip(&names)
        .map(|((_, spend), name)| json!({ "team_id": name, "total_spend": spend.cost }));
    Ok(json!({
        "daily_spend": daily(&days, &names, &spent),
        "teams": names,
        "total_spend_per_team": list(total),
    }))
}

/// Each day on which any team called, with what each spent.
fn daily(days: &[LocalDay], names: &[String], spent: &[Vec<Spend>]) -> Value {
    list(days.iter().enumerate().filter_map(|(index, day)| {
        let of_day = names.iter().zip(spent).filter_map(|(name, spent)| {
            let spend = spent.get(index).filter(|spend| spend.entries > 0)?;
            Some((name.clone(), json!(spend.cost)))
        });
        let mut row: Map<String, Value> = of_day.collect();
        if row.is_empty() {
            return None;
        }
        row.insert("date".to_owned(), json!(day.date));
        Some(Value::Object(row))
    }))
}

/// What teams are called: their alias, and their id where they have none or two have the same.
pub(super) async fn team_names(
    admin: &Admin,
    ids: impl Iterator<Item = &str>,
) -> Result<Vec<String>, Refusal> {
    let mut names: Vec<String> = Vec::new();
    for id in ids {
        let row = admin.db.find_entity(Level::Team, "", id).await;
        let row = row.map_err(|problem| problem::store(&problem))?;
        let alias = row.and_then(|row| row.alias).filter(|alias| !names.contains(alias));
        names.push(alias.unwrap_or_else(|| id.to_owned()));
    }
    Ok(names)
}

async fn tags(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let days = asked_or_usual(&desk, &asked)?;
    let named = asked.text("tags").filter(|names| !names.split(',').any(|it| it == "all-tags"));
    let found = match named {
        None => spenders(&desk, Level::Tag, &days).await?,
        Some(names) => these_tags(&desk, names, &days).await?,
    };
    let shown = found.iter().map(
        |(name, spend)| json!({ "name": name, "spend": spend.cost, "log_count": spend.entries }),
    );
    Ok(json!({ "spend_per_tag": list(shown) }))
}

async fn these_tags(
    admin: &Admin,
    names: &str,
    days: &[LocalDay],
) -> Result<Vec<(String, Spend)>, Refusal> {
    let mut names: Vec<&str> =
        names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > TAGS_MAX {
        let message = format!("`tags`: at most {TAGS_MAX} at a time");
        return Err(Refusal::new(Reason::FieldOutOfRange, message).with_param("tags"));
    }
    let subjects: Vec<Subject> = names.iter().map(|name| Subject::new(Level::Tag, name)).collect();
    of(admin, &subjects, days).await
}

/// What each of these cost over all days, those that called, the dearest first.
async fn of(
    admin: &Admin,
    subjects: &[Subject],
    days: &[LocalDay],
) -> Result<Vec<(String, Spend)>, Refusal> {
    let Some(span) = span(days) else { return Ok(Vec::new()) };
    let found = admin.db.spends(subjects, &[span]).await;
    let found = found.map_err(|problem| problem::store(&problem))?;
    let mut found: Vec<(String, Spend)> = subjects
        .iter()
        .zip(found)
        .filter_map(|(subject, sums)| Some((subject.id.to_string(), sums.into_iter().next()?)))
        .filter(|(_, spend)| spend.entries > 0)
        .collect();
    found.sort_by_key(|(_, spend)| std::cmp::Reverse((spend.cost, spend.entries)));
    Ok(found)
}

async fn spend_tags(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    must_see_all(&desk)?;
    let found = spenders(&desk, Level::Tag, &asked_or_usual(&desk, &asked)?).await?;
    Ok(list(found.iter().map(|(name, spend)| {
        json!({
            "individual_request_tag": name,
            "log_count": spend.entries,
            "total_spend": spend.cost,
        })
    })))
}

async fn spend_keys(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let days = asked_or_usual(&desk, &asked)?;
    let mut found = if desk.by.sees_all() {
        spenders(&desk, Level::Key, &days).await?
    } else {
        of(&desk, &own_keys(&desk).await?, &days).await?
    };
    found.truncate(ROWS_MAX);
    let labels = labels(&desk, &found).await?;
    Ok(list(found.iter().map(|(id, spend)| {
        let label = labels.get(id);
        json!({
            "token": label.map(|label| &label.hash),
            "key_name": label.map(|label| &label.name),
            "key_alias": label.and_then(|label| label.alias.as_ref()),
            "user_id": label.and_then(|label| label.user.as_ref()),
            "team_id": label.and_then(|label| label.team.as_ref()),
            "spend": spend.cost,
        })
    })))
}

/// The keys of the caller's user, and the one they call with.
async fn own_keys(desk: &Desk) -> Result<Vec<Subject>, Refusal> {
    let mut ids: Vec<String> = desk.by.key.iter().map(|key| key.as_str().to_owned()).collect();
    if let Some(user) = &desk.by.user {
        let user = Some(user.as_str().to_owned());
        let filter = KeyFilter { user, ..KeyFilter::default() };
        for page in 0.. {
            let found = desk.db.list_keys(&filter, page, KEYS_PER_PAGE_MAX).await;
            let found = found.map_err(|problem| problem::store(&problem))?;
            ids.extend(found.keys.iter().map(|key| key.id.as_str().to_owned()));
            if found.keys.is_empty() || ids.len() >= ROWS_MAX {
                break;
            }
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids.iter().map(|id| Subject::new(Level::Key, id)).collect())
}

async fn spend_users(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let days = asked_or_usual(&desk, &asked)?;
    let own = desk.by.user.as_ref().map(|user| user.as_str().to_owned());
    let wanted = match (asked.text("user_id"), desk.by.sees_all()) {
        (None, true) => None,
        (None, false) => own.or_else(|| Some(String::new())),
        (Some(named), true) => Some(named.to_owned()),
        (Some(named), false) if own.as_deref() == Some(named) => own,
        (Some(_), false) => {
            must_see_all(&desk)?;
            None
        }
    };
    let mut found = match wanted {
        None => spenders(&desk, Level::User, &days).await?,
        Some(user) => of(&desk, &[Subject::new(Level::User, &user)], &days).await?,
    };
    found.truncate(ROWS_MAX);
    Ok(list(found.iter().map(|(id, spend)| json!({ "user_id": id, "spend": spend.cost }))))
}

fn limit(asked: &Asked, usual: u32) -> Result<usize, Refusal> {
    Ok(asked.number("limit", usual, LIMIT_MAX)? as usize)
}

/// What the keys with these ids are called.
pub(super) async fn labels(
    admin: &Admin,
    found: &[(String, Spend)],
) -> Result<BTreeMap<String, KeyLabel>, Refusal> {
    let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
    admin.db.key_labels(&ids).await.map_err(|problem| problem::store(&problem))
}
