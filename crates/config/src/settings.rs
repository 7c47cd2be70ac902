//! Everything in the configuration that is not about a single model.

mod answers;
mod budget;
mod fair_queue;
mod key_making;
mod newcomers;
mod proxies;
mod records;
pub(crate) mod routing;
mod shared;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::{Money, Price, PriceError, Secret, parse_lifetime};
use tollgate_policy::{Calendar, TrustedProxies};

use crate::budgets::Budgets;
use crate::diagnostic::{Finding, code};
use crate::environment::Environment;
use crate::redis;
use crate::schema::{Reader, Section};
use crate::yaml::{Entry, Value};

pub use fair_queue::FairQueueSettings;
pub use routing::Routing;
pub(crate) use shared::Shared;

pub use key_making::{KeyBounds, KeyMaking, Makers};
pub use newcomers::Newcomers;

pub use answers::{FetchMedia, ReasoningMemory, StructureMiss};

/// The settings of a gateway.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `general_settings.master_key`, else `TOLLGATE_MASTER_KEY`, else `LITELLM_MASTER_KEY`.
    pub master_key: Option<Secret>,
    /// `general_settings.database_url`, else `DATABASE_URL`.
    pub database_url: Option<Secret>,
    /// The Redis that many nodes share their counters in, when there is one; read once, at start.
    pub redis_url: Option<Secret>,
    /// Whether deployments and credentials can be written into the database:
    /// `general_settings.store_model_in_db`, else `STORE_MODEL_IN_DB`.
    pub store_models: bool,
    /// How calls find their deployments.
    pub routing: Arc<Routing>,
    /// Largest request body, in bytes.
    pub request_bytes_max: u64,
    /// Largest answer that is read whole, in bytes.
    pub response_bytes_max: u64,
    /// Most calls at one time.
    pub calls_in_flight_max: u32,
    /// `true` shows usage in every stream, `false` never asks for it, unset asks silently.
    pub always_include_stream_usage: Option<bool>,
    /// What happens to a call under a money budget when its model has no price.
    pub unpriced_models: UnpricedModels,
    /// What happens to a call under a money budget when nothing bounds what it may cost.
    pub unbounded_calls: UnboundedCalls,
    /// What happens to calls under a budget while the store is away.
    pub on_store_failure: StoreFailure,
    /// Whether a call's output limit is lowered to what its budget still allows.
    pub clamp_max_tokens: bool,
    /// Whether `/metrics` asks for the master key.
    pub metrics_need_key: bool,
    /// Budgets that the file sets.
    pub budgets: Arc<Budgets>,
    /// The calendar that budget periods go by; read once, at start.
    pub calendar: Arc<Calendar>,
    /// The only header a key is read from, where the operator names one.
    pub key_header: Option<String>,
    /// How long the client of a stream hears nothing before it is told that the call is alive;
    /// `None` for never.
    pub keepalive: Option<Duration>,
    /// What stands before `/errors/<slug>`, without a slash at its end; empty when nobody said
    /// where the gateway is reached.
    pub docs_base: String,
    /// How long answers of the Responses API are kept for later calls; zero keeps none.
    pub responses_retention: Duration,
    /// How long the ledger's entries are kept, at least a day; `None` for ever. Their sums stay in
    /// any case.
    pub entries_kept: Option<Duration>,
    /// Most openings and entries that wait for a database that is away; with more, calls are
    /// refused. Read once, at start.
    pub spool_rows_max: u32,
    /// Whether and whence pictures are fetched for providers that want their bytes.
    pub fetch_media: FetchMedia,
    /// How much of what models thought is kept for providers that want it back.
    pub reasoning_memory: ReasoningMemory,
    /// What happens to an answer that is not the JSON that was asked for, of a model that keeps no
    /// schema by itself.
    pub on_structure_miss: StructureMiss,
    /// How long calls in flight may go on once the gateway is told to end.
    pub grace: Duration,
    /// How calls wait before a busy deployment.
    pub fair_queue: FairQueueSettings,
    /// How virtual keys may be made.
    pub key_making: KeyMaking,
    /// The proxies whose `X-Forwarded-For` is believed; none unless the file lists them.
    pub trusted_proxies: TrustedProxies,
    /// What new users and teams start with.
    pub newcomers: Newcomers,
}

/// What happens to a call under a money budget when its model has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnpricedModels {
    /// It is refused.
    Block,
    /// It goes through and costs nothing that is known.
    Allow,
    /// Every token is taken to cost this much. The sheet is part of the deployments already.
    Assume(Price),
}

/// What happens to a call under a money budget when nothing bounds what it may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnboundedCalls {
    /// It is refused.
    Block,
    /// It holds this much for what nothing bounds.
    Reserve(Money),
}

/// What happens to calls under a budget while the store is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFailure {
    /// They are refused.
    Closed,
    /// They are served from what this process knows of the budget.
    LocalSlice,
}

/// The three sections of settings.
pub(crate) struct Sections<'a> {
    pub(crate) general: Section<'a>,
    pub(crate) litellm: Section<'a>,
    pub(crate) router: Section<'a>,
}

/// Reads the settings; `router.model_group_alias` is left to whoever knows the models.
pub(crate) fn read(reader: &mut Reader<'_>, sections: &mut Sections<'_>) -> (Settings, Shared) {
    let mut settings = Settings::defaults(&reader.env);
    general(reader, &mut sections.general, &mut settings);
    settings.redis_url = redis::read(reader, sections);
    key_making::read(reader, sections, &mut settings);
    newcomers::read(reader, sections, &mut settings);
    let shared = shared::read(reader, sections, &mut settings);
    (settings, shared)
}

impl Settings {
    /// Whether a header of this name is the one that the operator named for keys.
    #[must_use]
    pub fn is_key_header(&self, name: &str) -> bool {
        self.key_header.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    /// What holds where the file says nothing.
    fn defaults(env: &Environment<'_>) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| env.variable(name));
        let base = first(&["PROXY_BASE_URL"]).unwrap_or_default();
        let root = first(&["SERVER_ROOT_PATH"]).unwrap_or_default();
        let docs_base = match (base.trim_end_matches('/'), root.trim_matches('/')) {
            (base, "") => base.to_owned(),
            (base, root) => format!("{base}/{root}"),
        };
        Self {
            master_key: first(&["TOLLGATE_MASTER_KEY", "LITELLM_MASTER_KEY"]).map(Secret::new),
            database_url: first(&["DATABASE_URL"]).map(Secret::new),
            redis_url: None,
            store_models: first(&["STORE_MODEL_IN_DB"])
                .is_some_and(|text| text.trim().eq_ignore_ascii_case("true")),
            routing: Arc::default(),
            request_bytes_max: REQUEST_MB * BYTES_PER_MB,
            response_bytes_max: RESPONSE_MB * BYTES_PER_MB,
            calls_in_flight_max: CALLS_IN_FLIGHT,
            always_include_stream_usage: None,
            unpriced_models: UnpricedModels::Block,
            unbounded_calls: UnboundedCalls::Block,
            on_store_failure: StoreFailure::Closed,
            clamp_max_tokens: false,
            metrics_need_key: true,
            budgets: Arc::default(),
            calendar: Arc::default(),
            key_header: None,
            keepalive: Some(KEEPALIVE),
            docs_base,
            responses_retention: RESPONSES_RETENTION,
            entries_kept: None,
            spool_rows_max: records::SPOOL_ROWS,
            fetch_media: FetchMedia::default(),
            reasoning_memory: ReasoningMemory::DEFAULT,
            on_structure_miss: StructureMiss::Refuse,
            grace: grace(&first),
            fair_queue: FairQueueSettings::default(),
            key_making: KeyMaking::default(),
            trusted_proxies: TrustedProxies::default(),
            newcomers: Newcomers::default(),
        }
    }
}

/// LiteLLM's variable, in seconds; what is no number of seconds leaves the default.
fn grace(first: &dyn Fn(&[&str]) -> Option<String>) -> Duration {
    first(&["GRACEFUL_SHUTDOWN_TIMEOUT"])
        .and_then(|text| text.trim().parse().ok())
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .map_or(GRACE, |grace| grace.min(GRACE_MAX))
}

fn general(reader: &mut Reader<'_>, section: &mut Section<'_>, settings: &mut Settings) {
    if let Some(entry) = section.take("master_key") {
        master_key(reader, entry, settings);
    }
    if let Some(url) = section.take("database_url").and_then(|entry| reader.text(entry)) {
        settings.database_url = Some(Secret::new(url));
    }
    if let Some(flag) = section.take("store_model_in_db").and_then(|entry| reader.flag(entry)) {
        settings.store_models = flag;
    }
    let mut megabytes = |name, most| {
        let entry = section.take(name)?;
        let count = reader.count(entry, most)?;
        if count == 0 {
            reader.out_of_range(entry, format!("`{name}` is 0, so nothing would fit"), "");
        }
        Some(count * BYTES_PER_MB)
    };
    if let Some(bytes) = megabytes("max_request_size_mb", MB_MAX) {
        settings.request_bytes_max = bytes;
    }
    if let Some(bytes) = megabytes("max_response_size_mb", MB_MAX) {
        settings.response_bytes_max = bytes;
    }
    if let Some(entry) = section.take("global_max_parallel_requests") {
        settings.calls_in_flight_max =
            calls_at_once(reader, entry).map_or(CALLS_IN_FLIGHT, NonZeroU32::get);
    }
    settings.always_include_stream_usage =
        section.take("always_include_stream_usage").and_then(|entry| reader.flag(entry));
    if let Some(entry) = section.take("keepalive_interval_ms") {
        let interval = reader.count(entry, KEEPALIVE_MS_MAX).map(Duration::from_millis);
        settings.keepalive = interval.or(settings.keepalive).filter(|wait| !wait.is_zero());
    }
    settings.key_header =
        section.take("litellm_key_header_name").and_then(|entry| reader.text(entry));
    if let Some(entry) = section.take("unpriced_models") {
        settings.unpriced_models = unpriced(reader, entry).unwrap_or(settings.unpriced_models);
    }
    if let Some(entry) = section.take("responses_retention") {
        settings.responses_retention =
            retention(reader, entry).unwrap_or(settings.responses_retention);
    }
    answers::read(reader, section, settings);
    records::read(reader, section, settings);
    proxies::read(reader, section, settings);
    budget::read(reader, section, settings);
}

fn master_key(reader: &mut Reader<'_>, entry: &Entry, settings: &mut Settings) {
    let Some(key) = reader.text(entry) else { return };
    if !key.starts_with("sk-") {
        let message = "the master key does not start with `sk-`, as every key must";
        let finding = Finding::warning(code::MALFORMED, entry.name_span.clone(), message);
        reader.findings.push(finding.with_help("put `sk-` before it and tell its users"));
    }
    settings.master_key = Some(Secret::new(key));
}

/// A number of calls that may be under way at once.
pub(crate) fn calls_at_once(reader: &mut Reader<'_>, entry: &Entry) -> Option<NonZeroU32> {
    let count = reader.count(entry, u64::from(CALLS_IN_FLIGHT_MAX))?;
    if count == 0 {
        let message = format!("`{}` is 0, so no call would be served", entry.name);
        reader.out_of_range(entry, message, "leave it out for the default");
    }
    u32::try_from(count).ok().and_then(NonZeroU32::new)
}

/// A lifetime, or zero.
fn retention(reader: &mut Reader<'_>, entry: &Entry) -> Option<Duration> {
    let text = reader.text(entry)?;
    match text.as_str() {
        "0" => Some(Duration::ZERO),
        text => match parse_lifetime(text) {
            Ok(lifetime) => Some(lifetime),
            Err(problem) => {
                let message = format!("`{}` is no lifetime", entry.name);
                let help = format!("{problem}; `0` keeps nothing");
                reader.out_of_range(entry, message, &help);
                None
            }
        },
    }
}

fn unpriced(reader: &mut Reader<'_>, entry: &Entry) -> Option<UnpricedModels> {
    let text = reader.text(entry)?;
    let Some(price) = text.strip_prefix("assume:") else {
        let choices = [("block", UnpricedModels::Block), ("allow", UnpricedModels::Allow)];
        return one_of(reader, entry, &choices);
    };
    match Price::parse_dollars(price.trim()) {
        Ok(price) => Some(UnpricedModels::Assume(price)),
        Err(problem) => {
            let problem: PriceError = problem;
            let message = format!("`{}` assumes a price that is {problem}", entry.name);
            let help = "write dollars per token, such as `assume:0.00001`";
            reader.out_of_range(entry, message, help);
            None
        }
    }
}

/// The choice that a text names; anything else is a finding.
fn one_of<T: Copy>(reader: &mut Reader<'_>, entry: &Entry, choices: &[(&str, T)]) -> Option<T> {
    if !matches!(entry.node.value, Value::Text(_)) {
        reader.wrong_type(entry, "text");
        return None;
    }
    let text = reader.text(entry)?;
    choice(reader, entry, &text, choices)
}

/// The choice that `text` names, which stands at `entry`; anything else is a finding.
fn choice<T: Copy>(
    reader: &mut Reader<'_>,
    entry: &Entry,
    text: &str,
    choices: &[(&str, T)],
) -> Option<T> {
    let chosen = choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
    if chosen.is_none() {
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
        let message = format!("`{}` is `{text}`", entry.name);
        reader.out_of_range(entry, message, &format!("it is one of {}", names.join(", ")));
    }
    chosen
}

/// Silence in a stream before its client is told that the call is alive.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// Longest such silence that can be configured, in milliseconds: an hour.
const KEEPALIVE_MS_MAX: u64 = 3_600_000;
/// Most attempts after the first that may be asked for.
pub(crate) const RETRIES_MAX: u64 = 100;
/// LiteLLM counts its size limits in these.
const BYTES_PER_MB: u64 = 1024 * 1024;
/// A request with some twenty large images.
const REQUEST_MB: u64 = 100;
/// An answer with some ten generated images.
const RESPONSE_MB: u64 = 100;
/// The largest size limit that may be asked for, 16 GiB.
const MB_MAX: u64 = 16 * 1024;
/// Calls at one time, some 100 MB of memory at the usual size of a call.
const CALLS_IN_FLIGHT: u32 = 4096;
/// The largest number of calls at one time that may be asked for.
const CALLS_IN_FLIGHT_MAX: u32 = 1_000_000;
/// Thirty days.
const RESPONSES_RETENTION: Duration = Duration::from_secs(30 * 86_400);
/// Half a minute, what orchestrators leave between telling a process to end and ending it.
const GRACE: Duration = Duration::from_secs(30);
/// Longest such time that can be asked for.
const GRACE_MAX: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests;
