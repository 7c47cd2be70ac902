//! What is measured, one part per file.

pub(crate) mod admission;
pub(crate) mod claims;
pub(crate) mod cost;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod loads;
pub(crate) mod pages;
pub(crate) mod planning;
pub(crate) mod startup;
pub(crate) mod streams;
pub(crate) mod translation;
