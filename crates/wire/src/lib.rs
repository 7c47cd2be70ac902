//! Meaning on the wire: framing, JSON as bytes, wire formats, and the provider catalog.
//!
//! This crate is pure. It performs no IO, reads no clock, draws no randomness and writes no log;
//! what it is given it reads without panicking, and what it does not understand it passes on byte
//! for byte.
//!
//! - [`frame`] cuts a stream of bytes into records.
//! - [`json`] scans a body once and edits it without touching the rest.
//! - [`formats`] reads and observes what clients and upstreams say, one module for each wire
//!   format.
//! - [`schema`] tells whether a JSON value keeps a JSON schema.
//! - [`provider`] knows where each provider lives and what it deviates in; providers are data,
//!   formats are code.

pub mod capability;
pub mod conversation;
pub mod delta;
pub mod formats;
pub mod frame;
pub mod json;
pub mod provider;
pub mod schema;
pub mod translate;

pub use frame::sse::{RECORD_BYTES_MAX, RecordTooLong, SseFrame, SseFramer};
pub use provider::{
    Address, ApiVersion, AuthScheme, BaseUrlWhen, Calling, Catalog, CatalogError, DropBeside,
    Endpoint, OutputLimit, Provider, Quirks, Range, StreamUsage, ToolChoice, UnsetVariable,
    Unversioned, Variable, WireFormat,
};
