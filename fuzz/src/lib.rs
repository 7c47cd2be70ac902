//! The bodies of the fuzz targets, which the tests of the wire crate replay as well.

#[expect(dead_code, reason = "the tests name the targets, cargo names the binaries")]
#[path = "../../crates/wire/tests/wire/bodies/mod.rs"]
mod bodies;

/// Runs the body of a target.
pub fn run(target: &str, data: &[u8]) {
    bodies::run(target, data);
}
