//! Typed reading of entries: each returns the value, or nothing and a finding that says why.

use std::time::Duration;

use tollgate_domain::{Money, Price, PriceError, parse_scaled};

use crate::diagnostic::{Finding, code};
use crate::environment::{Environment, reference};
use crate::yaml::{Entry, Mapping, Node, Span, Value};

/// Reads entries with the environment at hand and collects what is wrong with them.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) env: Environment<'a>,
    pub(crate) findings: Vec<Finding>,
}

/// A text that may come from the environment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// Written in the file or found in the environment; never empty.
    Text(String),
    /// The variable that the file names is not set.
    Unset(Box<str>),
}

impl<'a> Reader<'a> {
    pub(crate) fn new(env: Environment<'a>) -> Self {
        Self { env, findings: Vec::new() }
    }

    /// The text of an entry, or the variable that should hold it and does not. An empty text counts
    /// as absent.
    pub(crate) fn given(&mut self, entry: &Entry) -> Option<Given> {
        let written = match &entry.node.value {
            Value::Text(text) => text,
            Value::Number(number) => &number.written,
            _ => {
                self.wrong_type(entry, "text");
                return None;
            }
        };
        match reference(written) {
            Some(name) => Some(match self.env.variable(name) {
                Some(value) => Given::Text(value),
                None => Given::Unset(name.into()),
            }),
            None if written.is_empty() => None,
            None => Some(Given::Text(written.to_string())),
        }
    }

    /// The text of an entry; a variable that is not set is noted and counts as absent.
    pub(crate) fn text(&mut self, entry: &Entry) -> Option<String> {
        match self.given(entry)? {
            Given::Text(text) => Some(text),
            Given::Unset(variable) => {
                self.unset(entry, &variable);
                None
            }
        }
    }

    /// A number of seconds above zero, to the microsecond.
    pub(crate) fn seconds(&mut self, entry: &Entry) -> Option<Duration> {
        self.duration(entry, ("above 0", "leave it out for the default"), 1)
    }

    /// A number of seconds from zero on, to the microsecond.
    pub(crate) fn seconds_or_zero(&mut self, entry: &Entry) -> Option<Duration> {
        self.duration(entry, ("0 or more", ""), 0)
    }

    fn duration(
        &mut self,
        entry: &Entry,
        (least, help): (&str, &str),
        micros_min: u64,
    ) -> Option<Duration> {
        const EXPECTED: &str = "a number of seconds";
        let text = self.number(entry, EXPECTED)?;
        let Ok(scaled) = parse_scaled(&text, 6) else {
            return self.not_a(entry, &text, EXPECTED);
        };
        let micros = u64::try_from(scaled.value).ok().filter(|micros| *micros >= micros_min);
        let Some(micros) = micros.filter(|micros| *micros <= SECONDS_MAX * 1_000_000) else {
            let message = format!(
                "`{}` is `{text}`, not {least} and up to {SECONDS_MAX} seconds",
                entry.name
            );
            self.out_of_range(entry, message, help);
            return None;
        };
        Some(Duration::from_micros(micros))
    }

    /// A whole number from zero to `most`.
    pub(crate) fn count(&mut self, entry: &Entry, most: u64) -> Option<u64> {
        const EXPECTED: &str = "a whole number";
        let text = self.number(entry, EXPECTED)?;
        let Some(scaled) = parse_scaled(&text, 0).ok().filter(|scaled| scaled.exact) else {
            return self.not_a(entry, &text, EXPECTED);
        };
        let count = u64::try_from(scaled.value).ok().filter(|count| *count <= most);
        if count.is_none() {
            let message = format!("`{}` is `{text}`, outside 0 to {most}", entry.name);
            self.out_of_range(entry, message, "");
        }
        count
    }

    /// A number from zero on, in thousandths.
    pub(crate) fn milli(&mut self, entry: &Entry) -> Option<u32> {
        const EXPECTED: &str = "a number";
        let text = self.number(entry, EXPECTED)?;
        let Ok(scaled) = parse_scaled(&text, 3) else {
            return self.not_a(entry, &text, EXPECTED);
        };
        let milli = u32::try_from(scaled.value).ok();
        if milli.is_none() {
            let message = format!("`{}` is `{text}`, outside 0 to 4294967", entry.name);
            self.out_of_range(entry, message, "");
        }
        milli
    }

    /// A price in dollars per unit.
    pub(crate) fn price(&mut self, entry: &Entry) -> Option<Price> {
        const EXPECTED: &str = "a price in dollars per unit";
        let text = self.number(entry, EXPECTED)?;
        match Price::parse_dollars(&text) {
            Ok(price) => Some(price),
            Err(PriceError::NotANumber) => self.not_a(entry, &text, EXPECTED),
            Err(problem) => {
                let message = format!("`{}` is `{text}`: {problem}", entry.name);
                self.out_of_range(entry, message, "");
                None
            }
        }
    }

    /// An amount of dollars, zero or more.
    pub(crate) fn dollars(&mut self, entry: &Entry) -> Option<Money> {
        const EXPECTED: &str = "a number of dollars";
        let text = self.number(entry, EXPECTED)?;
        match Money::parse_dollars(&text) {
            Ok(money) if !money.is_negative() => Some(money),
            Ok(_) => {
                let message = format!("`{}` is `{text}`; an amount is never negative", entry.name);
                self.out_of_range(entry, message, "");
                None
            }
            Err(problem) => {
                let message = format!("`{}` is `{text}`: {problem}", entry.name);
                self.out_of_range(entry, message, "");
                None
            }
        }
    }

    /// A truth value; the texts `true` and `false` count, since a variable holds text.
    pub(crate) fn flag(&mut self, entry: &Entry) -> Option<bool> {
        match &entry.node.value {
            Value::Bool(flag) => Some(*flag),
            Value::Text(_) => match self.text(entry)?.to_ascii_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                other => self.not_a(entry, other, "`true` or `false`"),
            },
            _ => {
                self.wrong_type(entry, "`true` or `false`");
                None
            }
        }
    }

    /// A list of texts. References to variables count inside lists too, which LiteLLM forgets.
    pub(crate) fn texts(&mut self, entry: &Entry) -> Vec<String> {
        self.placed_texts(entry).into_iter().map(|(text, _)| text).collect()
    }

    /// A list of texts, each with its place.
    pub(crate) fn placed_texts(&mut self, entry: &Entry) -> Vec<(String, Span)> {
        let Value::List(items) = &entry.node.value else {
            self.wrong_type(entry, "a list of texts");
            return Vec::new();
        };
        let as_entries = items.iter().map(|node| Entry {
            name: entry.name.clone(),
            name_span: node.span.clone(),
            node: node.clone(),
        });
        as_entries.filter_map(|item| Some((self.text(&item)?, item.name_span))).collect()
    }

    /// The mapping of an entry.
    pub(crate) fn mapping<'e>(&mut self, entry: &'e Entry) -> Option<&'e Mapping> {
        match &entry.node.value {
            Value::Map(mapping) => Some(mapping),
            _ => {
                self.wrong_type(entry, "a mapping");
                None
            }
        }
    }

    /// The value as JSON, with references to variables replaced; an unset one becomes `null`.
    pub(crate) fn json(&self, node: &Node) -> String {
        match &node.value {
            Value::Null => "null".to_owned(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => number.json.to_string(),
            Value::Text(text) => match reference(text) {
                Some(name) => self.env.variable(name).map_or("null".to_owned(), |v| quoted(&v)),
                None => quoted(text),
            },
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.json(item)).collect();
                format!("[{}]", items.join(","))
            }
            Value::Map(map) => {
                let member = |e: &Entry| format!("{}:{}", quoted(&e.name), self.json(&e.node));
                let members: Vec<String> = map.entries.iter().map(member).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    pub(crate) fn wrong_type(&mut self, entry: &Entry, expected: &str) {
        let found = entry.node.value.described();
        let message = format!("`{}` is {found}; {expected} is expected", entry.name);
        self.findings.push(Finding::error(code::WRONG_TYPE, entry.node.span.clone(), message));
    }

    pub(crate) fn out_of_range(&mut self, entry: &Entry, message: String, help: &str) {
        let finding = Finding::error(code::OUT_OF_RANGE, entry.node.span.clone(), message);
        self.findings.push(if help.is_empty() { finding } else { finding.with_help(help) });
    }

    pub(crate) fn unset(&mut self, entry: &Entry, variable: &str) {
        let message =
            format!("the variable `{variable}` is not set, so `{}` counts as absent", entry.name);
        self.findings.push(Finding::note(code::VARIABLE_UNSET, entry.node.span.clone(), message));
    }

    /// The decimal text of a number, which may be quoted or come from the environment.
    fn number(&mut self, entry: &Entry, expected: &str) -> Option<String> {
        match &entry.node.value {
            Value::Number(number) => Some(number.json.to_string()),
            Value::Text(_) => self.text(entry).map(|text| text.trim().to_owned()),
            _ => {
                self.wrong_type(entry, expected);
                None
            }
        }
    }

    fn not_a<T>(&mut self, entry: &Entry, text: &str, expected: &str) -> Option<T> {
        let start: String = text.chars().take(SHOWN_CHARS_MAX).collect();
        let message = format!("`{}` is `{start}`; {expected} is expected", entry.name);
        self.findings.push(Finding::error(code::WRONG_TYPE, entry.node.span.clone(), message));
        None
    }
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The longest time, in seconds: a week.
const SECONDS_MAX: u64 = 604_800;
/// How much of an offending text a message repeats, in characters.
const SHOWN_CHARS_MAX: usize = 40;
