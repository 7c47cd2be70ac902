//! The body of an answer as the connection asks for it, faults and waits included.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::events::{Due, Events};
use crate::record::CallGuard;

/// A body that reports what becomes of it to the record of its call, if it belongs to one.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    source: Source,
    /// What may still be sent before the connection is cut, in bytes; `None` for all.
    bytes_left: Option<u64>,
    guard: Option<CallGuard>,
}

#[derive(Debug)]
enum Source {
    /// All of it, once.
    Whole {
        bytes: Bytes,
        tokens: u32,
    },
    /// These, one at a time, and then perhaps a cut connection.
    Pieces {
        left: VecDeque<Bytes>,
        cut: bool,
    },
    /// Nothing, for ever.
    Silent,
    Stream(Box<Stream>),
    /// The connection is to be cut, at the next but one poll: the one between lets the connection
    /// flush.
    Cut {
        flushed: bool,
    },
    Ended,
}

#[derive(Debug)]
struct Stream {
    events: Events,
    began: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

struct Chunk {
    bytes: Bytes,
    tokens: u32,
}

impl AnswerBody {
    /// A body outside the record: control routes.
    pub(crate) fn unrecorded(text: String) -> Self {
        Self::whole(text, 0, None)
    }

    /// A buffered body with this many tokens in it.
    pub(crate) fn buffered(text: String, tokens: u32, guard: CallGuard) -> Self {
        Self::whole(text, tokens, Some(guard))
    }

    /// A body of these pieces, none of them empty, after which the connection is cut if so told.
    pub(crate) fn pieces(left: VecDeque<Bytes>, cut: bool, guard: CallGuard) -> Self {
        let mut body = Self { source: Source::Ended, bytes_left: None, guard: Some(guard) };
        if left.is_empty() && !cut {
            body.finish();
        } else {
            body.source = Source::Pieces { left, cut };
        }
        body
    }

    /// A body of which nothing ever comes.
    pub(crate) fn silent(guard: CallGuard) -> Self {
        Self { source: Source::Silent, bytes_left: None, guard: Some(guard) }
    }

    /// A stream of events, timed from the arrival of the request.
    pub(crate) fn stream(events: Events, began: Instant, guard: CallGuard) -> Self {
        let stream = Stream { events, began, sleep: None };
        Self { source: Source::Stream(Box::new(stream)), bytes_left: None, guard: Some(guard) }
    }

    /// The same, cut off after this many bytes.
    pub(crate) fn cut_after(self, bytes: u64) -> Self {
        Self { bytes_left: Some(bytes), ..self }
    }

    fn whole(text: String, tokens: u32, guard: Option<CallGuard>) -> Self {
        let bytes = Bytes::from(text);
        let mut body = Self { source: Source::Ended, bytes_left: None, guard };
        if bytes.is_empty() {
            // The connection never asks for an empty body.
            body.finish();
        } else {
            body.source = Source::Whole { bytes, tokens };
        }
        body
    }

    fn finish(&mut self) {
        self.source = Source::Ended;
        if let Some(guard) = &self.guard {
            guard.finish();
        }
    }

    /// Passes on what fits before the cut.
    fn admit(&mut self, mut chunk: Chunk) -> Bytes {
        if let Some(left) = &mut self.bytes_left {
            let size = chunk.bytes.len() as u64;
            if size > *left {
                chunk.bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                chunk.tokens = 0;
                self.source = Source::Cut { flushed: false };
            } else {
                *left -= size;
            }
        }
        if let Some(guard) = &self.guard {
            guard.sent(chunk.tokens);
        }
        if !matches!(self.source, Source::Cut { .. }) && self.source.is_spent() {
            self.finish();
        }
        chunk.bytes
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let one_event_each = self.bytes_left.is_some();
        match ready!(self.source.poll_chunk(cx, one_event_each)) {
            Ok(Some(chunk)) => {
                let bytes = self.admit(chunk);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Ok(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Err(cut) => {
                self.finish();
                Poll::Ready(Some(Err(cut)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.source, Source::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole { bytes, .. } => SizeHint::with_exact(bytes.len() as u64),
            Source::Ended => SizeHint::with_exact(0),
            Source::Pieces { left, cut: false } if left.len() == 1 => {
                SizeHint::with_exact(left.iter().map(|piece| piece.len() as u64).sum())
            }
            Source::Pieces { .. } | Source::Silent | Source::Stream(_) | Source::Cut { .. } => {
                SizeHint::default()
            }
        }
    }
}

impl Source {
    /// The next bytes; with `one_event_each` no more than one event at a time.
    fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
        one_event_each: bool,
    ) -> Poll<io::Result<Option<Chunk>>> {
        match self {
            Self::Whole { bytes, tokens } => {
                let chunk = Chunk { bytes: std::mem::take(bytes), tokens: *tokens };
                *self = Self::Ended;
                Poll::Ready(Ok(Some(chunk)))
            }
            Self::Pieces { left, cut } => match left.pop_front() {
                Some(bytes) => Poll::Ready(Ok(Some(Chunk { bytes, tokens: 0 }))),
                None if *cut => {
                    *self = Self::Cut { flushed: false };
                    self.poll_chunk(cx, one_event_each)
                }
                None => Poll::Ready(Ok(None)),
            },
            Self::Silent => Poll::Pending,
            Self::Stream(stream) => {
                stream.poll_chunk(cx, if one_event_each { 1 } else { BATCH_BYTES }).map(Ok)
            }
            Self::Cut { flushed: true } => Poll::Ready(Err(io::Error::other("cut as scripted"))),
            Self::Cut { flushed } => {
                *flushed = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Self::Ended => Poll::Ready(Ok(None)),
        }
    }

    fn is_spent(&self) -> bool {
        match self {
            Self::Stream(stream) => stream.events.due() == Due::Ended,
            Self::Pieces { left, cut } => left.is_empty() && !cut,
            Self::Ended => true,
            Self::Whole { .. } | Self::Silent | Self::Cut { .. } => false,
        }
    }
}

impl Stream {
    /// All the events that are due, up to about `batch` bytes: without a pace a whole answer is one
    /// chunk.
    fn poll_chunk(&mut self, cx: &mut Context<'_>, batch: usize) -> Poll<Option<Chunk>> {
        let mut text = String::new();
        let mut tokens = 0;
        while text.len() < batch {
            match self.events.due() {
                Due::Ended => break,
                Due::Never if text.is_empty() => return Poll::Pending,
                Due::Never => break,
                Due::At(at) => {
                    if self.poll_due(cx, at, text.is_empty()).is_pending() {
                        if text.is_empty() {
                            return Poll::Pending;
                        }
                        break;
                    }
                    tokens += self.events.write(&mut text);
                }
            }
        }
        let chunk = Chunk { bytes: Bytes::from(text), tokens };
        Poll::Ready((!chunk.bytes.is_empty()).then_some(chunk))
    }

    /// Ready when the moment has come. Sets the timer only with `wake`, and never where there is
    /// nothing to wait for.
    fn poll_due(&mut self, cx: &mut Context<'_>, at: std::time::Duration, wake: bool) -> Poll<()> {
        let moment = self.began + at;
        if at.is_zero() || moment <= Instant::now() {
            return Poll::Ready(());
        }
        if !wake {
            return Poll::Pending;
        }
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(moment)));
        sleep.as_mut().reset(moment);
        sleep.as_mut().poll(cx)
    }
}

/// About the largest chunk of events, in bytes.
const BATCH_BYTES: usize = 16 * 1024;
