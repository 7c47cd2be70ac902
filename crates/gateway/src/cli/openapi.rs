//! `tollgate openapi`: the description of every route.

use crate::cli::write;
use crate::description;

/// Prints the OpenAPI document.
pub(super) fn run() -> anyhow::Result<()> {
    write(format!("{:#}\n", description::openapi()).as_bytes())
}
