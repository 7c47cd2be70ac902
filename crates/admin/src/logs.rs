//! `GET /spend/logs/v2`: the entries of the ledger, the newest first, in LiteLLM's fields.

use std::ops::Range;

use serde_json::{Value, json};
use tollgate_domain::{CallId, Money, OrganizationId, Timestamp, UsageKind};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Audience, Scope, Zone};
use tollgate_store::{
    EntryFilter, EntryRow, LOG_DEPTH_MAX, LOG_ROWS_MAX, LogPage, Logged, LoggedEntry,
};

use crate::asked::Asked;
use crate::desk::Desk;
use crate::keys;
use crate::problem;
use crate::query::key_id;
use crate::route::Route;
use crate::shape::{Field, choice, count, dollars, flag, text};

/// Entries on a page when the request names no number.
const PAGE_ROWS_USUAL: u32 = 50;
/// Most entries on a page.
const PAGE_ROWS_MAX: u32 = LOG_ROWS_MAX as u32;

/// What the log can be asked by.
const NAMES: [Field; 20] = [
    text("api_key", "Only calls of this key"),
    text("user_id", "Only calls of this user"),
    text("team_id", "Only calls of this team"),
    text("end_user", "Only calls for this customer"),
    text("request_id", "Only this call"),
    text("start_date", "From when on: a day or an instant"),
    text("end_date", "Until when: a day, wholly, or an instant"),
    text("model", "Only calls of this model group"),
    text("model_group", "The same"),
    text("model_id", "Only calls that this deployment answered"),
    text("key_alias", "Only calls of the key with this alias"),
    dollars("min_spend", "Only calls that cost at least so much"),
    dollars("max_spend", "Only calls that cost at most so much"),
    choice("sort_by", &["startTime"], "What entries are sorted by"),
    choice("sort_order", &["desc"], "Which come first"),
    flag("exclude_internal_health_checks", "Nothing changes: there are none"),
    choice("status_filter", &["success", "failure"], "Only calls that ended so"),
    count("page", "The page, from 1"),
    count("page_size", "Entries on a page"),
    text("cursor", "Where to go on: the `next_cursor` of the page before, in place of `page`"),
];

/// What names one entry.
const ONE: [Field; 3] = [
    text("request_id", "The call").required(),
    text("start_date", "Nothing changes: an entry is found without it"),
    text("end_date", "Nothing changes: an entry is found without it"),
];

pub(crate) fn routes() -> Vec<Route> {
    let about = "The entries of the ledger, the newest first";
    let paged = |path| Route::question(path, Audience::Keys, (about, &NAMES), logged);
    vec![
        paged("/spend/logs/v2"),
        paged("/spend/logs/ui"),
        Route::question(
            "/spend/logs/ui/{request_id}",
            Audience::OrganizationAdmins,
            ("One entry of the ledger; what was asked and answered is not kept", &ONE),
            one,
        ),
    ]
}

/// One entry, as far as the call is the caller's to see.
async fn one(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let id = asked.required("request_id")?;
    let wanted = Wanted(&asked).within(EVER, None)?;
    let page = LogPage { before: None, skip: 0, rows: 1 };
    let found = desk.db.log(&wanted, &page).await.map_err(|problem| problem::store(&problem))?;
    let Some(logged) = found.entries.first() else {
        // Whoever may not see the call does not learn whether there was one.
        desk.must_see(Scope::Gateway)?;
        return Err(problem::absent("entry of the call", "request_id", id));
    };
    let organization = logged.entry.row.charged.organization_id.as_deref();
    match organization.and_then(|id| OrganizationId::new(id).ok()) {
        Some(id) if desk.by.administrates(Some(&id)) => {}
        _ => desk.must_see(Scope::Gateway)?,
    }
    let mut shown = line(logged);
    for name in ["messages", "response", "proxy_server_request"] {
        shown[name] = json!({});
    }
    Ok(shown)
}

async fn logged(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let asked = Wanted(&asked);
    let key_id = match (asked.text("api_key"), asked.text("key_alias")) {
        (Some(_), Some(_)) => return Err(problem::wrong("key_alias", "name a key once")),
        (None, Some(alias)) => Some(aliased(&desk, alias).await?),
        (key, None) => key_id(&desk, key).await?,
    };
    asked.in_order()?;
    let wanted = asked.filter(key_id)?;
    let (number, page) = asked.page()?;
    let found = desk.db.log(&wanted, &page).await.map_err(|problem| problem::store(&problem))?;
    Ok(shown(&found, number, page.rows))
}

/// The id of the key with this alias.
async fn aliased(desk: &Desk, alias: &str) -> Result<String, Refusal> {
    let found = desk.db.find_key_by_alias(alias).await;
    let Some(row) = found.map_err(|problem| problem::store(&problem))? else {
        desk.must_see(Scope::Gateway)?;
        return Err(problem::absent("key", "key_alias", alias));
    };
    desk.must_see(keys::scope(&row))?;
    Ok(row.id.as_str().to_owned())
}

/// All of time.
const EVER: Range<Timestamp> = Timestamp::from_micros(i64::MIN)..Timestamp::from_micros(i64::MAX);

/// What a query without pages wants of the log: entries of some days, one entry, or all.
///
/// # Errors
/// Refused when an instant is none.
pub(crate) fn ever_or_dated(asked: &Asked, key_id: Option<String>) -> Result<EntryFilter, Refusal> {
    let asked = Wanted(asked);
    let at = |micros| Timestamp::from_micros(micros);
    let start = instant("start_date", asked.text("start_date"), Edge::Start)?;
    let end = instant("end_date", asked.text("end_date"), Edge::End)?;
    let span = start.unwrap_or_else(|| at(i64::MIN))..end.unwrap_or_else(|| at(i64::MAX));
    asked.within(span, key_id)
}

/// What a query wants of the log.
struct Wanted<'a>(&'a Asked);

impl<'a> Wanted<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        self.0.text(name)
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    fn filter(&self, key_id: Option<String>) -> Result<EntryFilter, Refusal> {
        let start = instant("start_date", self.text("start_date"), Edge::Start)?;
        let end = instant("end_date", self.text("end_date"), Edge::End)?;
        let whole = |at| self.text("request_id").map(|_| Timestamp::from_micros(at));
        let missing = |field: &'static str| {
            let message = "`start_date` and `end_date` say which entries, or `request_id` does";
            Refusal::new(Reason::FieldMissing, message).with_param(field)
        };
        let start = start.or_else(|| whole(i64::MIN)).ok_or_else(|| missing("start_date"))?;
        let end = end.or_else(|| whole(i64::MAX)).ok_or_else(|| missing("end_date"))?;
        self.within(start..end, key_id)
    }

    fn within(
        &self,
        span: Range<Timestamp>,
        key_id: Option<String>,
    ) -> Result<EntryFilter, Refusal> {
        let failed = match self.text("status_filter") {
            None | Some("") => None,
            Some("success") => Some(false),
            Some("failure") => Some(true),
            Some(_) => return Err(problem::wrong("status_filter", "`success` or `failure`")),
        };
        Ok(EntryFilter {
            span,
            call_id: self.owned("request_id"),
            key_id,
            user_id: self.owned("user_id"),
            team_id: self.owned("team_id"),
            customer_id: self.owned("end_user"),
            model_group: self.owned("model_group").or_else(|| self.owned("model")),
            failed,
            deployment_id: self.owned("model_id"),
            cost_min: self.dollars("min_spend")?,
            cost_max: self.dollars("max_spend")?,
        })
    }

    fn dollars(&self, name: &str) -> Result<Option<Money>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        Money::parse_dollars(text).map(Some).map_err(|problem| problem::wrong(name, problem))
    }

    /// # Errors
    /// Refused when another order is asked for than there is.
    fn in_order(&self) -> Result<(), Refusal> {
        for (name, only) in [("sort_by", "startTime"), ("sort_order", "desc")] {
            if self.text(name).is_some_and(|text| text != only) {
                let message = format!("`{name}`: entries are in the order of `{only}` only");
                return Err(Refusal::new(Reason::ParameterUnsupported, message).with_param(name));
            }
        }
        Ok(())
    }

    /// The page's number and the page.
    fn page(&self) -> Result<(usize, LogPage), Refusal> {
        let rows = self.0.number("page_size", PAGE_ROWS_USUAL, PAGE_ROWS_MAX)? as usize;
        let number = self.0.number("page", 1, u32::MAX)? as usize;
        if let Some(cursor) = self.text("cursor") {
            return Ok((number, LogPage { before: Some(place(cursor)?), skip: 0, rows }));
        }
        let skip = (number - 1).saturating_mul(rows);
        if skip >= LOG_DEPTH_MAX {
            let message = format!(
                "pages are counted up to entry {LOG_DEPTH_MAX}; go on with `?cursor=` and the \
                 `next_cursor` of the page before, or ask about fewer days"
            );
            return Err(Refusal::new(Reason::FieldOutOfRange, message).with_param("page"));
        }
        Ok((number, LogPage { before: None, skip, rows }))
    }
}

/// Which edge of a day a date stands for.
#[derive(Clone, Copy)]
enum Edge {
    Start,
    End,
}

/// A day in UTC, `YYYY-MM-DD HH:MM:SS` in UTC, or an RFC 3339 instant.
fn instant(field: &str, text: Option<&str>, edge: Edge) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    if let Some(day) = Zone::utc().days(text, text).ok().and_then(|days| days.into_iter().next()) {
        return Ok(Some(match edge {
            Edge::Start => day.span.start,
            Edge::End => day.span.end,
        }));
    }
    let plain = text.replacen(' ', "T", 1);
    let read = Timestamp::parse(&plain).or_else(|_| Timestamp::parse(&format!("{plain}Z")));
    let wrong = |_| problem::wrong(field, "a day or an instant such as `2026-01-31 09:30:00`");
    read.map(Some).map_err(wrong)
}

/// The place that a cursor names.
fn place(cursor: &str) -> Result<(i64, String), Refusal> {
    let read = cursor
        .split_once('.')
        .and_then(|(at, call)| Some((at.parse().ok()?, CallId::parse(call)?.to_string())));
    read.ok_or_else(|| problem::wrong("cursor", "expected the `next_cursor` of a page"))
}

fn shown(found: &Logged, page: usize, rows: usize) -> Value {
    let is_full = found.entries.len() == rows;
    let last = found.entries.last().filter(|_| is_full).map(|it| &it.entry.row);
    let data: Vec<Value> = found.entries.iter().map(line).collect();
    json!({
        "data": data,
        "total": found.total.min(LOG_DEPTH_MAX),
        "total_is_more": found.total > LOG_DEPTH_MAX,
        "page": page,
        "page_size": rows,
        "total_pages": found.total.min(LOG_DEPTH_MAX).div_ceil(rows),
        "next_cursor": last.map(|row| format!("{}.{}", row.admitted_at, row.call_id)),
    })
}

/// One entry: LiteLLM's fields as far as the ledger knows them, then ours.
pub(crate) fn line(logged: &LoggedEntry) -> Value {
    let row = &logged.entry.row;
    let at = |micros| Timestamp::from_micros(micros).to_string();
    let (prompt, completion) =
        (tokens(row, UsageKind::is_prompt), tokens(row, UsageKind::is_completion));
    json!({
        "request_id": row.call_id,
        "api_key": logged.key_hash,
        "spend": logged.entry.cost(),
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "startTime": at(row.admitted_at),
        "endTime": at(row.settled_at),
        "completionStartTime": row.first_byte_at.map(at),
        "request_duration_ms": row.settled_at.saturating_sub(row.admitted_at) / 1_000,
        "model": row.upstream_model,
        "model_id": row.deployment_id,
        "model_group": row.model_group,
        "custom_llm_provider": row.provider,
        "user": row.charged.user_id,
        "team_id": row.charged.team_id,
        "organization_id": row.charged.organization_id,
        "end_user": row.charged.customer_id,
        "request_tags": row.charged.tags.names,
        "metadata": {},
        "status": if row.failed() { "failure" } else { "success" },
        "key_id": row.charged.key_id,
        "project_id": row.charged.project_id,
        "stream": row.streamed,
        "outcome": row.outcome,
        "usage_source": row.usage_source,
        "price_sheet_id": row.price_sheet_id,
        "recorded_spend": row.cost(),
        "attempts": serde_json::from_str::<Value>(&row.attempts).unwrap_or_default(),
    })
}

/// Whole tokens of the kinds of one side.
fn tokens(row: &EntryRow, belongs: fn(UsageKind) -> bool) -> u64 {
    let known = row.usage.known().filter(|(kind, _)| belongs(*kind));
    known.map(|(_, quantity)| quantity.milli()).fold(0, u64::saturating_add) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn a_date_stands_for_its_whole_day_and_an_instant_for_itself() {
        for (text, start, end) in [
            ("2026-05-01", "2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z"),
            ("2026-05-01 09:30:00", "2026-05-01T09:30:00Z", "2026-05-01T09:30:00Z"),
            ("2026-05-01T09:30:00+02:00", "2026-05-01T07:30:00Z", "2026-05-01T07:30:00Z"),
        ] {
            let read = |edge| instant("start_date", Some(text), edge).expect("an instant");
            let read = |edge| read(edge).map(|at| at.to_string());
            assert_eq!(read(Edge::Start).as_deref(), Some(start));
            assert_eq!(read(Edge::End).as_deref(), Some(end));
        }
        for text in ["", "yesterday", "2026-13-01", "9"] {
            assert!(instant("start_date", Some(text), Edge::Start).is_err(), "{text}");
        }
    }

    #[test]
    fn pages_are_counted_only_so_far_and_a_cursor_has_no_such_limit() {
        let page = |page: &str, cursor: Option<&str>| {
            let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let uri = format!("/spend/logs/v2?page={page}&page_size=1000{cursor}");
            let uri = uri.parse().expect("a path");
            let asked = Asked::read(&uri, &Shape::of(&NAMES), &[]).expect("a query");
            Wanted(&asked).page().map(|(_, page)| page.skip)
        };
        assert_eq!(page("10", None).expect("a page"), 9_000);
        let deep = page("11", None).expect_err("too deep");
        assert!(format!("{deep:?}").contains("next_cursor"), "{deep:?}");
        let cursor = "17.00000000-0000-0000-0000-000000000001";
        assert_eq!(page("11", Some(cursor)).expect("a page"), 0);
        for wrong in ["17", "x.00000000-0000-0000-0000-000000000001", "17.call"] {
            assert!(page("1", Some(wrong)).is_err(), "{wrong}");
        }
    }
}
