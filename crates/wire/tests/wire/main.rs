//! The tests of the wire crate from outside: golden fixtures, and the laws that hold for any bytes.

mod bodies;
mod coverage;
mod generate;
mod golden;
mod replay;
mod roundtrip;
