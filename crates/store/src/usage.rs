//! Usage by day and by model, read from sums and never from entries.
//!
//! What is asked for is a list of parts, a sum each: a day of someone, or what one model makes up
//! of it. One part is a row of the sums by day where the day is summed, and one stretch of the
//! quarter-hours' key otherwise, so that its cost does not depend on how much else there is. A page
//! asks for few parts, and Postgres gives up what takes too long.

mod parts;
mod spenders;

use tollgate_domain::{Level, Money, Subject, joined};
use tollgate_policy::Span;

use crate::spend::Spend;
use crate::{Db, StoreError};
use parts::Reading;
pub(crate) use parts::{Part, quarter_hours};
pub(crate) use spenders::{Names, names};
pub use spenders::{SPENDERS_LOOKED_AT_MAX, Spenders};

/// Most models that are told apart; the rest of a day is summed as one.
pub const USAGE_MODELS_MAX: usize = 20;
/// Most names of models that are looked at to find those.
const MODELS_LOOKED_AT_MAX: usize = 1_000;
const MODELS: Names<'static> =
    Names { kind: Level::ModelGroup.as_str(), after: None, most: MODELS_LOOKED_AT_MAX };

/// What someone used, day by day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DailyUsage {
    /// One for each day asked for, in that order.
    pub days: Vec<DayOfUsage>,
}

/// What someone used on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayOfUsage {
    /// The whole day.
    pub total: Spend,
    /// The model groups that make it up, those with the highest cost over all days first; a model
    /// that was not called on this day is left out.
    pub models: Vec<(String, Spend)>,
    /// What all other model groups make up, where there are more than [`USAGE_MODELS_MAX`].
    pub others: Option<Spend>,
}

impl Db {
    /// What a subject used on each of some days, which begin and end at quarter-hours and follow
    /// each other; of one model group only where one is named. All of it is read at one instant.
    ///
    /// A level that is not summed by model has no models, and nothing of a model that is named.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails, or does not answer within fifteen seconds.
    pub async fn usage(
        &self,
        subject: &Subject,
        model: Option<&str>,
        days: &[Span],
    ) -> Result<DailyUsage, StoreError> {
        let mut reading = Reading::begin(self, days).await?;
        let totals = match model {
            None => days_of(subject.level.as_str(), &subject.id, days),
            Some(model) => match by_model(subject, model) {
                Some((kind, id)) => days_of(kind, &id, days),
                None => return Ok(DailyUsage { days: vec![DayOfUsage::default(); days.len()] }),
            },
        };
        let totals = reading.sums(&totals).await?;
        let mut usage = DailyUsage { days: totals.into_iter().map(DayOfUsage::of).collect() };
        let mut models = match model {
            None => names(&mut reading.transaction, MODELS).await?,
            Some(model) => vec![model.to_owned()],
        };
        if models.len() > USAGE_MODELS_MAX {
            // All days of so many would be too much to read.
            models = called(&mut reading, subject, (days, models)).await?;
        }
        split(&mut reading, (subject, days), models, &mut usage).await?;
        reading.end().await?;
        Ok(usage)
    }
}

impl DayOfUsage {
    fn of(total: Spend) -> Self {
        Self { total, models: Vec::new(), others: None }
    }
}

/// Adds the parts that models make up to each day, those of the dearest first.
async fn split(
    reading: &mut Reading,
    (subject, days): (&Subject, &[Span]),
    mut models: Vec<String>,
    usage: &mut DailyUsage,
) -> Result<(), StoreError> {
    let more = models.len() > USAGE_MODELS_MAX;
    models.truncate(USAGE_MODELS_MAX);
    let parts = models.iter().filter_map(|model| by_model(subject, model));
    let parts: Vec<Part> = parts.flat_map(|(kind, id)| days_of(kind, &id, days)).collect();
    let parts = reading.sums(&parts).await?;
    let mut models: Vec<_> = models.into_iter().zip(parts.chunks(days.len().max(1))).collect();
    models.sort_by_cached_key(|(_, parts)| std::cmp::Reverse(dearness(parts)));
    for (model, parts) in models {
        for (day, part) in usage.days.iter_mut().zip(parts).filter(|(_, part)| part.entries > 0) {
            day.models.push((model.clone(), part.clone()));
        }
    }
    if more {
        for day in &mut usage.days {
            let mut others = day.total.clone();
            day.models.iter().for_each(|(_, part)| others.subtract(part));
            day.others = Some(others);
        }
    }
    Ok(())
}

/// What models are ordered by.
fn dearness(parts: &[Spend]) -> (Money, i64) {
    let mut total = Spend::default();
    parts.iter().for_each(|part| total.add(part));
    (total.cost, total.entries)
}

/// Of these model groups those that a subject called on these days, the dearest first.
async fn called(
    reading: &mut Reading,
    subject: &Subject,
    (days, names): (&[Span], Vec<String>),
) -> Result<Vec<String>, StoreError> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
    let span = Span { start: first.start, end: last.end };
    let part = |name: String| {
        let (kind, id) = by_model(subject, &name)?;
        Some((name, Part { kind, subject: id, span }))
    };
    let (names, parts): (Vec<String>, Vec<Part>) = names.into_iter().filter_map(part).unzip();
    let mut called: Vec<(String, Spend)> =
        names.into_iter().zip(reading.sums(&parts).await?).collect();
    called.retain(|(_, spend)| spend.entries > 0);
    called.sort_by_key(|(_, spend)| std::cmp::Reverse(dearness(std::slice::from_ref(spend))));
    Ok(called.into_iter().map(|(name, _)| name).collect())
}

/// The kind and subject under which one model group's part of someone's spend is summed.
fn by_model(subject: &Subject, model: &str) -> Option<(&'static str, String)> {
    match subject.level {
        Level::All => Some((Level::ModelGroup.as_str(), model.to_owned())),
        level => Some((level.with_model()?, joined(&subject.id, model))),
    }
}

fn days_of(kind: &'static str, subject: &str, days: &[Span]) -> Vec<Part> {
    days.iter().map(|day| Part { kind, subject: subject.to_owned(), span: *day }).collect()
}
