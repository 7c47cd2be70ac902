//! The store on both engines: every query, the ledger's life, outages and crashes.

mod changes;
mod directory;
mod entities;
mod keys;
mod ledger;
mod open;
mod outage;
mod presence;
mod properties;
mod recovery;
mod responses;
mod retention;
mod schema;
mod settings;
mod shared;
mod spend;
mod world;
