//! A stream's bytes cut into records by the framing that its upstream uses.

use bytes::Bytes;

use super::course::Fault;
use crate::WireFormat;
use crate::formats::anthropic_messages::Envelope;
use crate::frame::aws_events::{AWS_EVENT_BYTES_MAX, AwsEvent, AwsEventFramer};
use crate::frame::json_lines::JsonFramer;
use crate::frame::sse::{RECORD_BYTES_MAX, SseFrame, SseFramer};

/// One record of a stream.
pub(super) enum Record {
    /// A server-sent event.
    Sse(SseFrame),
    /// A JSON object.
    Json(Bytes),
    /// A message of an AWS event stream.
    Aws(AwsEvent),
}

/// Cuts a stream into its records.
#[derive(Debug)]
pub(super) enum Framing {
    Sse(SseFramer),
    Json(JsonFramer),
    Aws(AwsEventFramer),
}

impl Framing {
    /// The framing of an upstream's streams.
    pub(super) fn of(upstream: WireFormat, envelope: Envelope) -> Self {
        match upstream {
            WireFormat::BedrockConverse => Self::Aws(AwsEventFramer::new(AWS_EVENT_BYTES_MAX)),
            WireFormat::AnthropicMessages if envelope == Envelope::BedrockInvoke => {
                Self::Aws(AwsEventFramer::new(AWS_EVENT_BYTES_MAX))
            }
            WireFormat::Ollama => Self::Json(JsonFramer::new(RECORD_BYTES_MAX)),
            WireFormat::OpenAiChat
            | WireFormat::OpenAiResponses
            | WireFormat::AnthropicMessages
            | WireFormat::Gemini
            | WireFormat::Cohere => Self::Sse(SseFramer::new(RECORD_BYTES_MAX)),
        }
    }

    /// Whether a record is left that is not whole: the stream was cut.
    pub(super) fn holds_rest(&self) -> bool {
        match self {
            Self::Sse(_) => false,
            Self::Json(framer) => framer.holds_rest(),
            Self::Aws(framer) => framer.holds_rest(),
        }
    }

    /// The media types of streams framed like this.
    pub(super) const fn media_types(&self) -> &'static [&'static str] {
        match self {
            Self::Sse(_) => &["text/event-stream"],
            Self::Json(_) => &["application/x-ndjson", "application/jsonl", "application/json"],
            Self::Aws(_) => &["application/vnd.amazon.eventstream"],
        }
    }

    pub(super) fn push(&mut self, chunk: &[u8]) {
        match self {
            Self::Sse(framer) => framer.push(chunk),
            Self::Json(framer) => framer.push(chunk),
            Self::Aws(framer) => framer.push(chunk),
        }
    }

    /// The next whole record.
    ///
    /// # Errors
    /// [`Fault`] when the stream cannot be followed any further.
    pub(super) fn next(&mut self) -> Result<Option<Record>, Fault> {
        match self {
            Self::Sse(framer) => match framer.next_frame() {
                Ok(frame) => Ok(frame.map(Record::Sse)),
                Err(error) => Err(Fault::TooLong(error.to_string())),
            },
            Self::Json(framer) => match framer.next_record() {
                Ok(object) => Ok(object.map(Record::Json)),
                Err(error) => Err(Fault::of_objects(&error)),
            },
            Self::Aws(framer) => match framer.next_record() {
                Ok(event) => Ok(event.map(Record::Aws)),
                Err(error) => Err(Fault::of_messages(&error)),
            },
        }
    }

    /// What is left without a terminator at the end of the stream. A JSON object or a message that
    /// is not whole is cut, which is known from what did not come.
    pub(super) fn finish(&mut self) -> Option<Record> {
        match self {
            Self::Sse(framer) => framer.finish().map(Record::Sse),
            Self::Json(_) | Self::Aws(_) => None,
        }
    }
}
