//! Usage in the fields that LiteLLM's clients read.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tollgate_domain::{Subject, UsageKind};
use tollgate_store::{DailyUsage, DayOfUsage, Spend};

use super::Page;
use super::parts::{Part, Parts};

/// The name of what all models make up that are not told apart.
const OTHER_MODELS: &str = "(other models)";

/// One day of everyone who was asked about.
#[derive(Default)]
struct Day {
    total: Spend,
    models: BTreeMap<String, Spend>,
    entities: BTreeMap<String, Spend>,
}

/// The answer: the newest day first, days without a call left out (as in LiteLLM).
pub(super) fn activity(page: &Page, used: Vec<(Subject, DailyUsage)>, parts: &Parts) -> Value {
    let mut days: Vec<Day> = page.days.iter().map(|_| Day::default()).collect();
    for (subject, usage) in used {
        for (day, part) in days.iter_mut().zip(usage.days) {
            day.add(&subject, part);
        }
    }
    let mut total = Spend::default();
    days.iter().for_each(|day| total.add(&day.total));
    let dated = page.days.iter().zip(&days).enumerate().rev();
    let called = dated.filter(|(_, (_, day))| day.total.entries > 0);
    let results: Vec<Value> =
        called.map(|(index, (date, day))| day.shown(&date.date, parts, index)).collect();
    json!({ "results": results, "metadata": metadata(&total, page) })
}

impl Day {
    fn add(&mut self, subject: &Subject, part: DayOfUsage) {
        if part.total.entries == 0 {
            return;
        }
        self.total.add(&part.total);
        let others = part.others.map(|others| (OTHER_MODELS.to_owned(), others));
        for (model, spend) in part.models.into_iter().chain(others) {
            self.models.entry(model).or_default().add(&spend);
        }
        self.entities.entry(subject.id.to_string()).or_default().add(&part.total);
    }

    /// Models are told apart by their public name only, so that both lists of them are the same.
    fn shown(&self, date: &str, others: &Parts, index: usize) -> Value {
        let models = parts(&self.models);
        json!({
            "date": date,
            "metrics": metrics(&self.total),
            "breakdown": {
                "mcp_servers": {},
                "models": models,
                "model_groups": models,
                "providers": of_day(&others.providers, index),
                "endpoints": {},
                "api_keys": of_day(&others.keys, index),
                "entities": parts(&self.entities),
            },
        })
    }
}

/// What each part makes up of one day.
fn of_day(parts: &[Part], index: usize) -> Map<String, Value> {
    let of_day = parts.iter().filter_map(|part| Some((part, part.days.get(index)?)));
    let called = of_day.filter(|(_, spend)| spend.entries > 0);
    let shown = |(part, spend): (&Part, &Spend)| {
        let metadata = &part.metadata;
        let shown =
            json!({ "metrics": metrics(spend), "metadata": metadata, "api_key_breakdown": {} });
        (part.name.clone(), shown)
    };
    called.map(shown).collect()
}

fn parts(parts: &BTreeMap<String, Spend>) -> Map<String, Value> {
    let shown = |(name, spend): (&String, &Spend)| {
        let part = json!({ "metrics": metrics(spend), "metadata": {}, "api_key_breakdown": {} });
        (name.clone(), part)
    };
    parts.iter().filter(|(name, _)| !name.is_empty()).map(shown).collect()
}

/// The numbers of a part. What the gateway never does costs and saves nothing.
fn metrics(spend: &Spend) -> Value {
    let tokens = Tokens::of(spend);
    json!({
        "spend": spend.cost,
        "flat_cost": 0,
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "total_tokens": tokens.prompt + tokens.completion,
        "cache_read_input_tokens": tokens.cache_read,
        "cache_creation_input_tokens": tokens.cache_creation,
        "compression_saved_tokens": 0,
        "compression_savings_spend": 0,
        "gateway_injected_caching_savings_spend": 0,
        "autorouter_savings_spend": 0,
        "api_requests": spend.entries,
        "successful_requests": spend.entries - spend.failed,
        "failed_requests": spend.failed,
        "unpriced_requests": spend.unpriced,
    })
}

fn metadata(total: &Spend, page: &Page) -> Value {
    let tokens = Tokens::of(total);
    json!({
        "total_spend": total.cost,
        "total_prompt_tokens": tokens.prompt,
        "total_completion_tokens": tokens.completion,
        "total_tokens": tokens.prompt + tokens.completion,
        "total_api_requests": total.entries,
        "total_successful_requests": total.entries - total.failed,
        "total_failed_requests": total.failed,
        "total_cache_read_input_tokens": tokens.cache_read,
        "total_cache_creation_input_tokens": tokens.cache_creation,
        "page": page.number,
        "total_pages": page.pages,
        "has_more": page.number < page.pages,
    })
}

/// Whole tokens of a sum.
struct Tokens {
    prompt: i64,
    completion: i64,
    cache_read: i64,
    cache_creation: i64,
}

impl Tokens {
    fn of(spend: &Spend) -> Self {
        let sum = |belongs: fn(UsageKind) -> bool| {
            let kinds = UsageKind::ALL.into_iter().filter(|kind| belongs(*kind));
            let milli = |kind| spend.usage_milli[kind as usize];
            kinds.map(milli).fold(0, i64::saturating_add) / 1_000
        };
        Self {
            prompt: sum(UsageKind::is_prompt),
            completion: sum(UsageKind::is_completion),
            cache_read: sum(|kind| kind == UsageKind::CachedRead),
            cache_creation: sum(|kind| {
                matches!(kind, UsageKind::CacheWrite | UsageKind::CacheWriteLong)
            }),
        }
    }
}
