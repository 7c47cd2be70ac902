//! What a subject spent in a window that may begin anywhere, not only at a quarter-hour.

use tollgate_domain::{Level, Money, Subject, joined};
use tollgate_policy::{QuarterHours, Span};

use crate::db::{Columns, on};
use crate::imports::opening_of;
use crate::{Db, StoreError};

impl Db {
    /// What a subject spent with calls admitted in `span`, or what one model group's part of that
    /// is: the sums of its whole quarter-hours and the entries before and after them, as
    /// corrected. What a takeover says was spent besides is part of the whole.
    ///
    /// Only known costs are counted. A level that is not summed by model gives zero for a part.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn spent(
        &self,
        subject: &Subject,
        model: Option<&str>,
        span: Span,
    ) -> Result<Money, StoreError> {
        let (kind, id) = match model {
            None => (Some(subject.level.as_str()), subject.id.to_string()),
            Some(model) => (subject.level.with_model(), joined(&subject.id, model)),
        };
        let Some(kind) = kind else { return Ok(Money::ZERO) };
        let (head, whole, tail) = match span.quarter_hours() {
            QuarterHours::Aligned(whole) => (None, Some(whole), None),
            QuarterHours::Unaligned { head, whole, tail } => (head, whole, tail),
        };
        let mut spent = match whole {
            Some(whole) => self.sums(kind, &id, whole.range()).await?.cost,
            None => Money::ZERO,
        };
        if model.is_none() {
            let opening = opening_of(subject.level);
            spent = spent.saturating_add(self.sums(&opening, &id, span.range()).await?.cost);
        }
        for edge in [head, tail].into_iter().flatten() {
            let part = self.spent_by_entries(subject, model, edge).await?;
            spent = spent.saturating_add(part);
        }
        Ok(spent)
    }

    /// The sum over entries and their corrections, of which a span shorter than two quarter-hours
    /// has few.
    async fn spent_by_entries(
        &self,
        subject: &Subject,
        model: Option<&str>,
        span: Span,
    ) -> Result<Money, StoreError> {
        let Some((text, ids)) = entries_of(subject) else { return Ok(Money::ZERO) };
        let (start, end) = (span.start.micros(), span.end.micros());
        on!(
            self,
            read | pool | {
                let query = sqlx::query(text).bind(start).bind(end).bind(model);
                let query = query.bind(ids.0.as_str()).bind(ids.1.as_str());
                query.fetch_one(pool).await?.integer("cost_nanos").map(Money::from_nanos)
            }
        )
    }
}

macro_rules! entries_where {
    ($condition:literal) => {
        concat!(
            "SELECT CAST(COALESCE(SUM(COALESCE(cost_nanos, 0) + COALESCE((\
             SELECT SUM(ledger_corrections.cost_nanos) FROM ledger_corrections \
             WHERE ledger_corrections.call_id = ledger_entries.call_id), 0)), 0) AS BIGINT) \
             AS cost_nanos FROM ledger_entries WHERE admitted_at >= $1 AND admitted_at < $2 \
             AND (CAST($3 AS TEXT) IS NULL OR model_group = $3) AND ",
            $condition
        )
    };
}

/// The statement that sums a subject's entries, and the identities it asks for.
fn entries_of(subject: &Subject) -> Option<(&'static str, (String, String))> {
    let text = match subject.level {
        Level::All => entries_where!("$4 = $4 AND $5 = $5"),
        Level::Organization => entries_where!("organization_id = $4 AND $5 = $5"),
        Level::Project => entries_where!("project_id = $4 AND $5 = $5"),
        Level::Team => entries_where!("team_id = $4 AND $5 = $5"),
        Level::Member => entries_where!("team_id = $4 AND user_id = $5"),
        Level::OrganizationMember => entries_where!("organization_id = $4 AND user_id = $5"),
        Level::User => entries_where!("user_id = $4 AND $5 = $5"),
        Level::Key => entries_where!("key_id = $4 AND $5 = $5"),
        Level::Customer => entries_where!("customer_id = $4 AND $5 = $5"),
        Level::Tag => entries_where!("tags LIKE $4 ESCAPE '\\' AND $5 = $5"),
        Level::ModelGroup => entries_where!("model_group = $4 AND $5 = $5"),
        Level::Deployment => entries_where!("deployment_id = $4 AND $5 = $5"),
        Level::Provider => entries_where!("provider = $4 AND $5 = $5"),
    };
    let ids = match subject.level {
        Level::Member | Level::OrganizationMember => {
            let (within, user) = subject.id.split_once('\u{1f}')?;
            (within.to_owned(), user.to_owned())
        }
        Level::Tag => (containing(&subject.id), String::new()),
        _ => (subject.id.to_string(), String::new()),
    };
    Some((text, ids))
}

/// The pattern of a JSON array of texts that contains this one.
fn containing(tag: &str) -> String {
    let text = serde_json::Value::from(tag).to_string();
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
