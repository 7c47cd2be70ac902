//! An answer as it comes: what interpreters say and renderers hear.

use bytestring::ByteString;
use tollgate_domain::Usage;

use crate::conversation::{Citation, FinishReason, Provenance};
use crate::formats::openai_chat::ErrorBody;

/// A step of a streamed answer. Parts of one choice are opened and closed one after the other or
/// side by side, each exactly once; `part` counts the parts of the whole answer from 0.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// The answer begins. Comes once, first.
    Begin {
        /// The provider's id of the answer.
        id: Option<ByteString>,
        /// The model as the provider names it.
        model: Option<ByteString>,
        /// When it was made, in seconds since the epoch, where the format tells.
        created: Option<u64>,
    },
    /// A part begins.
    Open {
        /// The choice it belongs to.
        choice: u32,
        /// Its number.
        part: u32,
        /// What it is.
        kind: PartKind,
    },
    /// More text of an open text, refusal or reasoning part, or more of a tool call's arguments.
    More {
        /// The part.
        part: u32,
        /// The text; never empty.
        text: ByteString,
    },
    /// The seal of an open reasoning part, whole; or the seal on an open tool call, which only
    /// `gemini` has and other renderers pass over.
    Seal {
        /// The part.
        part: u32,
        /// The seal.
        seal: ByteString,
    },
    /// A source that an open text part cites.
    Cite {
        /// The part.
        part: u32,
        /// The citation.
        citation: Citation,
    },
    /// A part ends.
    Close {
        /// The part.
        part: u32,
    },
    /// A choice ends.
    Finish {
        /// The choice.
        choice: u32,
        /// Why.
        reason: FinishReason,
        /// The stop text that ended it, where the format tells.
        stop_sequence: Option<ByteString>,
    },
    /// What the answer has consumed as far as the provider said. May come several times; the last
    /// one counts.
    Usage(Usage),
    /// The provider reported an error in band. Nothing follows.
    Failed(ErrorBody),
    /// The provider said that the answer is complete. Nothing follows.
    End,
}

/// What a part of a streamed answer is.
#[derive(Debug, Clone, PartialEq)]
pub enum PartKind {
    /// Text.
    Text,
    /// A refusal in words.
    Refusal,
    /// Readable reasoning.
    Reasoning {
        /// Whose it is.
        provenance: Provenance,
    },
    /// Reasoning in its sealed form only, whole.
    Redacted {
        /// The sealed reasoning.
        data: ByteString,
        /// Whose it is.
        provenance: Provenance,
    },
    /// A tool call, whose arguments follow.
    ToolCall {
        /// Its id.
        id: ByteString,
        /// The tool.
        name: ByteString,
        /// Whether the arguments are free text rather than JSON.
        custom: bool,
    },
}

/// How a stream came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// The connection ended as it should.
    Clean,
    /// The connection broke, or the gateway stopped listening.
    Cut,
}

/// Understands one streamed answer of a format. Lives as long as the answer and sees frames, never
/// sockets.
pub trait Interpreter: Send {
    /// Takes the next record: an SSE event's name and data, or a JSON line, or an event of an AWS
    /// stream.
    ///
    /// A record of an unknown kind is passed over. `data` is the record's payload.
    ///
    /// # Errors
    /// What is wrong with a record of a known kind. Nothing may be fed to it afterwards.
    fn record(
        &mut self,
        event: Option<&str>,
        data: &[u8],
        out: &mut Vec<Delta>,
    ) -> Result<(), String>;

    /// The stream is over. Closes what is open; says [`Delta::End`] only where the format makes
    /// the end of the connection the end of the answer and the answer was complete.
    fn close(&mut self, how: Close, out: &mut Vec<Delta>);
}

/// Writes one streamed answer in a format.
pub trait Renderer: Send {
    /// Writes a delta. Bytes are appended; there may be none.
    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>);
}
