//! JSON as bytes: one scan of an object's top level, lazy reading below it, and edits that keep
//! every other byte.
//!
//! Nothing here builds a tree. A body is walked once, strictly, and what is not edited goes out as
//! it came in: number spellings, key order, white space, unknown members and all.

mod grammar;
mod malformed;
mod path;
mod raw;
mod scan;
mod splice;
mod text;
pub mod write;

pub use malformed::Malformed;
pub use path::{JsonPath, PATH_BYTES_MAX, PathProblem, without};
pub use raw::{Elements, Kind, Members, Raw};
pub use scan::{Layout, Member, Object};
pub use splice::Splice;
pub use text::quoted;
pub use write::JsonWriter;

/// Deepest nesting that is read, in levels; the outermost object is the first.
pub const NESTING_MAX: u32 = 128;

#[cfg(test)]
mod tests;
