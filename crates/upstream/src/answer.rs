//! An answer as it comes in: its head at once, its body part by part.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tollgate_domain::Clock;

use crate::deadline::Deadline;
use crate::error::{DispatchError, Phase};
use crate::failure::broken;

/// The answer of an upstream, whatever its status.
#[derive(Debug)]
pub struct UpstreamAnswer {
    /// The status, 200 to 999. Redirects are answers like others.
    pub status: u16,
    /// The headers as they came.
    pub headers: HeaderMap,
    /// The body, still on its way.
    pub body: UpstreamBody,
}

/// The body of an answer. Dropping it before its end closes the connection and so cancels the call;
/// after its end the connection serves the next call.
pub struct UpstreamBody {
    /// `None` after the end or a failure.
    incoming: Option<Incoming>,
    clock: Arc<dyn Clock>,
    /// Until the first byte has come.
    first_byte: Option<Deadline>,
    idle: Duration,
    /// Since bytes have been awaited last; kept when the wait is given up and taken up again.
    silent: Option<Deadline>,
    total: Option<Deadline>,
}

impl UpstreamBody {
    pub(crate) fn new(
        incoming: Incoming,
        clock: Arc<dyn Clock>,
        first_byte: Deadline,
        idle: Duration,
        total: Option<Deadline>,
    ) -> Self {
        Self {
            incoming: Some(incoming),
            clock,
            first_byte: Some(first_byte),
            idle,
            silent: None,
            total,
        }
    }

    /// The next bytes, never none of them; `None` at the proper end, and after a failure.
    ///
    /// The first bytes are awaited until the first-byte limit, the others each for the idle limit.
    /// Dropping the future loses nothing, and the limits go on.
    pub async fn next(&mut self) -> Option<Result<Bytes, DispatchError>> {
        let incoming = self.incoming.as_mut()?;
        let clock = &*self.clock;
        let (deadline, phase) = match self.first_byte {
            Some(first_byte) => (first_byte, Phase::FirstByte),
            None => {
                let start = || Deadline::start(Phase::Idle, self.idle, clock);
                (*self.silent.get_or_insert_with(start), Phase::Idle)
            }
        };
        let read = deadline.or_earlier(self.total).bound(clock, next_data(incoming)).await;
        let outcome = match read {
            Ok(Some(Ok(bytes))) => {
                self.first_byte = None;
                self.silent = None;
                return Some(Ok(bytes));
            }
            Ok(Some(Err(error))) => Some(Err(broken(&error, phase))),
            Ok(None) => None,
            Err(expired) => Some(Err(expired)),
        };
        self.incoming = None;
        outcome
    }

    /// The whole body, if it has no more than this many bytes.
    ///
    /// # Errors
    /// [`DispatchError::TooLarge`] as soon as that is known, and whatever [`UpstreamBody::next`]
    /// meets.
    pub async fn collect(mut self, bytes_max: u64) -> Result<Bytes, DispatchError> {
        let too_large = DispatchError::TooLarge { limit: bytes_max };
        let announced = self.incoming.as_ref().map_or(0, |body| body.size_hint().lower());
        if announced > bytes_max {
            return Err(too_large);
        }
        let Some(first) = self.next().await.transpose()? else { return Ok(Bytes::new()) };
        let mut size = first.len() as u64;
        // Most answers come in one piece, which needs no copy.
        let (mut whole, mut more) = (first, None);
        while size <= bytes_max {
            let Some(part) = self.next().await.transpose()? else {
                return Ok(more.map_or(whole, BytesMut::freeze));
            };
            size = size.saturating_add(part.len() as u64);
            let buffer = more.get_or_insert_with(|| {
                let mut buffer = BytesMut::with_capacity(capacity(announced));
                buffer.extend_from_slice(&std::mem::take(&mut whole));
                buffer
            });
            buffer.extend_from_slice(&part);
        }
        Err(too_large)
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody").field("ended", &self.incoming.is_none()).finish()
    }
}

/// The next data that is not empty. Trailers are passed over.
async fn next_data(incoming: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    loop {
        match incoming.frame().await? {
            Ok(frame) => match frame.into_data() {
                Ok(bytes) if !bytes.is_empty() => return Some(Ok(bytes)),
                Ok(_) | Err(_) => {}
            },
            Err(error) => return Some(Err(error)),
        }
    }
}

/// What an upstream announces is believed only up to a point.
fn capacity(announced: u64) -> usize {
    usize::try_from(announced).unwrap_or(usize::MAX).min(CAPACITY_BYTES_MAX)
}

/// The most memory that is taken before bytes have come: 1 MiB.
const CAPACITY_BYTES_MAX: usize = 1024 * 1024;
