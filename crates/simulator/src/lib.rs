//! A fake provider: a real HTTP server that answers OpenAI chat calls without a model behind it.
//!
//! It serves the `tollgate simulate` command, the built-in model group and, as the scripted
//! upstream, every test that needs an upstream. Nothing in it is random and it reads no clock, so
//! the same request gives the same bytes: `created` is always [`CREATED`], ids count up from 1, and
//! the answer is a fixed round of words.
//!
//! # What counts as a token
//! A prompt token is one whitespace-separated word of a message's content (a string, or the `text`
//! of its parts). An answer token is one word of the answer, one piece of a scripted text up to and
//! including its next whitespace, or, in a tool call, the name and each [`TOOL_FRAGMENT_CHARS`]
//! characters of the arguments. With `n` choices the completion counts every choice.
//! `max_completion_tokens`, else `max_tokens`, bounds each choice (`length`).
//!
//! # What decides the answer
//! The oldest one-shot behaviour of the [`Script`]; else the script's behaviour for the model, else
//! its default, with the settings in the model's own name on top:
//! `simulated?ttft_ms=300&tps=50&tokens=200`. The names of the settings are those of [`SETTINGS`],
//! in model names and in the JSON of scripts alike.
//!
//! A [`Replay`] comes before all of these: it answers whatever is asked, on any path, with bytes of
//! any wire format.
//!
//! # Routes
//! `POST …/chat/completions`, `GET …/models`; and for tests in other processes
//! `GET /_simulator/calls`, `POST /_simulator/script` and `POST /_simulator/reset`. Credentials are
//! ignored, but recorded with the call: send no real key here.
//!
//! A refused connection cannot be simulated by something that listens: stop the simulator for that
//! ([`Simulator::shutdown`]).

mod answer;
mod behaviour;
mod body;
mod control;
mod events;
mod json;
mod plan;
mod record;
mod replay;
mod request;
mod routes;
mod script;
mod server;
mod setting;

pub use answer::CREATED;
pub use behaviour::{ANSWER_TOKENS_MAX, Behaviour, Fault, ToolCall, WAIT_MAX};
pub use plan::TOOL_FRAGMENT_CHARS;
pub use record::{CallRecord, Calls, End};
pub use replay::Replay;
pub use routes::BODY_BYTES_MAX;
pub use script::{NEXT_MAX, Script, ScriptError};
pub use server::{CONNECTIONS_MAX, Options, Simulator};
pub use setting::{SETTINGS, SettingError};
