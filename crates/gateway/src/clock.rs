//! The one place that reads the system's clocks.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tollgate_domain::{Clock, Ticks, Timestamp};

/// The system's clocks.
pub(crate) struct SystemClock {
    started: Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the home of the monotonic clock")]
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the home of the wall clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn ticks(&self) -> Ticks {
        Ticks::from_nanos(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

/// A wall clock that a test moves by rewriting a file; the monotonic clock stays the system's.
struct FileClock {
    file: PathBuf,
    system: SystemClock,
    last: AtomicI64,
}

impl Clock for FileClock {
    /// The instant in the file, or the last one that was read while the file is being rewritten.
    fn now(&self) -> Timestamp {
        let read = std::fs::read_to_string(&self.file).ok();
        if let Some(now) = read.and_then(|text| Timestamp::parse(&text).ok()) {
            self.last.store(now.micros(), Ordering::Relaxed);
        }
        Timestamp::from_micros(self.last.load(Ordering::Relaxed))
    }

    fn ticks(&self) -> Ticks {
        self.system.ticks()
    }
}

/// The clock to serve by.
///
/// # Errors
/// When the clock file does not hold an RFC 3339 instant.
pub(crate) fn choose(file: Option<&PathBuf>) -> anyhow::Result<Arc<dyn Clock>> {
    let system = SystemClock::start();
    let Some(file) = file else { return Ok(Arc::new(system)) };
    let first = Timestamp::parse(&std::fs::read_to_string(file)?)?;
    Ok(Arc::new(FileClock { file: file.clone(), system, last: first.micros().into() }))
}
