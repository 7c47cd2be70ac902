//! Calls that are served although something fails: tried again, elsewhere, or at another model.

mod fallbacks;
mod retries;
