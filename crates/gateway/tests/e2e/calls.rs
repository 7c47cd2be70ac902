//! Calls that are answered, and what happens when the upstream or the client fails.

mod buffered;
mod disconnects;
mod kept_answers;
mod native_responses;
mod streamed;
mod upstream_failures;
mod upstream_streams;
