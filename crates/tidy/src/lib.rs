//! The rules of the house that the compiler does not keep, as functions from files to problems.
//!
//! `tests/repository.rs` applies each of them to this repository. A check reads text that it is
//! given and changes nothing; each has tests of its own that show it finding what it is for.

pub mod addresses;
pub mod arrows;
pub mod documents;
pub mod licence;
pub mod migrations;
pub mod packages;
pub mod problem;
pub mod providers;
pub mod rust;
pub mod sizes;
pub mod tree;
pub mod unwraps;
