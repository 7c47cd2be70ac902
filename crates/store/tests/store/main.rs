//! The store on both engines: every query, the ledger's life, outages and crashes.

mod audit;
mod changes;
mod corrections;
mod days;
mod days_at_once;
mod directory;
mod entities;
mod entry_retention;
mod imports;
mod keys;
mod ledger;
mod log;
mod models;
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
mod usage;
mod world;
