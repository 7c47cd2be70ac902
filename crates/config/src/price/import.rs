//! The public price-list JSON to our dated rows, with everything that did not fit reported.
//!
//! The input is `model_prices_and_context_window.json` of LiteLLM (cost-map.md). Prices are read
//! from their decimal text and never pass through binary floating point. What the ledger cannot
//! count (service tiers, batches, pixels, compute time) is left out; a model with nothing else is
//! skipped, because a price of which the larger part is missing is worse than none.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use thiserror::Error;
use tollgate_domain::{NotADecimal, Price, UsageKind, parse_scaled};
use tollgate_wire::{Calling, Catalog, CatalogError, WireFormat};

use super::field::{
    BY_CALL, BY_SEARCH, Per, PriceField, SEARCH_SIZE, SEARCH_UNIT, SEARCHES, is_price,
};
use super::row::{Prices, Row, is_day};

/// What became of a price-list JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// The price list, which [`crate::PriceList::parse`] reads.
    pub text: String,
    /// How many models it has.
    pub models: usize,
    /// The models that are not in it, each with the reason.
    pub skipped: Vec<(String, String)>,
    /// The prices that are no whole number of pico-dollars and were rounded half up.
    pub rounded: Vec<String>,
    /// The models that are in it without some of their prices, each with those fields.
    pub left_out: Vec<(String, String)>,
}

/// Why a text is not a price-list JSON.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Not a JSON object of objects.
    #[error("the price list is not a JSON object of models")]
    Json(#[source] serde_json::Error),
    /// The day the prices apply from is not a day.
    #[error("`{0}` is not a day such as `2026-01-31`")]
    Day(String),
    /// The catalog that comes with the program cannot be read.
    #[error("the provider catalog cannot be read")]
    Catalog(#[source] CatalogError),
}

/// Reads the public price list into rows that apply from a day (`YYYY-MM-DD`, UTC) on, sorted by
/// name.
///
/// # Errors
/// [`ImportError`] when the text is not such a list or the day is not a day. A single model that
/// cannot be read is skipped and reported.
pub fn import(json: &str, effective_from: &str) -> Result<ImportReport, ImportError> {
    if !is_day(effective_from) {
        return Err(ImportError::Day(effective_from.to_owned()));
    }
    let models: BTreeMap<String, &RawValue> =
        serde_json::from_str(json).map_err(ImportError::Json)?;
    let catalog = Catalog::embedded().map_err(ImportError::Catalog)?;
    let mut report = ImportReport {
        text: format!("{HEAD}# day: {effective_from}\n"),
        models: 0,
        skipped: Vec::new(),
        rounded: Vec::new(),
        left_out: Vec::new(),
    };
    for (name, entry) in &models {
        match model((name, entry), effective_from, &catalog, &mut report) {
            Ok(line) => {
                report.text.push_str(&line);
                report.text.push('\n');
                report.models += 1;
            }
            Err(reason) => report.skipped.push((name.clone(), reason)),
        }
    }
    Ok(report)
}

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// One model's line, or why it has none.
fn model(
    (name, entry): (&str, &RawValue),
    effective_from: &str,
    catalog: &Catalog,
    report: &mut ImportReport,
) -> Result<String, String> {
    if PSEUDO_ENTRIES.contains(&name) {
        return Err("not a model".to_owned());
    }
    let fields: Fields<'_> =
        serde_json::from_str(entry.get()).map_err(|_| "not an object".to_owned())?;
    let provider = text(&fields, "litellm_provider").ok_or("no provider")?;
    let mode = text(&fields, "mode");
    let mut reading = Reading { name, prices: Prices::default(), left_out: Vec::new(), report };
    reading.fields(&fields)?;
    reading.seconds(&fields, mode.as_deref())?;
    reading.images(&fields, mode.as_deref())?;
    reading.tiers(&fields)?;
    reading.searches(&fields, || billed_by_call(catalog, family(&provider), name))?;
    let Reading { prices, left_out, .. } = reading;
    worth_having(&prices, &left_out)?;
    if !left_out.is_empty() {
        report.left_out.push((name.to_owned(), left_out.join(" ")));
    }
    let generates_text = matches!(mode.as_deref(), Some("chat" | "completion" | "responses"));
    let legacy_output = limit(&fields, "max_tokens").filter(|_| generates_text);
    let line = Row {
        name,
        provider: family(&provider),
        mode: mode.as_deref(),
        effective_from,
        max_input: limit(&fields, "max_input_tokens"),
        max_output: limit(&fields, "max_output_tokens").or(legacy_output),
        prices: &prices.write(),
    }
    .write();
    match Row::read(&line) {
        Ok(_) => Ok(line),
        Err(problem) => Err(problem.to_string()),
    }
}

/// Refuses prices that would make a model look free because what it is billed by has no place.
fn worth_having(prices: &Prices, left_out: &[&str]) -> Result<(), String> {
    if *prices == Prices::default() {
        return Err(match left_out {
            [] => "no price".to_owned(),
            fields => format!("billed by {}", fields.join(" ")),
        });
    }
    let all_rates = std::iter::once(&prices.rates).chain(prices.tiers.iter().map(|t| &t.rates));
    let free = all_rates.flat_map(|rates| rates.known()).all(|(_, price)| price == Price::FREE)
        && prices.per_request.is_none_or(|price| price == Price::FREE);
    match left_out.iter().find(|field| !EXTRAS.iter().any(|extra| field.starts_with(extra))) {
        Some(field) if free => Err(format!("free except for {field}")),
        _ => Ok(()),
    }
}

/// One model while it is read.
struct Reading<'a, 'r> {
    name: &'a str,
    prices: Prices,
    left_out: Vec<&'a str>,
    report: &'r mut ImportReport,
}

impl<'a> Reading<'a, '_> {
    /// Every field that is plainly the price of something.
    fn fields(&mut self, fields: &'a Fields<'_>) -> Result<(), String> {
        for (name, value) in fields.iter().filter(|(name, _)| is_price(name)) {
            match PriceField::read(name) {
                Some(PriceField { per: Per::Kind(UsageKind::Seconds), .. }) => {}
                Some(field) => {
                    if let Some(price) = self.price(name, value)? {
                        self.put(field, price);
                    }
                }
                None if IN_CONTEXT.contains(&name.as_str()) => {}
                None if is_zero(value) => {}
                None => self.left_out.push(name),
            }
        }
        Ok(())
    }

    /// Seconds are of audio or video in these modes, and of compute time in every other. Where
    /// tokens have a price too, that is the one charged.
    fn seconds(&mut self, fields: &'a Fields<'_>, mode: Option<&str>) -> Result<(), String> {
        let of_media = matches!(
            mode,
            Some("audio_transcription" | "audio_speech" | "video_generation" | "realtime")
        );
        let by_resolution = fields.keys().any(|name| name.starts_with("output_cost_per_second_"));
        let by_token = self.prices.rates.known().any(|(_, price)| price > Price::FREE);
        let mut highest: Option<Price> = None;
        for name in ["input_cost_per_second", "output_cost_per_second"] {
            let Some((name, value)) = fields.get_key_value(name) else { continue };
            if of_media && !by_resolution && !by_token {
                highest = highest.max(self.price(name, value)?);
            } else if !is_zero(value) {
                self.left_out.push(name);
            }
        }
        if let Some(price) = highest {
            self.prices.put(None, UsageKind::Seconds, price);
        }
        Ok(())
    }

    /// In older entries of image models the price of a generated image stands under the input.
    fn images(&mut self, fields: &'a Fields<'_>, mode: Option<&str>) -> Result<(), String> {
        let Some((name, value)) = fields.get_key_value("input_cost_per_image") else {
            return Ok(());
        };
        let generated = mode == Some("image_generation")
            && !fields.contains_key("output_cost_per_image")
            && !fields.contains_key("output_cost_per_image_token");
        match generated {
            true => {
                if let Some(price) = self.price(name, value)? {
                    self.prices.put(None, UsageKind::Images, price);
                }
            }
            false if is_zero(value) => {}
            false => self.left_out.push(name),
        }
        Ok(())
    }

    /// `tiered_pricing`: prices by ranges of the prompt's length, the first of which is the base.
    fn tiers(&mut self, fields: &'a Fields<'_>) -> Result<(), String> {
        let Some((name, list)) = fields.get_key_value("tiered_pricing") else { return Ok(()) };
        let tiers: Vec<BTreeMap<String, &RawValue>> =
            serde_json::from_str(list.get()).map_err(|_| format!("`{name}` is not a list"))?;
        for tier in &tiers {
            let Some(range) = tier.get("range") else {
                self.left_out.push(name);
                return Ok(());
            };
            let range: Vec<&RawValue> =
                serde_json::from_str(range.get()).map_err(|_| "a range is not a list")?;
            let from = range.first().and_then(|from| tokens(from.get())).ok_or("an open range")?;
            for (field, value) in tier.iter().filter(|(field, _)| *field != "range") {
                let above = Some(from).filter(|from| *from > 0);
                if let (Some(PriceField { per, .. }), Some(price)) =
                    (PriceField::read(field), self.price(field, value)?)
                {
                    self.put(PriceField { per, above }, price);
                }
            }
        }
        Ok(())
    }

    /// What a search costs may depend on how much of what it finds is read; nobody reports that, so
    /// that the highest price stands for all.
    fn searches(
        &mut self,
        fields: &'a Fields<'_>,
        usually_by_call: impl FnOnce() -> bool,
    ) -> Result<(), String> {
        let Some((name, sizes)) = fields.get_key_value(SEARCHES) else { return Ok(()) };
        let sizes: BTreeMap<String, &RawValue> =
            serde_json::from_str(sizes.get()).map_err(|_| format!("`{name}` is not an object"))?;
        let mut highest = None;
        for (size, value) in sizes.iter().filter(|(size, _)| size.starts_with(SEARCH_SIZE)) {
            highest = highest.max(self.price(size, value)?);
        }
        if let Some(price) = highest {
            let by_call = match text(fields, SEARCH_UNIT).as_deref() {
                Some(BY_CALL) => true,
                Some(BY_SEARCH) => false,
                _ => usually_by_call(),
            };
            self.prices.put_search(by_call, price);
        }
        Ok(())
    }

    fn put(&mut self, field: PriceField, price: Price) {
        match field.per {
            Per::Kind(kind) => {
                self.prices.put(field.above, kind, price);
            }
            Per::Request => self.prices.per_request = Some(price),
        }
    }

    /// The price in a field, `None` for `null`.
    fn price(&mut self, field: &str, value: &RawValue) -> Result<Option<Price>, String> {
        let text = value.get();
        if text == "null" {
            return Ok(None);
        }
        let scaled = parse_scaled(text, 12)
            .map_err(|NotADecimal| format!("`{field}` is not a number of dollars"))?;
        let picos = u64::try_from(scaled.value).map_err(|_| format!("`{field}` is {text}"))?;
        if !scaled.exact {
            self.report.rounded.push(format!("{} {field}: {text} to {picos} p$", self.name));
        }
        Ok(Some(Price::from_picos(picos)))
    }
}

/// Whether a list that names no unit of searches means the call: models of Google's format are
/// billed so (cost-map.md, `web_search_billing_unit`).
fn billed_by_call(catalog: &Catalog, provider: &str, model: &str) -> bool {
    let provider = catalog.find(provider);
    let model = model.rsplit_once('/').map_or(model, |(_, model)| model);
    let endpoint = provider.and_then(|provider| {
        provider.endpoint(model, WireFormat::AnthropicMessages, Calling::default())
    });
    endpoint.is_some_and(|endpoint| endpoint.format == WireFormat::Gemini)
}

fn text(fields: &Fields<'_>, name: &str) -> Option<String> {
    serde_json::from_str(fields.get(name)?.get()).ok()
}

/// A number of tokens; a few entries write them as whole floating-point numbers.
fn limit(fields: &Fields<'_>, name: &str) -> Option<u64> {
    tokens(fields.get(name)?.get()).filter(|tokens| *tokens > 0)
}

fn tokens(text: &str) -> Option<u64> {
    u64::try_from(parse_scaled(text, 0).ok()?.value).ok()
}

fn is_zero(value: &RawValue) -> bool {
    value.get() == "null" || parse_scaled(value.get(), 12).is_ok_and(|scaled| scaled.value == 0)
}

/// The provider behind the name of one of its families, `provider-family_models`.
fn family(provider: &str) -> &str {
    match provider.split_once('-') {
        Some((provider, family)) if family.ends_with("models") => provider,
        _ => provider,
    }
}

/// Entries that describe the list.
const PSEUDO_ENTRIES: [&str; 2] = ["sample_spec", "fallback_generalizations"];
/// Prices whose meaning depends on other fields; read on their own.
const IN_CONTEXT: [&str; 3] = ["input_cost_per_image", "tiered_pricing", SEARCHES];
/// Prices of what a call may use besides the model, or of another way to call it.
const EXTRAS: [&str; 5] =
    ["google_maps", "code_interpreter", "file_search", "computer_use", "input_cost_per_token_"];
const HEAD: &str = "\
# Tollgate price list, version 1.
# name, provider, mode, effective_from, max_input, max_output, prices; by tabs, `-` is unknown.
# Prices are pico-dollars per unit: `kind=picos`, `request=picos`, `>tokens` begins a tier for
# longer prompts. crates/config/src/price/row.rs has the grammar.
# source: LiteLLM's public price list, model_prices_and_context_window.json (MIT licence)
";

#[cfg(test)]
mod tests;
