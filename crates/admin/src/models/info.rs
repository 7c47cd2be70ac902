//! `GET /model/info` and `/v2/model/info`: the deployments that the caller may use.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Value, json};
use tollgate_config::ModelEntry;
use tollgate_faults::Refusal;
use tollgate_policy::Audience;

use super::shown;
use crate::asked::Asked;
use crate::desk::Desk;
use crate::problem;
use crate::route::Route;
use crate::shape::{Field, choice, count, text};

/// How many deployments a page has unless the query says otherwise, as in LiteLLM.
const PAGE_SIZE: u32 = 50;

const ONE: [Field; 1] = [text("litellm_model_id", "Only this deployment")];
const PAGED: [Field; 7] = [
    text("model", "Only deployments of this model group"),
    text("modelId", "Only this deployment"),
    text("search", "Only model groups with this text in their name"),
    count("page", "The page, from 1"),
    count("size", "Deployments on a page, up to 100"),
    choice("sortBy", &SORTS, "What they are sorted by"),
    choice("sortOrder", &["asc", "desc"], "Which come first"),
];
const SORTS: [&str; 3] = ["created_at", "model_name", "updated_at"];

pub(super) fn routes() -> Vec<Route> {
    let about = "Deployments, without secrets, with what is known of their models";
    vec![
        Route::question("/model/info", Audience::Keys, (about, &ONE), info),
        Route::question("/v1/model/info", Audience::Keys, (about, &ONE), info),
        Route::question("/v2/model/info", Audience::Keys, (about, &PAGED), paged),
    ]
}

async fn info(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let snapshot = desk.configuration.snapshot();
    let entries = theirs(&desk, &snapshot.entries).await?;
    let wanted = asked.text("litellm_model_id");
    let found: Vec<&ModelEntry> = entries
        .into_iter()
        .filter(|entry| wanted.is_none_or(|id| entry.id.as_str() == id))
        .collect();
    if let (Some(id), true) = (wanted, found.is_empty()) {
        // LiteLLM's status for it.
        return Err(problem::absent("deployment", "litellm_model_id", id).with_status(400));
    }
    let data: Vec<Value> = found.into_iter().map(|entry| shown::entry(&snapshot, entry)).collect();
    Ok(json!({ "data": data }))
}

async fn paged(desk: Desk, asked: Asked) -> Result<Value, Refusal> {
    let page = asked.page("size", PAGE_SIZE)?;
    let order = Order::read(&asked)?;
    let snapshot = desk.configuration.snapshot();
    let mut found = theirs(&desk, &snapshot.entries).await?;
    let search = asked.text("search").map(str::to_lowercase);
    found.retain(|entry| {
        let name = entry.model_name.as_str();
        let is = |filter: &str, value: &str| asked.text(filter).is_none_or(|asked| asked == value);
        let holds = search.as_ref().is_none_or(|text| name.to_lowercase().contains(text));
        holds && is("model", name) && is("modelId", entry.id.as_str())
    });
    if let Some(order) = order {
        found.sort_by(|one, other| order.compare(one, other));
    }
    let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let on_page = found.into_iter().skip(page.skipped()).take(size);
    let data: Vec<Value> = on_page.map(|entry| shown::entry(&snapshot, entry)).collect();
    Ok(json!({
        "data": data,
        "total_count": total,
        "current_page": page.number,
        "total_pages": page.count(total),
        "size": page.size,
    }))
}

/// The entries whose models the caller may use; all of them for whoever sees everything.
pub(crate) async fn theirs<'e>(
    desk: &Desk,
    entries: &'e [ModelEntry],
) -> Result<Vec<&'e ModelEntry>, Refusal> {
    if desk.by.sees_all() {
        return Ok(entries.iter().collect());
    }
    let names: BTreeSet<_> = entries.iter().map(|entry| entry.model_name.clone()).collect();
    let names = desk.configuration.permitted(desk.actor(), names).await?;
    Ok(entries.iter().filter(|entry| names.contains(&entry.model_name)).collect())
}

/// How a page is sorted.
struct Order {
    by: String,
    descending: bool,
}

impl Order {
    fn read(asked: &Asked) -> Result<Option<Self>, Refusal> {
        let among = |name: &str, known: &[&str]| match asked.text(name) {
            Some(text) if !known.contains(&text) => {
                Err(problem::wrong(name, format!("expected one of {}", known.join(", "))))
            }
            text => Ok(text.map(str::to_owned)),
        };
        let descending = among("sortOrder", &["asc", "desc"])?.as_deref() == Some("desc");
        let by = among("sortBy", &SORTS)?;
        Ok(by.map(|by| Self { by, descending }))
    }

    fn compare(&self, one: &ModelEntry, other: &ModelEntry) -> Ordering {
        let key = |entry: &ModelEntry| match &*self.by {
            "model_name" => entry.model_name.to_string(),
            field => {
                let at = entry.info.get(field).and_then(Value::as_str);
                at.unwrap_or_default().to_owned()
            }
        };
        let order = key(one).cmp(&key(other));
        if self.descending { order.reverse() } else { order }
    }
}
