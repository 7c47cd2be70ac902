//! The settings of a behaviour as written in model names and in the JSON of scripts, read strictly.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use thiserror::Error;

use crate::behaviour::{ANSWER_TOKENS_MAX, Behaviour, Fault, ToolCall, WAIT_MAX};

/// Every setting with its meaning. Those of the second half are for JSON only: they do not fit into
/// a model name.
pub const SETTINGS: &[(&str, &str)] = &[
    ("ttft_ms", "wait before the first token, in milliseconds"),
    ("tps", "tokens per second after the first; absent: no pause"),
    ("tokens", "length of each choice, in tokens"),
    ("prompt_tokens", "reported instead of the prompt's words"),
    ("cached_tokens", "prompt tokens reported as cached"),
    ("reasoning_tokens", "completion tokens reported as reasoning"),
    ("date", "appended to the echoed model name after a hyphen"),
    ("tool", "call this function when tools are offered; `first` for the first one offered"),
    ("fault", "a status from 300 to 599, or one of the words listed by the refusal of a wrong one"),
    ("after_tokens", "where `stall`, `end_early`, `malformed_frame` and `error_event` strike"),
    ("after_bytes", "where `cut` strikes, in bytes of the body"),
    ("delay_ms", "how late the head is with `slow_headers`"),
    ("retry_after", "seconds, sent with a status"),
    ("text", "the exact answer, instead of `tokens` words"),
    ("arguments", "the exact arguments of the tool call, instead of `{}`"),
    ("headers", "an object of headers added to the answer"),
    ("body", "the exact body sent with a status"),
];

/// Settings that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingError {
    /// There is no setting of this name, at least not in a model name.
    #[error("there is no setting `{0}`; there are {names}", names = suffix_names())]
    Unknown(String),
    /// The setting is there twice.
    #[error("the setting `{0}` is there twice")]
    Twice(String),
    /// The value is not of the kind or range that the setting needs.
    #[error("the setting `{key}` is `{value}`, which is not {expected}")]
    Value {
        /// The setting.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// What it can be set to.
        expected: &'static str,
    },
    /// The setting means nothing without another, or with this fault.
    #[error(
        "the setting `{0}` has no meaning here: it goes with another `fault`, or with a `tool`"
    )]
    Unused(&'static str),
    /// The fault needs this setting.
    #[error("this fault needs the setting `{0}`")]
    Missing(&'static str),
}

/// The settings that were given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    ttft_ms: Option<u64>,
    tps: Option<f64>,
    tokens: Option<u32>,
    prompt_tokens: Option<u32>,
    cached_tokens: Option<u32>,
    reasoning_tokens: Option<u32>,
    date: Option<String>,
    tool: Option<String>,
    fault: Option<FaultName>,
    after_tokens: Option<u32>,
    after_bytes: Option<u64>,
    delay_ms: Option<u64>,
    retry_after: Option<u64>,
    text: Option<String>,
    arguments: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    body: Option<String>,
}

/// A fault is named by a word, or by a status, which JSON may write as a number.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum FaultName {
    Status(u16),
    Word(String),
}

impl Settings {
    /// Splits a model name into the model and its settings: `model?key=value&key=value`.
    pub(crate) fn of_model(name: &str) -> Result<(&str, Option<Self>), SettingError> {
        let Some((model, suffix)) = name.split_once('?') else { return Ok((name, None)) };
        let mut settings = Self::default();
        for pair in suffix.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            settings.set(key, value)?;
        }
        Ok((model, Some(settings)))
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), SettingError> {
        match key {
            "ttft_ms" => put(&mut self.ttft_ms, "ttft_ms", value, WHOLE),
            "tps" => put(&mut self.tps, "tps", value, PACE),
            "tokens" => put(&mut self.tokens, "tokens", value, WHOLE),
            "prompt_tokens" => put(&mut self.prompt_tokens, "prompt_tokens", value, WHOLE),
            "cached_tokens" => put(&mut self.cached_tokens, "cached_tokens", value, WHOLE),
            "reasoning_tokens" => put(&mut self.reasoning_tokens, "reasoning_tokens", value, WHOLE),
            "date" => put(&mut self.date, "date", value, "a text"),
            "tool" => put(&mut self.tool, "tool", value, "a function's name"),
            "fault" => put(&mut self.fault, "fault", value, FAULTS),
            "after_tokens" => put(&mut self.after_tokens, "after_tokens", value, WHOLE),
            "after_bytes" => put(&mut self.after_bytes, "after_bytes", value, WHOLE),
            "delay_ms" => put(&mut self.delay_ms, "delay_ms", value, WHOLE),
            "retry_after" => put(&mut self.retry_after, "retry_after", value, WHOLE),
            _ => Err(SettingError::Unknown(shortened(key))),
        }
    }

    /// The behaviour with these settings on top.
    pub(crate) fn over(mut self, mut base: Behaviour) -> Result<Behaviour, SettingError> {
        if let Some(wait) = self.ttft_ms {
            base.first_token = wait_of("ttft_ms", wait)?;
        }
        if let Some(pace) = self.tps {
            base.tokens_per_second = Some(pace_of(pace)?);
        }
        if let Some(tokens) = self.tokens {
            base.answer_tokens = answer_tokens_of(tokens)?;
            base.text = None;
        }
        base.text = self.text.take().or(base.text);
        base.prompt_tokens = self.prompt_tokens.or(base.prompt_tokens);
        base.cached_tokens = self.cached_tokens.unwrap_or(base.cached_tokens);
        base.reasoning_tokens = self.reasoning_tokens.unwrap_or(base.reasoning_tokens);
        base.model_date = self.date.take().or(base.model_date);
        base.tool_call = self.tool_call().or(base.tool_call);
        for (name, value) in self.headers.take().unwrap_or_default() {
            base.headers.push(header_of(&name, &value)?);
        }
        if let Some(name) = self.fault.take() {
            base.fault = self.fault_of(&name)?;
        }
        self.check_nothing_left().map(|()| base)
    }

    fn tool_call(&mut self) -> Option<ToolCall> {
        let tool = self.tool.take()?;
        let arguments = self.arguments.take().unwrap_or_else(|| "{}".to_owned());
        Some(ToolCall { name: (tool != "first").then_some(tool), arguments })
    }

    fn fault_of(&mut self, name: &FaultName) -> Result<Fault, SettingError> {
        let word = match name {
            FaultName::Status(status) => return self.status_fault(*status, &status.to_string()),
            FaultName::Word(word) => word.as_str(),
        };
        Ok(match word {
            "none" => Fault::None,
            "hang_up" => Fault::HangUp,
            "stall" => Fault::Stall { after_tokens: self.after_tokens()? },
            "end_early" => Fault::EndEarly { after_tokens: self.after_tokens()? },
            "malformed_frame" => Fault::MalformedFrame { at: self.after_tokens()? },
            "error_event" => Fault::ErrorEvent { after_tokens: self.after_tokens()? },
            "cut" => Fault::CutAfterBytes(
                self.after_bytes.take().ok_or(SettingError::Missing("after_bytes"))?,
            ),
            "slow_headers" => {
                let delay = self.delay_ms.take().ok_or(SettingError::Missing("delay_ms"))?;
                Fault::SlowHeaders(wait_of("delay_ms", delay)?)
            }
            "error_inside_200" => Fault::ErrorInside200,
            "no_usage" => Fault::NoUsage,
            "no_done" => Fault::NoDone,
            "html" => Fault::Html,
            status => return self.status_fault(status.parse().unwrap_or(0), status),
        })
    }

    fn status_fault(&mut self, status: u16, written: &str) -> Result<Fault, SettingError> {
        if !(300..=599).contains(&status) {
            return Err(SettingError::Value {
                key: "fault",
                value: shortened(written),
                expected: FAULTS,
            });
        }
        let retry_after = self.retry_after.take().map(Duration::from_secs);
        Ok(Fault::Status { status, retry_after, body: self.body.take() })
    }

    fn after_tokens(&mut self) -> Result<u32, SettingError> {
        self.after_tokens.take().ok_or(SettingError::Missing("after_tokens"))
    }

    /// What goes with a fault or a tool was taken when it was used.
    fn check_nothing_left(&self) -> Result<(), SettingError> {
        let left = [
            ("after_tokens", self.after_tokens.is_some()),
            ("after_bytes", self.after_bytes.is_some()),
            ("delay_ms", self.delay_ms.is_some()),
            ("retry_after", self.retry_after.is_some()),
            ("body", self.body.is_some()),
            ("arguments", self.arguments.is_some()),
        ];
        match left.into_iter().find(|(_, left)| *left) {
            Some((key, _)) => Err(SettingError::Unused(key)),
            None => Ok(()),
        }
    }
}

impl FromStr for FaultName {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::Word(text.to_owned()))
    }
}

fn put<T: FromStr>(
    field: &mut Option<T>,
    key: &'static str,
    value: &str,
    expected: &'static str,
) -> Result<(), SettingError> {
    let read = value.parse().ok().filter(|_| !value.is_empty());
    let read =
        read.ok_or_else(|| SettingError::Value { key, value: shortened(value), expected })?;
    match field.replace(read) {
        Some(_) => Err(SettingError::Twice(key.to_owned())),
        None => Ok(()),
    }
}

fn wait_of(key: &'static str, millis: u64) -> Result<Duration, SettingError> {
    let wait = Duration::from_millis(millis);
    let value = || SettingError::Value { key, value: millis.to_string(), expected: WAIT };
    if wait <= WAIT_MAX { Ok(wait) } else { Err(value()) }
}

fn pace_of(pace: f64) -> Result<f64, SettingError> {
    let value = || SettingError::Value { key: "tps", value: pace.to_string(), expected: PACE };
    if PACES.contains(&pace) { Ok(pace) } else { Err(value()) }
}

fn answer_tokens_of(tokens: u32) -> Result<u32, SettingError> {
    let (key, expected) = ("tokens", "at most 1000000");
    let value = || SettingError::Value { key, value: tokens.to_string(), expected };
    if tokens <= ANSWER_TOKENS_MAX { Ok(tokens) } else { Err(value()) }
}

fn header_of(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), SettingError> {
    match (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
        (Ok(name), Ok(value)) if !FRAMING.contains(&name) => Ok((name, value)),
        _ => Err(SettingError::Value {
            key: "headers",
            value: shortened(name),
            expected: "a header that an answer can carry besides its length and encoding",
        }),
    }
}

fn suffix_names() -> String {
    let names = SETTINGS.iter().map(|(name, _)| *name);
    names.take_while(|name| *name != "text").collect::<Vec<_>>().join(", ")
}

/// Foreign text is repeated only up to a length that fits a message.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

const WHOLE: &str = "a whole number";
const PACE: &str = "a number from 0.001 to 1000000";
const PACES: std::ops::RangeInclusive<f64> = 0.001..=1_000_000.0;
const WAIT: &str = "at most 3600000 (an hour)";
const FAULTS: &str = "a status from 300 to 599 or one of none, hang_up, stall, end_early, \
     malformed_frame, error_event, cut, slow_headers, error_inside_200, no_usage, no_done, html";
const FRAMING: [HeaderName; 3] =
    [http::header::CONTENT_LENGTH, http::header::TRANSFER_ENCODING, http::header::CONNECTION];

#[cfg(test)]
mod tests;
