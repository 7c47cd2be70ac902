//! The dispatcher against real servers on the loopback: the simulator, and a few that break the
//! protocol.

mod authority;
mod rig;

mod answers;
mod cancelling;
mod identities;
mod limits;
mod losses;
mod pool;
mod proxied;
mod secured;
