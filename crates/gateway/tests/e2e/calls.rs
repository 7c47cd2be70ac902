//! Calls that are answered, and what happens when the upstream or the client fails.

mod buffered;
mod disconnects;
mod edits;
mod entra;
mod kept_answers;
mod native_responses;
mod pass_through;
mod streamed;
mod upstream_failures;
mod upstream_streams;
