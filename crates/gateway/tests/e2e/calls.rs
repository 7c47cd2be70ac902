//! Calls that are answered, and what happens when the upstream or the client fails.

mod buffered;
mod counted;
mod disconnects;
mod edits;
mod entra;
mod fetched;
mod kept_answers;
mod native_responses;
mod pass_through;
mod remembered;
mod streamed;
mod structured;
mod upstream_failures;
mod upstream_streams;
