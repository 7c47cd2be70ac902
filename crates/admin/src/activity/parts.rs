//! What providers and keys make up of each day, as far as sums are kept of that: of everything
//! both, of a key itself.

use serde_json::{Value, json};
use tollgate_domain::{Level, Subject};
use tollgate_faults::Refusal;
use tollgate_policy::{LocalDay, Span};
use tollgate_store::{DailyUsage, KeyLabel, Spend};

use crate::problem;
use crate::routes::Admin;
use crate::spend;

/// Most providers and keys that are told apart; the rest of a day is summed as one.
const PARTS_MAX: usize = 20;
/// The names of what all make up that are not told apart.
const OTHER_PROVIDERS: &str = "(other providers)";
const OTHER_KEYS: &str = "(other keys)";

/// What makes up each day; empty where no sum says.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) providers: Vec<Part>,
    pub(super) keys: Vec<Part>,
}

/// One part of every day.
pub(super) struct Part {
    pub(super) name: String,
    /// What is known of it.
    pub(super) metadata: Value,
    /// What it is of each day, in the order of the days.
    pub(super) days: Vec<Spend>,
}

impl Parts {
    /// The parts of what a subject used.
    pub(super) async fn of(
        admin: &Admin,
        subject: &Subject,
        days: (&[LocalDay], &[Span]),
        usage: &DailyUsage,
    ) -> Result<Self, Refusal> {
        let total = || usage.days.iter().map(|day| day.total.clone()).collect::<Vec<Spend>>();
        match subject.level {
            Level::All => {
                let providers = (Level::Provider, OTHER_PROVIDERS);
                let providers = parts(admin, providers, days, &total()).await?;
                let keys = parts(admin, (Level::Key, OTHER_KEYS), days, &total()).await?;
                Ok(Self { providers, keys: labelled(admin, keys).await? })
            }
            Level::Key => {
                let whole =
                    Part { name: subject.id.to_string(), metadata: json!({}), days: total() };
                Ok(Self { keys: labelled(admin, vec![whole]).await?, ..Self::default() })
            }
            _ => Ok(Self::default()),
        }
    }
}

/// The dearest at a level day by day, and what all others make up.
async fn parts(
    admin: &Admin,
    (level, others): (Level, &str),
    (days, spans): (&[LocalDay], &[Span]),
    total: &[Spend],
) -> Result<Vec<Part>, Refusal> {
    let mut found = spend::spenders(admin, level, days).await?;
    let more = found.len() > PARTS_MAX;
    found.truncate(PARTS_MAX);
    let subjects: Vec<Subject> = found.iter().map(|(id, _)| Subject::new(level, id)).collect();
    let spent = admin.db.spends(&subjects, spans).await;
    let spent = spent.map_err(|problem| problem::store(&problem))?;
    let told = found.into_iter().zip(spent);
    let mut parts: Vec<Part> =
        told.map(|((name, _), days)| Part { name, metadata: json!({}), days }).collect();
    if more {
        let mut rest = total.to_vec();
        for part in &parts {
            rest.iter_mut().zip(&part.days).for_each(|(rest, day)| rest.subtract(day));
        }
        parts.push(Part { name: others.to_owned(), metadata: json!({}), days: rest });
    }
    Ok(parts)
}

/// Keys under their hashes, as LiteLLM names them. One that left no record keeps its id.
async fn labelled(admin: &Admin, mut keys: Vec<Part>) -> Result<Vec<Part>, Refusal> {
    let ids: Vec<&str> = keys.iter().map(|part| part.name.as_str()).collect();
    let labels = admin.db.key_labels(&ids).await.map_err(|problem| problem::store(&problem))?;
    for part in &mut keys {
        if let Some(KeyLabel { hash, alias, team, .. }) = labels.get(&part.name) {
            part.metadata = json!({ "key_alias": alias, "team_id": team });
            part.name.clone_from(hash);
        }
    }
    Ok(keys)
}
