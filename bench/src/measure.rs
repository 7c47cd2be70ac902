//! What is measured, one part per file.

pub(crate) mod loads;
pub(crate) mod startup;
pub(crate) mod streams;
pub(crate) mod translation;
