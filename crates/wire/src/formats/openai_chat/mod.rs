//! `openai_chat`: OpenAI's chat completions, which most providers speak as well.
//!
//! Between a client and an upstream that both speak it nothing is translated. A request is read for
//! what the gateway decides on, spliced and sent; an answer passes through while its usage is
//! observed on the side.

mod answer;
mod choice;
mod error;
mod fit;
mod hub;
mod output;
mod patch;
mod request;
mod stream;
pub(in crate::formats) mod usage;

pub use answer::{AnswerFacts, AnswerRead, read_answer, with_model};
pub use error::{ErrorBody, error_event, read_error};
pub use fit::HINTS;
pub(in crate::formats) use hub::byte_offset;
pub use hub::{
    OpenAiChatInterpreter, OpenAiChatRenderer, ToolNames, from_answer, from_conversation,
    to_answer, to_conversation,
};
pub(crate) use hub::{lacks_reasoning, wants_past};
pub(crate) use patch::patched;
pub use patch::{RequestPatch, upstream_body};
pub use request::{CHOICES_MAX, ChatRequest, RequestProblem};
pub(crate) use request::{refuse_endless, refuse_forbidden};
pub use stream::{DONE_EVENT, ObserverOptions, Relay, StreamFacts, StreamObserver};
