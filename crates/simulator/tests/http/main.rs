//! The simulator over its own socket: answers, faults, the record, and scripting from outside.

mod client;

mod answers;
mod faults;
mod scripting;
