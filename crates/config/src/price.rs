//! What models cost: the price list, its rows, and how the public list becomes one.

pub(crate) mod field;
pub mod import;
pub(crate) mod list;
mod map;
pub(crate) mod row;
pub(crate) mod shown;
