//! What is measured, and for how long.

use std::time::Duration;

use serde::Serialize;

use crate::request::Chat;

/// How much time the measuring takes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Plan {
    pub(crate) quick: bool,
    /// How often each load is run against each target, in turns, so that a slow minute hits all of
    /// them.
    pub(crate) rounds: u32,
    #[serde(skip)]
    pub(crate) length: Duration,
}

impl Plan {
    /// A short one says whether everything works; its figures are rough.
    pub(crate) fn new(quick: bool) -> Self {
        let (rounds, millis) = if quick { (2, 500) } else { (5, 2000) };
        Self { quick, rounds, length: Duration::from_millis(millis) }
    }
}

/// One kind of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) chat: Chat,
    pub(crate) loop_kind: Loop,
    pub(crate) connections: usize,
}

/// What makes the next request go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loop {
    /// The answer to the last.
    Closed,
    /// The clock, so many times per second.
    FixedRate(u32),
}

impl Shape {
    /// Buffered and streamed; alone, at a fixed rate, and as much as goes through on few and on
    /// many connections.
    pub(crate) fn all() -> Vec<Self> {
        let mut shapes = Vec::new();
        for streamed in [false, true] {
            let chat = Chat { model: "answer", streamed };
            let shape = |loop_kind, connections| Self { chat, loop_kind, connections };
            shapes.push(shape(Loop::Closed, 1));
            shapes.push(shape(Loop::FixedRate(CALLS_PER_SECOND), 64));
            shapes.push(shape(Loop::Closed, 16));
            shapes.push(shape(Loop::Closed, 64));
        }
        shapes
    }

    /// Whether it is meant to find out how much goes through. Its latencies are those of a line.
    pub(crate) fn is_saturating(&self) -> bool {
        self.loop_kind == Loop::Closed && self.connections > 1
    }

    /// What one call of this kind costs, in millionths of a dollar.
    pub(crate) fn cost_micros(&self) -> u64 {
        self.chat.prompt_tokens() * PROMPT_TOKEN_MICROS + ANSWER_TOKENS * ANSWER_TOKEN_MICROS
    }

    pub(crate) fn title(&self) -> String {
        let kind = if self.chat.streamed { "streamed" } else { "buffered" };
        let Self { connections, .. } = self;
        match self.loop_kind {
            Loop::Closed if *connections == 1 => format!("{kind}, one call at a time"),
            Loop::Closed => format!("{kind}, {connections} connections"),
            Loop::FixedRate(rate) => format!("{kind}, {rate}/s open loop"),
        }
    }
}

/// Tokens of each answer under load: what `setup/behaviours.json` says.
const ANSWER_TOKENS: u64 = 64;
/// Price of a prompt token, in millionths of a dollar: what `setup/gateway.yaml` says.
const PROMPT_TOKEN_MICROS: u64 = 1;
/// Price of an answer token, in millionths of a dollar: what `setup/gateway.yaml` says.
const ANSWER_TOKEN_MICROS: u64 = 2;
/// Load before each measuring, so that connections, caches and allocators are warm.
pub(crate) const WARM_UP: Duration = Duration::from_millis(250);
/// The rate of the open loop, in calls per second: well below what one core carries, so that
/// waiting in line is rare.
const CALLS_PER_SECOND: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_are_those_of_the_setup() {
        let behaviours: serde_json::Value =
            serde_json::from_str(include_str!("../setup/behaviours.json")).expect("JSON");
        assert_eq!(behaviours["models"]["answer"]["tokens"], ANSWER_TOKENS);
        let config = include_str!("../setup/gateway.yaml");
        const MODELS: usize = 7;
        for (price, name) in [
            (PROMPT_TOKEN_MICROS, "input_cost_per_token: "),
            (ANSWER_TOKEN_MICROS, "output_cost_per_token: "),
        ] {
            let written = config.lines().filter_map(|line| line.trim().strip_prefix(name));
            let prices: Vec<f64> = written.filter_map(|price| price.parse().ok()).collect();
            assert_eq!(prices, [price as f64 / 1e6; MODELS], "{name}");
        }
    }

    #[test]
    fn every_load_has_a_title_of_its_own() {
        let mut titles: Vec<String> = Shape::all().iter().map(Shape::title).collect();
        titles.sort();
        titles.dedup();
        assert_eq!(titles.len(), Shape::all().len());
    }
}
