//! What the configuration file sets, for people and programs that ask over HTTP.
//!
//! The file is the truth. It is read again whenever it changes, so that what LiteLLM writes into
//! its database is refused here with where to write it instead.

mod cache;
mod general;
mod refused;
mod router;

use crate::route::Route;

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = general::routes();
    routes.extend(router::routes());
    routes.extend(refused::routes());
    routes.extend(cache::routes());
    routes
}
