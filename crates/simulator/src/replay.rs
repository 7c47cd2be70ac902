//! An answer given byte for byte, whatever was asked: how a test scripts any wire format.

use std::collections::VecDeque;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

use crate::body::AnswerBody;
use crate::record::CallGuard;

/// The bytes of one answer, in the pieces in which they are sent.
///
/// A single piece is sent with its length, several in chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    content_type: HeaderValue,
    pieces: VecDeque<Bytes>,
    cut: bool,
}

impl Replay {
    /// An answer with status 200 that ends properly after these pieces.
    #[must_use]
    pub fn new(content_type: &'static str, pieces: impl IntoIterator<Item = Bytes>) -> Self {
        let pieces = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        Self { content_type: HeaderValue::from_static(content_type), pieces, cut: false }
    }

    /// The same, but after the last piece the connection breaks.
    #[must_use]
    pub fn cut(self) -> Self {
        Self { cut: true, ..self }
    }

    pub(crate) fn answer(self, guard: CallGuard) -> Response<AnswerBody> {
        guard.answered(StatusCode::OK.as_u16());
        let mut response = Response::new(AnswerBody::pieces(self.pieces, self.cut, guard));
        response.headers_mut().insert(CONTENT_TYPE, self.content_type);
        response
    }
}
