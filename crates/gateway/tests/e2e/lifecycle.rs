//! From the first start to the last: starting, reloading, ending, crashing, and the command line.

mod command_line;
mod crash;
mod first_start;
mod health;
mod many_nodes;
mod reload;
mod reprice;
mod shutdown;
