//! What was asked of the simulator, and how each call ended: counted for ever, kept for a while.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use serde::Serialize;
use tokio::sync::Notify;

/// The record of one call, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// The order of arrival, from 0 and without gaps since the start or the last reset.
    pub index: u64,
    /// The request's method.
    pub method: String,
    /// The request's path with its query.
    pub path: String,
    /// The request's headers as they came, names in lower case; a value that is not text has marks
    /// in its place.
    pub headers: Vec<(String, String)>,
    /// The request's body, byte for byte.
    pub body: Bytes,
    /// The status of the answer; 0 until its head is decided, and when there is none.
    pub status: u16,
    /// Tokens of the answer that were handed to the connection, of all choices.
    pub tokens_sent: u32,
    /// How the call ended, if it did.
    pub end: End,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It did not end yet.
    Running,
    /// The whole answer, with whatever fault was scripted, was handed to the connection.
    Finished,
    /// The client left, or the simulator was stopped, before that.
    Cancelled,
}

impl CallRecord {
    /// The first value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// The records of a simulator. Clones share them.
#[derive(Debug, Clone)]
pub struct Calls(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ring: Mutex<Ring>,
    changed: Notify,
    kept_max: usize,
}

#[derive(Debug, Default)]
struct Ring {
    kept: VecDeque<Arc<Call>>,
    kept_bytes: usize,
    count: u64,
}

/// One call while it runs. What does not change is written at arrival.
#[derive(Debug)]
struct Call {
    index: u64,
    /// `METHOD path\n`, then `name: value\n` for each header: one text instead of dozens.
    head: Box<str>,
    body: Bytes,
    status: AtomicU16,
    tokens_sent: AtomicU32,
    end: AtomicU8,
}

impl Calls {
    pub(crate) fn new(kept_max: usize) -> Self {
        let (ring, changed) = (Mutex::new(Ring::default()), Notify::new());
        Self(Arc::new(Shared { ring, changed, kept_max }))
    }

    /// How many calls arrived since the start or the last reset.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.ring().count
    }

    /// The calls that are kept, oldest first.
    #[must_use]
    pub fn kept(&self) -> Vec<CallRecord> {
        let calls: Vec<Arc<Call>> = self.ring().kept.iter().cloned().collect();
        calls.iter().map(|call| call.record()).collect()
    }

    /// The call with this index; `None` when it did not arrive yet or is no longer kept.
    #[must_use]
    pub fn find(&self, index: u64) -> Option<CallRecord> {
        let ring = self.ring();
        let first = ring.kept.front()?.index;
        let place = usize::try_from(index.checked_sub(first)?).ok()?;
        ring.kept.get(place).map(|call| call.record())
    }

    /// Waits until this many calls have arrived.
    pub async fn await_count(&self, count: u64) {
        self.wait_for(|calls| (calls.count() >= count).then_some(())).await;
    }

    /// Waits until the call with this index has arrived and ended, in either way.
    pub async fn await_ended(&self, index: u64) -> CallRecord {
        self.wait_for(|calls| calls.find(index).filter(|call| call.end != End::Running)).await
    }

    /// Waits until the call with this index has arrived and was cancelled. A call that finishes is
    /// waited for in vain: put a limit on the wait.
    pub async fn await_cancelled(&self, index: u64) -> CallRecord {
        self.wait_for(|calls| calls.find(index).filter(|call| call.end == End::Cancelled)).await
    }

    /// Waits until the call with this index has arrived and at least this many tokens of it were
    /// sent.
    pub async fn await_tokens(&self, index: u64, tokens: u32) -> CallRecord {
        self.wait_for(|calls| calls.find(index).filter(|call| call.tokens_sent >= tokens)).await
    }

    async fn wait_for<T>(&self, found: impl Fn(&Self) -> Option<T>) -> T {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            // Listening before looking, so that no change falls between the two.
            changed.as_mut().enable();
            if let Some(found) = found(self) {
                return found;
            }
            changed.await;
        }
    }

    /// Records a call that has arrived.
    pub(crate) fn arrived(&self, parts: &Parts, body: &Bytes) -> CallGuard {
        let mut ring = self.ring();
        let call = Arc::new(Call {
            index: ring.count,
            head: head(parts),
            // A copy: the original shares, and would keep, the connection's read buffer.
            body: if self.0.kept_max == 0 { Bytes::new() } else { Bytes::copy_from_slice(body) },
            status: AtomicU16::new(0),
            tokens_sent: AtomicU32::new(0),
            end: AtomicU8::new(RUNNING),
        });
        ring.count += 1;
        ring.keep(Arc::clone(&call), self.0.kept_max);
        drop(ring);
        self.0.changed.notify_waiters();
        CallGuard { calls: self.clone(), call }
    }

    /// Forgets every call and counts from 0 again.
    pub(crate) fn reset(&self) {
        *self.ring() = Ring::default();
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // Nothing panics while it is held, and every state of it is a valid one.
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn keep(&mut self, call: Arc<Call>, kept_max: usize) {
        self.kept_bytes += call.bytes();
        self.kept.push_back(call);
        while self.kept.len() > kept_max || self.kept_bytes > KEPT_BYTES_MAX {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.kept_bytes -= oldest.bytes();
        }
    }
}

impl Call {
    fn bytes(&self) -> usize {
        self.head.len() + self.body.len()
    }

    fn record(&self) -> CallRecord {
        let mut lines = self.head.lines();
        let (method, path) = lines.next().and_then(|l| l.split_once(' ')).unwrap_or_default();
        let headers = lines.filter_map(|line| line.split_once(": "));
        CallRecord {
            index: self.index,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: self.body.clone(),
            status: self.status.load(Ordering::Acquire),
            tokens_sent: self.tokens_sent.load(Ordering::Acquire),
            end: match self.end.load(Ordering::Acquire) {
                RUNNING => End::Running,
                FINISHED => End::Finished,
                _ => End::Cancelled,
            },
        }
    }
}

fn head(parts: &Parts) -> Box<str> {
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut head = String::with_capacity(HEAD_BYTES);
    head.push_str(parts.method.as_str());
    head.push(' ');
    head.push_str(path);
    head.push('\n');
    for (name, value) in &parts.headers {
        head.push_str(name.as_str());
        head.push_str(": ");
        head.push_str(&String::from_utf8_lossy(value.as_bytes()));
        head.push('\n');
    }
    head.into_boxed_str()
}

/// Notes what becomes of one call. Dropped before [`CallGuard::finish`], it notes that the call was
/// cancelled.
#[derive(Debug)]
pub(crate) struct CallGuard {
    calls: Calls,
    call: Arc<Call>,
}

impl CallGuard {
    /// The number of the call, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.call.index + 1
    }

    pub(crate) fn answered(&self, status: u16) {
        self.call.status.store(status, Ordering::Release);
    }

    pub(crate) fn sent(&self, tokens: u32) {
        if tokens > 0 {
            self.call.tokens_sent.fetch_add(tokens, Ordering::AcqRel);
            self.calls.0.changed.notify_waiters();
        }
    }

    pub(crate) fn finish(&self) {
        self.end(FINISHED);
    }

    fn end(&self, end: u8) {
        let (ok, unless) = (Ordering::AcqRel, Ordering::Acquire);
        if self.call.end.compare_exchange(RUNNING, end, ok, unless).is_ok() {
            self.calls.0.changed.notify_waiters();
        }
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.end(CANCELLED);
    }
}

const RUNNING: u8 = 0;
const FINISHED: u8 = 1;
const CANCELLED: u8 = 2;

/// The most that the kept calls may hold, in bytes of heads and bodies: 256 MiB.
const KEPT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What a usual head takes, in bytes.
const HEAD_BYTES: usize = 320;

#[cfg(test)]
mod tests;
