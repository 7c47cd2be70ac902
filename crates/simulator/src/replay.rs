//! An answer given byte for byte, whatever was asked: how a test scripts any wire format.

use std::collections::VecDeque;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::body::AnswerBody;
use crate::record::CallGuard;

/// The bytes of one answer, in the pieces in which they are sent.
///
/// A single piece is sent with its length, several in chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    status: StatusCode,
    headers: HeaderMap,
    pieces: VecDeque<Bytes>,
    cut: bool,
}

impl Replay {
    /// An answer with status 200 that ends properly after these pieces.
    #[must_use]
    pub fn new(content_type: &'static str, pieces: impl IntoIterator<Item = Bytes>) -> Self {
        let pieces = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        let content_type = (CONTENT_TYPE, HeaderValue::from_static(content_type));
        let headers = HeaderMap::from_iter([content_type]);
        Self { status: StatusCode::OK, headers, pieces, cut: false }
    }

    /// The same with this status.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        self.headers.append(name, value);
        self
    }

    /// The same, but after the last piece the connection breaks.
    #[must_use]
    pub fn cut(self) -> Self {
        Self { cut: true, ..self }
    }

    pub(crate) fn answer(self, guard: CallGuard) -> Response<AnswerBody> {
        guard.answered(self.status.as_u16());
        let mut response = Response::new(AnswerBody::pieces(self.pieces, self.cut, guard));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
