//! The scripts that Redis runs: what they are told and what they answer.
//!
//! Each is one round trip and one atomic step. Every key begins with one hash tag, so that all of
//! them live in one slot of a cluster, where a script may touch them together.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Script, ScriptInvocation};
use tollgate_policy::{Claim, Counter, Window};

/// How long a counter without an end is kept after its last claim. One that is gone is seeded
/// from the ledger again.
pub(super) const IDLE_KEPT: Duration = Duration::from_secs(7 * 86_400);
/// How long a counter is kept after its window has ended, for clocks that are behind.
const ENDED_KEPT: Duration = Duration::from_secs(3_600);
/// How many records of a dead node are given back in one step.
const REAPED_MAX: usize = 200;

/// What begins every key of a gateway, and who this node is.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) namespace: String,
    pub(super) node: String,
}

/// One epoch of the counters, as a node sees it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) names: Arc<Names>,
    pub(super) epoch: Arc<str>,
}

/// A claim of one counter, as the script is told of it.
#[derive(Debug, Clone)]
pub(super) struct Told<'a> {
    pub(super) counter: &'a str,
    pub(super) claim: Claim,
    /// Whether an unknown counter starts from zero, because no ledger knows it.
    pub(super) from_zero: bool,
    pub(super) kept: Duration,
}

/// What a claim is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// All are held; the counters as they are now.
    Held(Vec<Counter>),
    /// The first that refuses, by its place, and its counter.
    Over(usize, Counter),
    /// These are to be seeded first.
    Unknown(Vec<usize>),
    /// The counters are being rebuilt for this long.
    Wait(Duration),
    /// The epoch or this node's lease has ended: it has to join again.
    Lost,
}

/// What a node that joins is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) epoch: Arc<str>,
    pub(super) ready_in: Duration,
    pub(super) nodes: u32,
    /// Whether the node's lease had not ended, so that what it holds is still held.
    pub(super) kept: bool,
}

/// How a node joins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joining {
    pub(super) lease: Duration,
    pub(super) rebuild: Duration,
    /// Whether to begin a new epoch.
    pub(super) renew: bool,
}

/// What a call used of each of its counters; nothing gives back what it held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) call: u64,
    pub(super) used: Vec<i64>,
}

/// What a call holds of one counter: its name, its window's start and how much.
pub(super) type HeldOf<'a> = (&'a str, i64, i64);

macro_rules! script {
    ($name:ident, $($part:literal),+) => {
        static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!($(include_str!(concat!("../../lua/", $part)), "\n"),+))
        });
    };
}

script!(CLAIM, "limbs.lua", "state.lua", "claim.lua");
script!(SETTLE, "limbs.lua", "state.lua", "settle.lua");
script!(SEED, "limbs.lua", "state.lua", "seed.lua");
script!(DOUBT, "limbs.lua", "state.lua", "doubt.lua");
script!(ANNOUNCE, "limbs.lua", "announce.lua");
script!(JOIN, "limbs.lua", "state.lua", "join.lua");

impl Names {
    fn epoch(&self) -> String {
        format!("{{{}}}:epoch", self.namespace)
    }

    fn nodes(&self) -> String {
        format!("{{{}}}:nodes", self.namespace)
    }

    /// Renews the node's lease, in a new epoch where there has to be one.
    pub(super) async fn join(
        &self,
        connection: &mut MultiplexedConnection,
        joining: &Joining,
    ) -> Result<Joined, RedisError> {
        let mut call = JOIN.prepare_invoke();
        call.key(self.epoch()).key(self.nodes());
        call.arg(&self.node).arg(millis(joining.lease)).arg(millis(joining.rebuild));
        call.arg(if joining.renew { "1" } else { "0" });
        call.arg(format!("{{{}}}:", self.namespace)).arg(REAPED_MAX);
        let answer = run(&call, connection).await?;
        let [epoch, wait, nodes, kept] = &answer[..] else { return Err(unreadable(&answer)) };
        Ok(Joined {
            epoch: Arc::from(epoch.as_str()),
            ready_in: Duration::from_millis(number(wait, &answer)?),
            nodes: number(nodes, &answer)?,
            kept: kept == "1",
        })
    }

    /// Ends the node's lease, so that the next to join gives back what it may still hold.
    pub(super) async fn leave(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<(), RedisError> {
        let mut command = redis::cmd("ZADD");
        command.arg(self.nodes()).arg("XX").arg(0).arg(&self.node);
        command.query_async(connection).await
    }
}

impl Place {
    fn counter(&self, name: &str) -> String {
        format!("{{{}}}:{}:counter:{name}", self.names.namespace, self.epoch)
    }

    fn holds(&self) -> String {
        format!("{{{}}}:{}:holds:{}", self.names.namespace, self.epoch, self.names.node)
    }

    /// Takes every claim, or none.
    pub(super) async fn claim(
        &self,
        connection: &mut MultiplexedConnection,
        call: u64,
        claims: &[Told<'_>],
    ) -> Result<Answer, RedisError> {
        let mut script = CLAIM.prepare_invoke();
        script.key(self.names.epoch()).key(self.names.nodes()).key(self.holds());
        script.arg(&*self.epoch).arg(&self.names.node).arg(call).arg(millis(IDLE_KEPT));
        for told in claims {
            let (window, first, second) = numbers(&told.claim.window);
            script.key(self.counter(told.counter));
            script.arg(told.claim.amount);
            script.arg(told.claim.cap.map_or_else(String::new, |cap| cap.to_string()));
            script.arg(window).arg(first).arg(second);
            script.arg(if told.from_zero { "1" } else { "0" }).arg(millis(told.kept));
        }
        let answer = run(&script, connection).await?;
        read_answer(&answer).ok_or_else(|| unreadable(&answer))
    }

    /// Tells unknown counters what the ledger says. Gives whether the epoch still is the present
    /// one.
    pub(super) async fn seed(
        &self,
        connection: &mut MultiplexedConnection,
        seeds: &[(&str, Counter, Duration)],
    ) -> Result<bool, RedisError> {
        let mut script = SEED.prepare_invoke();
        script.key(self.names.epoch()).arg(&*self.epoch);
        for (name, counter, kept) in seeds {
            script.key(self.counter(name));
            script.arg(counter.start).arg(counter.used).arg(millis(*kept));
        }
        is_present(&run(&script, connection).await?)
    }

    /// Lets counters be seeded from the ledger again. Gives whether the epoch still is the present
    /// one.
    pub(super) async fn doubt(
        &self,
        connection: &mut MultiplexedConnection,
        counters: &[&str],
    ) -> Result<bool, RedisError> {
        let mut script = DOUBT.prepare_invoke();
        script.key(self.names.epoch()).arg(&*self.epoch);
        for name in counters {
            script.key(self.counter(name));
        }
        is_present(&run(&script, connection).await?)
    }

    /// Ends the holds of calls. Gives whether the epoch still is the present one.
    pub(super) async fn settle(
        &self,
        connection: &mut MultiplexedConnection,
        settled: &[Settled],
    ) -> Result<bool, RedisError> {
        let mut script = SETTLE.prepare_invoke();
        script.key(self.names.epoch()).key(self.holds()).arg(&*self.epoch);
        for settled in settled {
            script.arg(settled.call).arg(settled.used.len());
            for used in &settled.used {
                script.arg(*used);
            }
        }
        is_present(&run(&script, connection).await?)
    }

    /// Holds what calls hold already. Gives whether the epoch still is the present one.
    pub(super) async fn announce(
        &self,
        connection: &mut MultiplexedConnection,
        calls: &[(u64, Vec<HeldOf<'_>>)],
    ) -> Result<bool, RedisError> {
        let mut script = ANNOUNCE.prepare_invoke();
        script.key(self.names.epoch()).key(self.holds());
        script.arg(&*self.epoch).arg(millis(IDLE_KEPT));
        for (call, holds) in calls {
            script.arg(*call).arg(holds.len());
            for (name, start, amount) in holds {
                script.arg(self.counter(name)).arg(*start).arg(*amount);
            }
        }
        is_present(&run(&script, connection).await?)
    }

    /// The calls of this node that Redis has holds of.
    pub(super) async fn recorded(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<Vec<u64>, RedisError> {
        redis::cmd("HKEYS").arg(self.holds()).query_async(connection).await
    }
}

/// How long a counter is kept after a claim at `now`.
pub(super) fn kept(window: &Window, now: tollgate_domain::Timestamp) -> Duration {
    match window {
        Window::Forever => IDLE_KEPT,
        Window::Between(_, end) => end.since(now).saturating_add(ENDED_KEPT),
        Window::Opened { length, .. } => length.saturating_add(ENDED_KEPT),
    }
}

async fn run(
    script: &ScriptInvocation<'_>,
    connection: &mut MultiplexedConnection,
) -> Result<Vec<String>, RedisError> {
    script.invoke_async(connection).await
}

/// The window's name and its two numbers.
fn numbers(window: &Window) -> (&'static str, i64, i64) {
    match window {
        Window::Forever => ("forever", 0, 0),
        Window::Between(start, end) => ("between", start.micros(), end.micros()),
        Window::Opened { now, length } => {
            let length = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
            ("opened", now.micros(), length)
        }
    }
}

fn read_answer(answer: &[String]) -> Option<Answer> {
    let (word, rest) = answer.split_first()?;
    match (word.as_str(), rest) {
        ("held", rest) => {
            let counters = rest.chunks_exact(3).map(read_counter).collect::<Option<_>>()?;
            Some(Answer::Held(counters))
        }
        ("over", [index, counter @ ..]) => {
            Some(Answer::Over(index.parse().ok()?, read_counter(counter)?))
        }
        ("unknown", places) => {
            let places = places.iter().map(|place| place.parse().ok());
            Some(Answer::Unknown(places.collect::<Option<_>>()?))
        }
        ("wait", [wait]) => Some(Answer::Wait(Duration::from_millis(wait.parse().ok()?))),
        ("lost", []) => Some(Answer::Lost),
        _ => None,
    }
}

fn read_counter(numbers: &[String]) -> Option<Counter> {
    let [start, used, held] = numbers else { return None };
    Some(Counter { start: start.parse().ok()?, used: used.parse().ok()?, held: held.parse().ok()? })
}

fn is_present(answer: &[String]) -> Result<bool, RedisError> {
    match answer {
        [word] => Ok(word != "lost"),
        _ => Err(unreadable(answer)),
    }
}

fn number<N: std::str::FromStr>(text: &str, answer: &[String]) -> Result<N, RedisError> {
    text.parse().map_err(|_| unreadable(answer))
}

/// Milliseconds, at least one, and few enough for Redis to add them to a time.
fn millis(duration: Duration) -> u64 {
    const MOST: u128 = 1 << 50;
    u64::try_from(duration.as_millis().clamp(1, MOST)).unwrap_or(1)
}

fn unreadable(answer: &[String]) -> RedisError {
    let word = answer.first().cloned().unwrap_or_default();
    (redis::ErrorKind::UnexpectedReturnType, "a script's answer is unreadable", word).into()
}
