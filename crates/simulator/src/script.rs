//! What the simulator was told to do: a default, exceptions by model, and one-shot behaviours in
//! order.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use thiserror::Error;

use crate::behaviour::Behaviour;
use crate::replay::Replay;
use crate::setting::{SettingError, Settings};

/// Which behaviour answers which call.
#[derive(Debug, Clone, Default)]
pub struct Script {
    default: Arc<Behaviour>,
    by_model: BTreeMap<String, Arc<Behaviour>>,
    next: VecDeque<Arc<Behaviour>>,
    replays: VecDeque<Replay>,
    answer: Option<Answerer>,
}

/// Answers a request by its path, with the query, and its body.
#[derive(Clone)]
struct Answerer(Arc<AnswerFn>);

type AnswerFn = dyn Fn(&str, &[u8]) -> Replay + Send + Sync;

impl fmt::Debug for Answerer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answerer")
    }
}

/// A JSON text that is not a script.
#[derive(Debug, Error)]
pub enum ScriptError {
    /// It is not JSON of the right shape.
    #[error("the script cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A behaviour in it cannot be followed.
    #[error("the script cannot be followed: {0}")]
    Setting(#[from] SettingError),
    /// It has, or with what was there would have, more one-shot behaviours than [`NEXT_MAX`].
    #[error("the script has more than {NEXT_MAX} behaviours in `next`")]
    TooLong,
}

impl Script {
    /// Answers every call with this behaviour.
    #[must_use]
    pub fn new(default: Behaviour) -> Self {
        Self { default: Arc::new(default), ..Self::default() }
    }

    /// The same, but answers calls for this model in this way.
    #[must_use]
    pub fn for_model(mut self, model: impl Into<String>, behaviour: Behaviour) -> Self {
        self.by_model.insert(model.into(), Arc::new(behaviour));
        self
    }

    /// The same, but answers one call, after those already scripted in this way, with this
    /// behaviour whatever its model.
    #[must_use]
    pub fn then(mut self, behaviour: Behaviour) -> Self {
        self.next.push_back(Arc::new(behaviour));
        self
    }

    /// The same, but answers one request, after those already scripted in this way, with these
    /// bytes, whatever is asked and on whichever path. Replays come before all behaviours.
    #[must_use]
    pub fn replaying(mut self, replay: Replay) -> Self {
        self.replays.push_back(replay);
        self
    }

    /// The same, but answers every request that no replay waits for with the bytes that this
    /// function gives for its path, with the query, and its body. It comes before all behaviours.
    #[must_use]
    pub fn answering(
        mut self,
        answer: impl Fn(&str, &[u8]) -> Replay + Send + Sync + 'static,
    ) -> Self {
        self.answer = Some(Answerer(Arc::new(answer)));
        self
    }

    /// Reads a script: `{"default": {…}, "models": {"name": {…}}, "next": [{…}]}`, each `{…}` an
    /// object of [`SETTINGS`](crate::SETTINGS).
    ///
    /// # Errors
    /// [`ScriptError`] for anything that has no meaning.
    pub fn parse(json: &[u8]) -> Result<Self, ScriptError> {
        let mut script = Self::default();
        script.extend(json)?;
        Ok(script)
    }

    /// Takes over what a JSON script says: its default and its models replace those here, its
    /// one-shot behaviours come after those here. On an error nothing changes.
    pub(crate) fn extend(&mut self, json: &[u8]) -> Result<(), ScriptError> {
        let wire: Wire = serde_json::from_slice(json)?;
        if self.next.len() + wire.next.len() > NEXT_MAX {
            return Err(ScriptError::TooLong);
        }
        let default = wire.default.map(read).transpose()?;
        let by_model: Vec<(String, Arc<Behaviour>)> = wire
            .models
            .into_iter()
            .map(|(name, settings)| Ok((name, read(settings)?)))
            .collect::<Result<_, SettingError>>()?;
        let next: Vec<_> = wire.next.into_iter().map(read).collect::<Result<_, _>>()?;
        self.default = default.unwrap_or_else(|| Arc::clone(&self.default));
        self.by_model.extend(by_model);
        self.next.extend(next);
        Ok(())
    }

    /// Adds a one-shot behaviour.
    pub(crate) fn push(&mut self, behaviour: Behaviour) {
        self.next.push_back(Arc::new(behaviour));
    }

    /// The bytes that answer the next request, if any are scripted.
    pub(crate) fn next_replay(&mut self, path: &str, body: &[u8]) -> Option<Replay> {
        let waiting = self.replays.pop_front();
        waiting.or_else(|| self.answer.as_ref().map(|answer| (answer.0)(path, body)))
    }

    /// The name to echo and the behaviour for a call for this model. Uses up a one-shot behaviour,
    /// if there is one.
    pub(crate) fn choose<'a>(
        &mut self,
        model: &'a str,
    ) -> Result<(&'a str, Arc<Behaviour>), SettingError> {
        let (name, settings) = Settings::of_model(model)?;
        if let Some(next) = self.next.pop_front() {
            return Ok((name, next));
        }
        let base = self.by_model.get(name).unwrap_or(&self.default);
        let behaviour = match settings {
            None => Arc::clone(base),
            Some(settings) => Arc::new(settings.over(Behaviour::clone(base))?),
        };
        Ok((name, behaviour))
    }

    /// The models to list: `simulated` and those with a behaviour of their own.
    pub(crate) fn models(&self) -> impl Iterator<Item = &str> {
        let own = self.by_model.keys().map(String::as_str);
        std::iter::once(ANY_MODEL).chain(own.filter(|name| *name != ANY_MODEL))
    }
}

fn read(settings: Settings) -> Result<Arc<Behaviour>, SettingError> {
    settings.over(Behaviour::default()).map(Arc::new)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    default: Option<Settings>,
    #[serde(default)]
    models: BTreeMap<String, Settings>,
    #[serde(default)]
    next: Vec<Settings>,
}

/// The name under which a script that names no model is listed. Every other name is answered too.
const ANY_MODEL: &str = "simulated";

/// The most one-shot behaviours that can wait when they come as JSON.
pub const NEXT_MAX: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(script: &mut Script, model: &str) -> u32 {
        script.choose(model).expect("a behaviour").1.answer_tokens
    }

    #[test]
    fn one_shots_come_first_then_the_model_then_the_default() {
        let mut script = Script::new(Behaviour::answering(1))
            .for_model("a", Behaviour::answering(2))
            .then(Behaviour::answering(3))
            .then(Behaviour::answering(4));
        assert_eq!(tokens(&mut script, "b?tokens=9"), 3);
        assert_eq!(tokens(&mut script, "a"), 4);
        assert_eq!(tokens(&mut script, "a"), 2);
        assert_eq!(tokens(&mut script, "a?prompt_tokens=9"), 2);
        assert_eq!(tokens(&mut script, "a?tokens=9"), 9);
        assert_eq!(tokens(&mut script, "b"), 1);
        assert_eq!(script.choose("b?tokens=2").map(|(name, _)| name), Ok("b"));
    }

    #[test]
    fn replays_come_before_the_function_that_answers_all_requests() {
        let replay = |text: &str| Replay::new("text/plain", [text.to_owned().into()]);
        let asked = move |path: &str, body: &[u8]| {
            replay(&format!("{path} {}", String::from_utf8_lossy(body)))
        };
        let mut script = Script::default().replaying(replay("first")).answering(asked);
        assert_eq!(script.next_replay("/a", b"x"), Some(replay("first")));
        assert_eq!(script.next_replay("/a", b"x"), Some(replay("/a x")));
        assert_eq!(script.next_replay("/b?c", b"y"), Some(replay("/b?c y")));
        assert_eq!(Script::default().next_replay("/a", b"x"), None);
    }

    #[test]
    fn nonsense_uses_no_one_shot_up() {
        let mut script = Script::default().then(Behaviour::answering(3));
        assert!(script.choose("a?x=1").is_err());
        assert_eq!(tokens(&mut script, "a"), 3);
    }

    #[test]
    fn a_json_script_replaces_the_default_and_queues_after_what_waits() {
        let mut script = Script::new(Behaviour::answering(1)).then(Behaviour::answering(2));
        let json = br#"{"default":{"tokens":7},"models":{"a":{"tokens":8}},"next":[{"tokens":3}]}"#;
        script.extend(json).expect("a script");
        assert_eq!([2, 3, 7, 7], [(); 4].map(|()| tokens(&mut script, "b")));
        assert_eq!(tokens(&mut script, "a"), 8);
        assert_eq!(script.models().collect::<Vec<_>>(), ["simulated", "a"]);
        script.extend(b"{}").expect("a script");
        assert_eq!(tokens(&mut script, "b"), 7);
    }

    #[test]
    fn a_json_script_that_means_nothing_changes_nothing() {
        let mut script = Script::default();
        for json in [
            "",
            "[]x",
            r#"{"defalt":{}}"#,
            r#"{"default":{"tokens":5},"next":[{"fault":"boom"}]}"#,
            r#"{"default":{"tokens":5},"models":{"a":{"tokens":"5"}}}"#,
        ] {
            assert!(script.extend(json.as_bytes()).is_err(), "{json}");
            assert_eq!(tokens(&mut script, "a"), 16, "{json}");
        }
        let many = format!(r#"{{"next":[{}{{}}]}}"#, "{},".repeat(NEXT_MAX));
        assert!(matches!(script.extend(many.as_bytes()), Err(ScriptError::TooLong)));
    }
}
